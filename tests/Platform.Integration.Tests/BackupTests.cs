using Npgsql;
using Platform.Cli.Verification;
using Platform.Persistence;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>
/// The way of docs/backup.md: what is dumped while the platform runs is restored elsewhere, and is whole.
/// </summary>
public sealed class BackupTests(TestPlatform platform)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_dump_that_is_restored_is_verified_and_served_and_goes_on()
    {
        var (_, version, _) = await Script.RunProgramAsync(Installed("pg_dump"), "--version");
        var server = await platform.Database.QueryAsync<string>("show server_version", Cancel);
        Assert.SkipUnless(
            Major(version.Split(' ')[2]) >= Major(server),
            $"pg_dump of PostgreSQL {version.Split(' ')[2].Trim()} dumps no server of {server}"
        );
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        await tenant.PublishAsync("chat", TestTenant.Window("chat"), Guid.NewGuid(), Cancel);
        await tenant.UntilAllocatedOnAsync("chat", 1, Cancel);
        var folder = Directory.CreateTempSubdirectory("backup").FullName;
        try
        {
            var file = Path.Combine(folder, "platform.dump");
            await RunAsync(
                "pg_dump",
                platform.Database.OwnerConnectionString,
                "--format=custom",
                "--no-privileges",
                $"--file={file}"
            );
            await using var restored = await TestDatabase.CreateAsync(
                platform.Services.Postgres,
                Cancel,
                owner =>
                    RunAsync(
                        "pg_restore",
                        owner,
                        "--no-owner",
                        "--no-privileges",
                        "--exit-on-error",
                        $"--dbname={new NpgsqlConnectionStringBuilder(owner).Database}",
                        file
                    )
            );
            await CheckAsync(tenant, restored);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task CheckAsync(TestTenant tenant, TestDatabase restored)
    {
        await using (var store = new PlatformStore(restored.ConnectionString))
        {
            var report = await VerifyCommand.VerifyAsync(store, tenant.Id, null, null, Cancel);
            Assert.Empty(report.Findings);
            Assert.True(report.Versions >= 2, $"{report.Versions} versions");
        }

        // Beside the platform that was dumped, it tells nobody: the other tests' tenants would be called twice.
        Dictionary<string, string?> settings = new()
        {
            ["Platform:Postgres"] = restored.ConnectionString,
            ["Platform:IngressVirtualHost"] = platform.NewVirtualHost(),
            ["Platform:WebhookKey"] = "",
        };
        var api = await platform.StartApiAsync(settings);
        var worker = await platform.StartWorkerAsync(settings);
        var there = tenant with { Api = api };
        await there.PutFleetAsync("chat", Cancel, definition => definition["objective"]!["accuracyWeight"] = 60.0);
        await there.UntilAllocatedAsync(
            "chat",
            it => (int)it["provenance"]!["definitionRevision"]! == 3 && (int)it["version"]! >= 3,
            Cancel
        );
        // Their database goes before the others.
        await Task.WhenAll(platform.StopAsync(api), platform.StopAsync(worker));
    }

    /// <summary>Runs a program of PostgreSQL's on a database.</summary>
    private static async Task RunAsync(string program, string connection, params string[] arguments)
    {
        var to = new NpgsqlConnectionStringBuilder(connection);
        var (status, _, error) = await Script.RunProgramAsync(
            Installed(program),
            Script.Root,
            new()
            {
                ["PGHOST"] = to.Host!,
                ["PGPORT"] = $"{to.Port}",
                ["PGUSER"] = to.Username!,
                ["PGPASSWORD"] = to.Password!,
                ["PGDATABASE"] = to.Database!,
            },
            arguments
        );
        Assert.True(status == 0, $"{program}: {error}");
    }

    /// <summary>Debian's own, whose wrapper would look for a cluster; elsewhere whatever is found.</summary>
    private static string Installed(string program) =>
        (
            Directory.Exists("/usr/lib/postgresql")
                ? Directory
                    .GetDirectories("/usr/lib/postgresql")
                    .Select(it => Path.Combine(it, "bin", program))
                    .LastOrDefault(File.Exists)
                : null
        ) ?? program;

    private static int Major(string version) =>
        int.Parse(version.Split('.', ' ')[0], System.Globalization.CultureInfo.InvariantCulture);
}
