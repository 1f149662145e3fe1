using Npgsql;

namespace Platform.Persistence;

/// <summary>
/// How PostgreSQL keeps the large values. LZ4 takes a fifth of the processor time of the default for nearly the same size. Sums are whole
/// numbers in as few bytes as they need and cannot be compressed: nobody tries.
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

    /// <summary>Puts it in place; run by the owner after every migration. What is stored already stays as it is.</summary>
    public static Task ApplyAsync(NpgsqlConnection owner, CancellationToken cancel) => ApplicationRole.ExecuteAsync(owner, Apply, cancel);
}
