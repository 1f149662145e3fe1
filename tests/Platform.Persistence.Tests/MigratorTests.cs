using Platform.Persistence.Fleets;
using Platform.Testing;

namespace Platform.Persistence.Tests;

public sealed class MigratorTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Migrating_again_changes_nothing_and_keeps_what_is_stored()
    {
        await using var database = await TestDatabase.CreateAsync(Cancel);
        await using var store = new PlatformStore(database.ConnectionString);
        await new FleetStore(store).PutAsync("acme", "chat", TestStore.Definition, null, "ci", TestStore.At, Cancel);
        var before = await SchemaAsync(database);

        await Migrator.MigrateAsync(database.OwnerConnectionString, null, Cancel);

        Assert.Equal(before, await SchemaAsync(database));
        var events = await new FleetStore(store).EventsAsync("acme", "chat", 0, 10, Cancel);
        Assert.Equal("fleet-registered", Assert.Single(events!).Type);
    }

    private static Task<string> SchemaAsync(TestDatabase database) =>
        database.QueryAsync<string>(
            """
            select string_agg(line, e'\n' order by line) from (
                select format('%s.%s %s %s', table_schema, table_name, column_name, data_type) as line from information_schema.columns
                where table_schema in ('platform', 'events')
                union all select indexdef from pg_indexes where schemaname in ('platform', 'events')
                union all select pg_get_functiondef(p.oid) from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname in ('platform', 'events')
                union all select format('%s %s %s', polrelid::regclass, polname, pg_get_expr(polqual, polrelid)) from pg_policy
                union all select format('%s %s %s', oid::regclass, relacl, relforcerowsecurity) from pg_class where relkind in ('r', 'S')
                union all select migration_id from platform.migrations) as lines
            """,
            Cancel
        );
}
