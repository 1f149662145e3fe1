using System.Globalization;
using Npgsql;
using Platform.Cli.Demo;
using Platform.Cli.Hosting;
using Platform.Domain.Fleets;
using Platform.Persistence.Solving;
using Spectre.Console;

namespace Platform.Cli.Benchmarks;

/// <summary>
/// What reading costs: the allocation in force, the answer that it has not changed, a page of history, and what was in
/// force at an instant; each beside an empty endpoint and a constant of the allocation's length in the same round,
/// first with a thousand snapshots stored, then with a million.
/// </summary>
internal sealed class ReadBenchmark(PlatformSettings settings, ReadLoad load, IAnsiConsole console)
{
    private const string Tenant = "read";
    private const string Fleet = "chat";
    private const int TaskTypes = 12;
    private const int Versions = 1_000;
    private const string Empty = "an empty endpoint";

    public static async Task<ReadReport> RunAsync(
        PlatformSettings settings,
        ReadLoad load,
        IAnsiConsole console,
        CancellationToken cancel
    )
    {
        await PlatformHosts.MigrateAsync(settings, cancel);
        var port = LoopbackPort.FirstFree(LoopbackPort.First);
        var api = PlatformHosts.StartApi(settings, port);
        var empty = PlatformHosts.StartEmpty(settings, LoopbackPort.FirstFree(port + 1));
        try
        {
            await Task.WhenAll(
                api.WaitReadyAsync(TimeSpan.FromSeconds(90), cancel),
                empty.WaitReadyAsync(TimeSpan.FromSeconds(90), cancel)
            );
            return await new ReadBenchmark(settings, load, console).RunAsync(api.Address, empty.Address, cancel);
        }
        finally
        {
            await Task.WhenAll(api.StopAsync(), empty.StopAsync());
        }
    }

    private async Task<ReadReport> RunAsync(Uri api, Uri empty, CancellationToken cancel)
    {
        using var operators = new PlatformClient(api, settings.OperatorKey);
        var tenant = await operators.RegisterTenantAsync(Tenant, "Benchmark", cancel);
        using var client = new PlatformClient(api, tenant.ApiKey);
        await client.PutFleetAsync(Fleet, Definition(), cancel);
        await using var store = settings.OpenStore();
        await SweepFleets.SolveAsync(new SolveStore(store), Tenant, [Fleet], cancel);
        await using var database = NpgsqlDataSource.Create(settings.Postgres);
        console.Say($"laying down {Versions} versions of one fleet");
        await LayAsync(database, VersionsOfOne, cancel);
        var body = (await client.AllocationAsync(Fleet, null, cancel))!;
        var length = body.Snapshot.ToCanonicalBytes().Length;
        var requests = Requests(api, empty, tenant.ApiKey, body.Tag.Tag, length);
        var few = await MeasureAsync(requests, Versions, cancel);
        console.Say($"laying down {load.Snapshots} snapshots of other fleets");
        await LayAsync(
            database,
            OtherFleets.Replace(
                "{0}",
                (load.Snapshots / Versions).ToString(CultureInfo.InvariantCulture),
                StringComparison.Ordinal
            ),
            cancel
        );
        var many = await MeasureAsync(requests, Versions + load.Snapshots, cancel);
        return new ReadReport(length, [.. few, .. many]);
    }

    private static List<(string Name, Uri Address, string[] Headers)> Requests(
        Uri api,
        Uri empty,
        string key,
        string tag,
        int length
    )
    {
        var authorization = $"Authorization: Bearer {key}";
        var fleet = new Uri(api, $"/v1/fleets/{Fleet}/");
        // In the middle of the history, which begins a thousand minutes ago.
        var instant = TimeProvider
            .System.GetUtcNow()
            .AddMinutes(-Versions / 2)
            .ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        return
        [
            (Empty, new Uri(empty, "/"), []),
            ("a constant of its length", new Uri(empty, $"/constant/{length}"), []),
            ("the allocation in force", new Uri(fleet, "allocation"), [authorization]),
            ("the same, held: 304", new Uri(fleet, "allocation"), [authorization, $"If-None-Match: {tag}"]),
            ("a page of 100 of history", new Uri(fleet, "allocations"), [authorization]),
            ("one as of an instant", new Uri(fleet, $"allocation?asOf={instant}"), [authorization]),
        ];
    }

    private async Task<IReadOnlyList<ReadFigures>> MeasureAsync(
        List<(string Name, Uri Address, string[] Headers)> requests,
        long snapshots,
        CancellationToken cancel
    )
    {
        var measured = requests.ToDictionary(
            it => it.Name,
            _ => new List<(double PerSecond, double Percentile99, double OverEmpty)>()
        );
        // The first round warms up.
        for (var round = 0; round <= load.Rounds; round++)
        {
            console.Say(round == 0 ? "warming up" : $"round {round} of {load.Rounds}");
            var empty = 0.0;
            foreach (var (name, address, headers) in requests)
            {
                var (perSecond, percentile) = await HttpLoad.RunAsync(address, headers, load.Length, cancel);
                empty = name == Empty ? perSecond : empty;
                if (round > 0)
                    measured[name].Add((perSecond, percentile, perSecond / empty));
            }
        }

        return
        [
            .. measured.Select(it => new ReadFigures(
                it.Key,
                snapshots,
                Median.Of(it.Value.Select(x => x.PerSecond)),
                Median.Of(it.Value.Select(x => x.Percentile99)),
                Median.Of(it.Value.Select(x => x.OverEmpty))
            )),
        ];
    }

    private static FleetDefinition Definition() =>
        SweepFleets.Definition(0) with
        {
            TaskTypes =
            [
                .. Enumerable
                    .Range(0, TaskTypes)
                    .Select(k =>
                        SweepFleets.Definition(k).TaskTypes[0] with
                        {
                            Id = $"type-{k}",
                            Share = 1.0 / TaskTypes,
                        }
                    ),
            ],
        };

    /// <summary>The fleet's one snapshot again as a thousand versions, a minute apart, the last of them now.</summary>
    private const string VersionsOfOne = """
        insert into platform.allocation_snapshots
            (tenant_id, fleet_id, version, solved_at, hash, document, objective, mean_accuracy, mean_system_time_seconds, utilization)
        select tenant_id, fleet_id, v, solved_at - interval '1 minute' * (1000 - v), hash, document, objective, mean_accuracy, mean_system_time_seconds, utilization
        from platform.allocation_snapshots cross join generate_series(2, 1000) v where tenant_id = 'read';
        delete from platform.in_force_changes;
        insert into platform.in_force_changes (tenant_id, fleet_id, change, at, version, cause)
        select tenant_id, fleet_id, version, solved_at, version, 'allocation-published' from platform.allocation_snapshots;
        truncate platform.notice_queue;
        update platform.fleets set latest_version = 1000, released_version = 1000, in_force_version = 1000, in_force_change = 1000;
        select pg_notify('platform_fleets', 'read/chat')
        """;

    /// <summary>
    /// Fleets with a thousand versions each. Their documents are small: what is measured never reads them, and the
    /// indexes hold none.
    /// </summary>
    private const string OtherFleets = """
        insert into platform.allocation_snapshots
            (tenant_id, fleet_id, version, solved_at, hash, document, objective, mean_accuracy, mean_system_time_seconds, utilization)
        select 'read', 'other-' || f, v, now() - interval '1 minute' * (1000 - v), repeat('0', 64), '{}', 1, 1, 1, 0.5
        from generate_series(1, {0}) f cross join generate_series(1, 1000) v;
        insert into platform.in_force_changes (tenant_id, fleet_id, change, at, version, cause)
        select tenant_id, fleet_id, version, solved_at, version, 'allocation-published' from platform.allocation_snapshots where fleet_id like 'other-%';
        truncate platform.notice_queue
        """;

    private static async Task LayAsync(NpgsqlDataSource database, string sql, CancellationToken cancel)
    {
        foreach (
            var statement in (string[])
                [
                    .. sql.Split(";\n"),
                    "vacuum analyze platform.allocation_snapshots, platform.in_force_changes, platform.fleets",
                    "checkpoint",
                ]
        )
        {
            await using var command = database.CreateCommand(statement);
            command.CommandTimeout = 0;
            await command.ExecuteNonQueryAsync(cancel);
        }
    }
}
