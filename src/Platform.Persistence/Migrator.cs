using Hangfire.PostgreSql;
using JasperFx;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
using Platform.Persistence.Transparency;

namespace Platform.Persistence;

/// <summary>
/// Brings a database to the schema of this version: EF Core's migrations, Marten's tables, Hangfire's tables. The only
/// place that creates schema. Safe to repeat, by several processes at once too.
/// </summary>
public static class Migrator
{
    /// <summary>
    /// Migrates: schemas, tables, indexes, functions, row-level security, and the application's role and rights.
    /// </summary>
    /// <param name="owner"> Npgsql's connection string of a role that may create schemas, and that may create the
    /// application's role unless there is one.
    /// </param>
    /// <param name="application">The connection string of the application's role; null for that of
    /// <see cref="ApplicationRole.ConnectionFor"/>.</param>
    /// <param name="cancel">Ends the wait; what was applied stays.</param>
    public static async Task MigrateAsync(string owner, string? application, CancellationToken cancel)
    {
        await using var dataSource = NpgsqlDataSource.Create(owner);
        await using var connection = await dataSource.OpenConnectionAsync(cancel);
        // Of two who would create the same at once, the second waits and then finds it done. The lock ends with the
        // connection.
        await using (
            var turn = new NpgsqlCommand("select pg_advisory_lock(hashtext('platform.migrations'))", connection)
        )
            await turn.ExecuteNonQueryAsync(cancel);
        bool isNewLog;
        await using (var rows = new PlatformDbContext(TenantSession.OptionsFor(connection), ""))
        {
            var pending = await rows.Database.GetPendingMigrationsAsync(cancel);
            isNewLog = pending.Any(name =>
                name.EndsWith($"_{nameof(Migrations.TransparencyLog)}", StringComparison.Ordinal)
            );
            await rows.Database.MigrateAsync(cancel);
        }

        await using (var events = EventStore.Open(dataSource, AutoCreate.CreateOrUpdate))
            await events.Storage.ApplyAllConfiguredChangesToDatabaseAsync();
        PostgreSqlObjectsInstaller.Install(connection, "hangfire");
        await TableStorage.ApplyAsync(connection, cancel);
        var role = application ?? ApplicationRole.ConnectionFor(owner);
        await ApplicationRole.EnsureAsync(connection, role, derived: application is null, cancel);
        await RowSecurity.ApplyAsync(connection, new NpgsqlConnectionStringBuilder(role).Username!, cancel);
        if (isNewLog)
            await LogBackfill.RunAsync(connection, cancel);
        await using (
            var done = new NpgsqlCommand("select pg_advisory_unlock(hashtext('platform.migrations'))", connection)
        )
            await done.ExecuteNonQueryAsync(cancel);
    }

    internal static void Configure(NpgsqlDbContextOptionsBuilder npgsql) =>
        npgsql.MigrationsHistoryTable("migrations", PlatformDbContext.Schema);

    /// <summary>What <c>dotnet ef migrations add</c> makes its context with; it never connects.</summary>
    internal sealed class DesignTime : IDesignTimeDbContextFactory<PlatformDbContext>
    {
        public PlatformDbContext CreateDbContext(string[] args) =>
            new(TenantSession.OptionsFor(new NpgsqlConnection("Host=localhost")), "");
    }
}
