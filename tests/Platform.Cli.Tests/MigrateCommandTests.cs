using System.Diagnostics;
using System.Runtime.InteropServices;
using Npgsql;
using Platform.Testing;

namespace Platform.Cli.Tests;

/// <summary>
/// <c>./platform migrate</c> as a container runs it: a process of its own that is told of the database and of nothing
/// else.
/// </summary>
public sealed class MigrateCommandTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_empty_database_gets_the_schema_and_a_role_that_owns_nothing_however_often_it_runs()
    {
        var role = $"role_{Guid.NewGuid():n}";
        await using (var database = await TestDatabase.CreateAsync(Cancel))
        {
            await database.QueryAsync<int>("drop schema platform, events, hangfire cascade; select 1", Cancel);
            var application = new NpgsqlConnectionStringBuilder(database.OwnerConnectionString)
            {
                Username = role,
                Password = "of the role",
                Pooling = false,
            };

            for (var time = 0; time < 2; time++)
            {
                var (status, error) = await RunAsync(
                    ("PLATFORM_POSTGRES", database.OwnerConnectionString),
                    ("PLATFORM_POSTGRES_APPLICATION", application.ConnectionString)
                );
                Assert.True(status == 0, error);
            }

            Assert.True(await database.QueryAsync<long>("select count(*) from platform.migrations", Cancel) > 0);
            Assert.Equal(
                0,
                await database.QueryAsync<long>(
                    $"select count(*) from pg_class where relowner = '{role}'::regrole",
                    Cancel
                )
            );
            await using var connection = new NpgsqlConnection(application.ConnectionString);
            await connection.OpenAsync(Cancel);
        }

        await using var server = NpgsqlDataSource.Create(TestServices.Postgres);
        await using var drop = server.CreateCommand($"drop role {role}");
        await drop.ExecuteNonQueryAsync(Cancel);
    }

    [Fact]
    public async Task Without_a_database_it_says_so_in_one_line()
    {
        var (status, error) = await RunAsync();
        Assert.Equal(CommandFailure.BadUsage, status);
        Assert.StartsWith(
            "platform: PLATFORM_POSTGRES is not set",
            Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)),
            StringComparison.Ordinal
        );
    }

    private static async Task<(int Status, string Error)> RunAsync(params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(
            Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet")),
            [Path.Combine(Script.Root, "src/Platform.Cli/bin/Release/net10.0/Platform.Cli.dll"), "migrate"]
        )
        {
            RedirectStandardError = true,
        };
        foreach (
            var name in start
                .Environment.Keys.Where(name => name.StartsWith("PLATFORM_", StringComparison.Ordinal))
                .ToList()
        )
            start.Environment.Remove(name);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var error = await process.StandardError.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        return (process.ExitCode, error);
    }
}
