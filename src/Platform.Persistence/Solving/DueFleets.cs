using System.Runtime.ExceptionServices;
using Npgsql;

namespace Platform.Persistence.Solving;

/// <summary>A fleet and its tenant.</summary>
/// <param name="Tenant">The tenant's id.</param>
/// <param name="Fleet">The fleet's id.</param>
public sealed record FleetKey(string Tenant, string Fleet);

/// <summary>
/// Fleets that nobody else solves while this is held. It lives on a connection of its own to each database: when its
/// process dies, the database lets go of it at once. It only saves work; what two solve at the same time, the versions
/// decide.
/// </summary>
public sealed class FleetClaim : IAsyncDisposable
{
    private readonly List<NpgsqlConnection> _connections = [];
    private readonly List<FleetKey> _fleets = [];

    internal FleetClaim() { }

    /// <summary>The fleets, of each database those of one tenant together.</summary>
    public IReadOnlyList<FleetKey> Fleets => _fleets;

    /// <summary>Lets go of the fleets.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
        {
            try
            {
                // Not left to the connection's reset, which comes only when the pool hands it out again.
                await using var release = new NpgsqlCommand("select pg_advisory_unlock_all()", connection);
                await release.ExecuteNonQueryAsync();
            }
            catch (Exception fault) when (PlatformStore.IsTransient(fault))
            {
                // The locks go with the connection; those of the others are still to be let go of.
            }
            finally
            {
                await connection.DisposeAsync();
            }
        }
    }

    internal void Add(NpgsqlConnection connection, IEnumerable<FleetKey> fleets)
    {
        _connections.Add(connection);
        _fleets.AddRange(fleets);
    }
}

/// <summary>The fleets whose time to be solved has come, over all tenants.</summary>
public sealed class DueFleets(PlatformStore store)
{
    /// <summary>
    /// How many due fleets are looked at to find those that nobody else holds, and that are of one tenant: more than
    /// all sweeps together hold.
    /// </summary>
    private const int Candidates = 10_000;

    /// <summary>
    /// Fleets of a tenant that are claimed one after the other, by the one of them that is due the longest, because
    /// they are read and written together: beyond that nothing is saved, memory and a lost transaction grow, and the
    /// other tenants' fleets would wait.
    /// </summary>
    public const int Together = 100;

    // The locks are taken row by row as the limit asks for them; in the inner queries they would be taken for every
    // candidate.
    private const string Claim = """
        with due as materialized (
            select tenant_id, fleet_id from (
                select tenant_id, fleet_id, position, min(position) over (partition by tenant_id, nth / $4) as first from (
                    select tenant_id, fleet_id, position, row_number() over (partition by tenant_id order by position) - 1 as nth
                    from platform.due_fleets($1, $3) with ordinality as d(tenant_id, fleet_id, position)) as numbered) as grouped
            order by first, position)
        select tenant_id, fleet_id from due
        where pg_try_advisory_lock(hashtext('platform.fleets'), hashtext(tenant_id || '/' || fleet_id)) limit $2
        """;

    /// <summary>
    /// Claims due fleets that nobody else holds, of each database from among those that are due the longest, those of
    /// one tenant together. Of a database that is away none is due.
    /// </summary>
    /// <param name="now">The moment that counts.</param>
    /// <param name="limit">Most fleets of a database to claim.</param>
    /// <param name="cancel">Gives up; nothing is claimed then.</param>
    /// <exception cref="NpgsqlException">All are away.</exception>
    public async Task<FleetClaim> ClaimAsync(DateTimeOffset now, int limit, CancellationToken cancel)
    {
        var claim = new FleetClaim();
        var faults = new List<Exception>();
        foreach (var database in store.Databases.All)
        {
            try
            {
                await ClaimAsync(claim, database.Source, now, limit, cancel);
            }
            catch (Exception fault) when (PlatformStore.IsTransient(fault))
            {
                faults.Add(fault);
            }
            catch
            {
                await claim.DisposeAsync();
                throw;
            }
        }

        if (faults.Count == store.Databases.All.Count)
            ExceptionDispatchInfo.Throw(faults[0]);
        return claim;
    }

    private static async Task ClaimAsync(
        FleetClaim claim,
        NpgsqlDataSource database,
        DateTimeOffset now,
        int limit,
        CancellationToken cancel
    )
    {
        var connection = await database.OpenConnectionAsync(cancel);
        try
        {
            claim.Add(connection, await LockAsync(connection, now, limit, cancel));
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static async Task<List<FleetKey>> LockAsync(
        NpgsqlConnection connection,
        DateTimeOffset now,
        int limit,
        CancellationToken cancel
    )
    {
        await using var command = new NpgsqlCommand(Claim, connection);
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = now });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Candidates });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Together });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var claimed = new List<FleetKey>();
        while (await reader.ReadAsync(cancel))
            claimed.Add(new FleetKey(reader.GetString(0), reader.GetString(1)));
        return claimed;
    }
}
