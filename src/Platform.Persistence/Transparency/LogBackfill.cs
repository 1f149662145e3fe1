using Npgsql;

namespace Platform.Persistence.Transparency;

/// <summary>Sends what was decided before there were logs to the tenants' logs.</summary>
internal static class LogBackfill
{
    private const string Streams = """
        select t.tenant_id, null as fleet_id from platform.tenants t union all select f.tenant_id, f.fleet_id from platform.fleets f order by 1, 2 nulls first
        """;

    public static async Task RunAsync(NpgsqlConnection owner, CancellationToken cancel)
    {
        foreach (var tenant in (await StreamsAsync(owner, cancel)).GroupBy(it => it.Tenant))
        {
            await using var transaction = await owner.BeginTransactionAsync(cancel);
            await using var batch = new NpgsqlBatch(owner, transaction)
            {
                BatchCommands = { RowSecurity.Binding(tenant.Key) },
            };
            batch.BatchCommands.Add(
                TransparencyLog.Queueing(
                    tenant.Key,
                    [
                        .. tenant.Select(it =>
                            (
                                it.Fleet is null
                                    ? EventStore.TenantStream(it.Tenant)
                                    : EventStore.FleetStream(it.Tenant, it.Fleet),
                                it.Fleet
                            )
                        ),
                    ]
                )
            );
            await batch.ExecuteNonQueryAsync(cancel);
            await transaction.CommitAsync(cancel);
        }
    }

    private static async Task<List<(string Tenant, string? Fleet)>> StreamsAsync(
        NpgsqlConnection owner,
        CancellationToken cancel
    )
    {
        await using var command = new NpgsqlCommand(Streams, owner);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var streams = new List<(string, string?)>();
        while (await reader.ReadAsync(cancel))
            streams.Add((reader.GetString(0), reader.IsDBNull(1) ? null : reader.GetString(1)));
        return streams;
    }
}
