using System.Data;
using System.Runtime.CompilerServices;
using Npgsql;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;

namespace Platform.Persistence.Solving;

/// <summary>Reads what solves need and writes what they came to, for many fleets of one tenant at a time.</summary>
public sealed class SolveStore(PlatformStore store)
{
    private const string KeyOfVersions = "pk_allocation_snapshots";

    // The definition may be what is wrong with the fleet: of it nothing is read but the period, if it has one.
    private const string Postpone = """
        update platform.fleets
        set solve_fault = $5, due_reason = $7, due_at = $4::timestamptz + make_interval(secs =>
            case when jsonb_typeof(definition #> '{solving,everySeconds}') = 'number' then (definition #>> '{solving,everySeconds}')::float8 else $6 end)
        where tenant_id = $1 and fleet_id = $2 and retired_at is null and due_at <= $3
        """;

    /// <summary>
    /// Loads fleets of one tenant, with their windows folded, one after the other; those that are gone are left out.
    /// The sums of a fleet that is done with should not be kept: they are nearly all of the memory.
    /// </summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="fleets">Ids of its fleets, each once.</param>
    /// <param name="now">Windows that are too old to count at this instant need not be read.</param>
    /// <param name="clock">Learns what the time was spent on.</param>
    /// <param name="cancel">Gives up.</param>
    public async IAsyncEnumerable<LoadedFleet> LoadAsync(
        string tenant,
        IReadOnlyList<string> fleets,
        DateTimeOffset now,
        SolveClock clock,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        // Repeatable: sums that another solve stores between two statements would hide the windows that are in them.
        await using var session = await store.OpenAsync(tenant, IsolationLevel.RepeatableRead, cancel);
        await foreach (var loaded in new SolveReading(session, now, clock).RunAsync(fleets, cancel))
            yield return loaded;
    }

    /// <summary>
    /// Writes snapshot rows, events, sums and the fleets' standing in one transaction. What another solve or a revision
    /// has overtaken is not written, and nothing is lost by that.
    /// </summary>
    /// <param name="results">Results for fleets of one tenant, at least one and each fleet once.</param>
    /// <param name="cancel">Gives up; nothing is written then.</param>
    /// <returns>The results that were written.</returns>
    /// <exception cref="PostgresException">The unique key on versions has refused one of several: write them one by
    /// one.</exception>
    public async Task<IReadOnlyList<SolveResult>> CommitAsync(
        IReadOnlyList<SolveResult> results,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(results[0].Basis.Key.Tenant, cancel);
        try
        {
            var written = await new SolveWriting(session).RunAsync(results, cancel);
            await session.CommitAsync(cancel);
            return written;
        }
        catch (PostgresException fault)
            when (results.Count == 1
                && fault is { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: KeyOfVersions }
            )
        {
            // The unique key on (tenant, fleet, version) decides a race that the lock has not prevented.
            return [];
        }
    }

    /// <summary>
    /// Says of a fleet that cannot carry its arrivals how many they are, and which window or time has most of them: see
    /// <see cref="Overload"/>. Other results stay as they are.
    /// </summary>
    public async Task<SolveResult> ExplainAsync(SolveResult result, CancellationToken cancel)
    {
        if (result.Outcome is not { Overload: { } overload, Fault: { } fault })
            return result;
        var heaviest = await FindHeaviestAsync(result.Basis, overload, cancel);
        var explanation = overload.Describe(result.Basis.Key.Fleet, heaviest);
        return result with { Outcome = result.Outcome with { Fault = $"{fault}; {explanation}" } };
    }

    private async Task<HeaviestWindow?> FindHeaviestAsync(SolveBasis basis, Overload overload, CancellationToken cancel)
    {
        if (overload.Stretch is not { } stretch)
            return null;
        await using var session = await store.OpenAsync(basis.Key.Tenant, cancel);
        try
        {
            var history = new WindowHistory(session, basis.Key.Fleet);
            return await history.FindHeaviestAsync(stretch, basis.WorkloadVersion + 1, cancel);
        }
        catch (FormatException)
        {
            // A window that cannot be read keeps nobody from hearing of the overload.
            return null;
        }
    }

    /// <summary>
    /// Puts a fleet that cannot be solved off until its next period, and says why; not one that was revised, or asked
    /// to be solved, since it was found due.
    /// </summary>
    public async Task PostponeAsync(
        FleetKey key,
        string fault,
        DateTimeOffset foundDueAt,
        DateTimeOffset at,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(key.Tenant, cancel);
        await session.LockAsync([EventStore.FleetStream(key.Tenant, key.Fleet)], cancel);
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(Postpone)
            {
                Parameters =
                {
                    new() { Value = key.Tenant },
                    new() { Value = key.Fleet },
                    new() { Value = foundDueAt },
                    new() { Value = at },
                    new() { Value = fault },
                    new() { Value = new SolvingPolicy().EverySeconds },
                    new() { Value = SolveReasonNames.NameOf(SolveReason.Periodic) },
                },
            }
        );
        await batch.ExecuteNonQueryAsync(cancel);
        await session.CommitAsync(cancel);
    }
}
