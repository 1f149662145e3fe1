using Npgsql;

namespace Platform.Persistence.Solving;

/// <summary>A fleet and its tenant.</summary>
/// <param name="Tenant">The tenant's id.</param>
/// <param name="Fleet">The fleet's id.</param>
public sealed record FleetKey(string Tenant, string Fleet);

/// <summary>The fleets whose time to be solved has come, over all tenants.</summary>
public sealed class DueFleets(PlatformStore store)
{
    /// <summary>
    /// Claims due fleets, the longest due first. A claim keeps other sweeps from handing out the same fleets; it is not a lock: when it
    /// runs out before the fleet is solved, another sweep claims the fleet again.
    /// </summary>
    /// <param name="now">The moment that counts.</param>
    /// <param name="claimFor">How long a batch may take before it is taken for dead.</param>
    /// <param name="limit">Most fleets to claim.</param>
    /// <param name="cancel">Gives up; nothing is claimed then.</param>
    public async Task<IReadOnlyList<FleetKey>> ClaimAsync(DateTimeOffset now, TimeSpan claimFor, int limit, CancellationToken cancel)
    {
        await using var command = store.DataSource.CreateCommand("""
            update platform.fleets as fleet set claimed_until = $2
            from (select tenant_id, fleet_id from platform.fleets
                  where retired_at is null and due_at <= $1 and (claimed_until is null or claimed_until <= $1)
                  order by due_at limit $3 for update skip locked) as due
            where fleet.tenant_id = due.tenant_id and fleet.fleet_id = due.fleet_id
            returning fleet.tenant_id, fleet.fleet_id
            """);
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = now });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = now + claimFor });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var claimed = new List<FleetKey>();
        while (await reader.ReadAsync(cancel))
            claimed.Add(new FleetKey(reader.GetString(0), reader.GetString(1)));
        return claimed;
    }
}
