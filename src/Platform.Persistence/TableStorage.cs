using Npgsql;

namespace Platform.Persistence;

/// <summary>
/// How PostgreSQL compresses the large values: by LZ4, which takes less of the processor's time than its default. Sums
/// cannot be compressed; the migration that laid them out says so to PostgreSQL.
/// </summary>
internal static class TableStorage
{
    // A table is locked only where something is to be changed. A server that was built without LZ4 keeps its default.
    private const string Apply = """
        do $$
        declare
            large record;
        begin
            for large in
                select c.oid::regclass as relation, a.attname
                from pg_attribute a join pg_class c on c.oid = a.attrelid
                where (c.oid, a.attname) in (
                        ('platform.allocation_snapshots'::regclass, 'document'),
                        ('platform.fleets'::regclass, 'definition'),
                        ('platform.fleets'::regclass, 'expectation'),
                        ('events.mt_events'::regclass, 'data'))
                    and a.attcompression <> 'l'
            loop
                execute format('alter table %s alter column %I set compression lz4', large.relation, large.attname);
            end loop;
        exception when feature_not_supported then
            null;
        end $$
        """;

    /// <summary>
    /// Puts it in place; run by the owner after every migration. What is stored already stays as it is.
    /// </summary>
    public static Task ApplyAsync(NpgsqlConnection owner, CancellationToken cancel) =>
        ApplicationRole.ExecuteAsync(owner, Apply, cancel);
}
