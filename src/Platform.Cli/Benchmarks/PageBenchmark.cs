using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Platform.Cli.Demo;
using Platform.Cli.Hosting;
using Platform.Persistence.Ingestion;
using Platform.Persistence.Solving;
using Spectre.Console;

namespace Platform.Cli.Benchmarks;

/// <summary>A page of the dashboard beside the calls of the API that answer the same as JSON.</summary>
/// <param name="Name">Which page.</param>
/// <param name="Page">Its address.</param>
/// <param name="Calls">The calls: an address, and a body where it is posted.</param>
internal sealed record PageAndCalls(string Name, string Page, (string Address, string? Body)[] Calls);

/// <summary>
/// What a page costs the server: the time to its first byte over that of the JSON calls behind it, by turns, one after
/// another, from a client that has nothing else to do.
/// </summary>
internal sealed partial class PageBenchmark(PlatformSettings settings, int rounds, IAnsiConsole console)
{
    private const string Tenant = "pages";
    private const string Fleet = "fleet-00";
    private const int Fleets = 50;
    private const int Versions = 20;
    private const int Windows = 200;
    private const int WarmUp = 5;

    private static readonly PageAndCalls[] Pages =
    [
        new("all fleets", "/", [("/v1/fleets?limit=1000", null), ("/v1/allocations?limit=1000", null)]),
        new(
            "one fleet",
            $"/fleets/{Fleet}",
            [
                .. ((string[])["", "/allocation", "/allocations/export?format=ndjson", "/estimate", "/events"]).Select(
                    it => ($"/v1/fleets/{Fleet}{it}", (string?)null)
                ),
            ]
        ),
        new(
            "compare",
            $"/fleets/{Fleet}/compare?from=1&to=2",
            [($"/v1/fleets/{Fleet}", null), ($"/v1/fleets/{Fleet}/allocations/diff?from=1&to=2&detail=full", null)]
        ),
        new(
            "plan",
            $"/fleets/{Fleet}/plan?arrivalRateFactor=1.5",
            [
                ($"/v1/fleets/{Fleet}/what-if", """{"arrivalRateFactor":1.5}"""),
                ($"/v1/fleets/{Fleet}/what-if/frontier", """{"arrivalRateFactor":1.5,"points":31}"""),
            ]
        ),
        new(
            "history",
            $"/fleets/{Fleet}/history",
            [($"/v1/fleets/{Fleet}", null), ($"/v1/fleets/{Fleet}/allocations?limit=50", null)]
        ),
    ];

    public static async Task<PageReport> RunAsync(
        PlatformSettings settings,
        int rounds,
        IAnsiConsole console,
        CancellationToken cancel
    )
    {
        await PlatformHosts.MigrateAsync(settings, cancel);
        var api = PlatformHosts.StartApi(settings, LoopbackPort.FirstFree(LoopbackPort.First));
        try
        {
            await api.WaitReadyAsync(TimeSpan.FromSeconds(90), cancel);
            return await new PageBenchmark(settings, rounds, console).RunAsync(api.Address, cancel);
        }
        finally
        {
            await api.StopAsync();
        }
    }

    private async Task<PageReport> RunAsync(Uri api, CancellationToken cancel)
    {
        using var operators = new PlatformClient(api, settings.OperatorKey);
        var tenant = await operators.RegisterTenantAsync(Tenant, "Benchmark", cancel);
        using var client = new PlatformClient(api, tenant.ApiKey);
        console.Say($"laying down {Fleets} fleets, one with {Versions} versions and {Windows} windows");
        await LayAsync(client, cancel);
        using var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            CookieContainer = new CookieContainer(),
        };
        using var http = new HttpClient(handler) { BaseAddress = api };
        await SignInAsync(http, tenant.ApiKey, cancel);
        http.DefaultRequestHeaders.Authorization = new("Bearer", tenant.ApiKey);
        var measured = Pages.ToDictionary(it => it, _ => new List<(double Page, double Calls)>());
        for (var round = -WarmUp; round < rounds; round++)
        {
            console.Say(round < 0 ? "warming up" : $"round {round + 1} of {rounds}");
            foreach (var it in Pages)
            {
                var page = await FirstByteAsync(http, it.Page, null, cancel);
                var calls = 0.0;
                foreach (var (address, body) in it.Calls)
                    calls += await FirstByteAsync(http, address, body, cancel);
                if (round >= 0)
                    measured[it].Add((page, calls));
            }
        }

        return new PageReport([
            .. measured.Select(it => new PageFigures(
                it.Key.Name,
                Median.Of(it.Value.Select(x => x.Page)),
                Median.Of(it.Value.Select(x => x.Calls)),
                Median.Of(it.Value.Select(x => x.Page / x.Calls))
            )),
        ]);
    }

    private async Task LayAsync(PlatformClient client, CancellationToken cancel)
    {
        await using var store = settings.OpenStore();
        string[] fleets = [.. Enumerable.Range(0, Fleets).Select(i => $"fleet-{i:00}")];
        foreach (var (i, fleet) in fleets.Index())
            await client.PutFleetAsync(fleet, SweepFleets.Definition(i), cancel);
        await SweepFleets.SolveAsync(new SolveStore(store), Tenant, fleets, cancel);
        var random = new Random(1);
        var now = TimeProvider.System.GetUtcNow();
        await new WorkloadIntake(store).StoreAsync(
            [
                .. Enumerable
                    .Range(1, Windows)
                    .Select(w => new IncomingWindow(
                        Tenant,
                        Guid.NewGuid(),
                        SweepFleets.Window(Fleet, 0, now.AddSeconds(-10 * w), random)
                    )),
            ],
            cancel
        );
        for (var version = 2; version <= Versions; version++)
        {
            var definition = SweepFleets.Definition(0);
            await client.PutFleetAsync(
                Fleet,
                definition with
                {
                    Objective = definition.Objective with
                    {
                        AccuracyWeight = definition.Objective.AccuracyWeight * (1 + (0.1 * version)),
                    },
                },
                cancel
            );
            await SweepFleets.SolveAsync(new SolveStore(store), Tenant, [Fleet], cancel);
        }
    }

    private static async Task SignInAsync(HttpClient http, string key, CancellationToken cancel)
    {
        var form = await http.GetStringAsync(new Uri("/sign-in", UriKind.Relative), cancel);
        using var content = new FormUrlEncodedContent([
            new("Key", key),
            new("__RequestVerificationToken", Token().Match(form).Groups[1].Value),
        ]);
        using var answer = await http.PostAsync(new Uri("/sign-in", UriKind.Relative), content, cancel);
        if (answer.StatusCode != HttpStatusCode.Found)
            throw new CommandFailure(
                $"the dashboard did not take the key: {(int)answer.StatusCode}",
                CommandFailure.JobSaysNo
            );
    }

    /// <summary>Milliseconds until the head of the answer is there; the rest is read and not counted.</summary>
    private static async Task<double> FirstByteAsync(
        HttpClient http,
        string address,
        string? body,
        CancellationToken cancel
    )
    {
        using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, address);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        var start = Stopwatch.GetTimestamp();
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        var elapsed = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        if (answer.StatusCode != HttpStatusCode.OK)
            throw new CommandFailure($"{address} was answered with {(int)answer.StatusCode}", CommandFailure.JobSaysNo);
        await answer.Content.CopyToAsync(Stream.Null, cancel);
        return elapsed;
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" type=\"hidden\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
