using Npgsql;

namespace Platform.Persistence.Solving;

/// <summary>A fleet and its tenant.</summary>
/// <param name="Tenant">The tenant's id.</param>
/// <param name="Fleet">The fleet's id.</param>
public sealed record FleetKey(string Tenant, string Fleet);

/// <summary>
/// Fleets that nobody else solves while this is held. It lives on a connection of its own: when its process dies, the database lets go of
/// it at once. It only saves work; what two solve at the same time, the versions decide.
/// </summary>
public sealed class FleetClaim : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;

    internal FleetClaim(NpgsqlConnection connection, IReadOnlyList<FleetKey> fleets) => (_connection, Fleets) = (connection, fleets);

    /// <summary>The fleets, the longest due first.</summary>
    public IReadOnlyList<FleetKey> Fleets { get; }

    /// <summary>Lets go of the fleets.</summary>
    public async ValueTask DisposeAsync()
    {
        // Not left to the connection's reset, which comes only when the pool hands it out again.
        await using (_connection)
        await using (var release = new NpgsqlCommand("select pg_advisory_unlock_all()", _connection))
            await release.ExecuteNonQueryAsync();
    }
}

/// <summary>The fleets whose time to be solved has come, over all tenants.</summary>
public sealed class DueFleets(PlatformStore store)
{
    /// <summary>How many due fleets are looked at to find those that nobody else holds: more than all sweeps together hold.</summary>
    private const int Candidates = 10_000;

    // The locks are taken row by row as the limit asks for them; in the inner query they would be taken for every candidate.
    private const string Claim = """
        with due as materialized (
            select tenant_id, fleet_id from platform.due_fleets($1, $3))
        select tenant_id, fleet_id from due
        where pg_try_advisory_lock(hashtext('platform.fleets'), hashtext(tenant_id || '/' || fleet_id)) limit $2
        """;

    /// <summary>Claims due fleets that nobody else holds, the longest due first.</summary>
    /// <param name="now">The moment that counts.</param>
    /// <param name="limit">Most fleets to claim.</param>
    /// <param name="cancel">Gives up; nothing is claimed then.</param>
    public async Task<FleetClaim> ClaimAsync(DateTimeOffset now, int limit, CancellationToken cancel)
    {
        var connection = await store.DataSource.OpenConnectionAsync(cancel);
        try
        {
            return new FleetClaim(connection, await LockAsync(connection, now, limit, cancel));
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static async Task<List<FleetKey>> LockAsync(NpgsqlConnection connection, DateTimeOffset now, int limit, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Claim, connection);
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = now });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Candidates });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var claimed = new List<FleetKey>();
        while (await reader.ReadAsync(cancel))
            claimed.Add(new FleetKey(reader.GetString(0), reader.GetString(1)));
        return claimed;
    }
}
