using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Platform.Domain.Contracts;
using Platform.Domain.Ingestion;
using Platform.Domain.Snapshots;
using Platform.Persistence.Fleets;

namespace Platform.Persistence.Solving;

/// <summary>
/// Watches the fleets whose windows this process stores, and brings a fleet's solve forward when they are not what the
/// last one expected. One for a process. It remembers nothing that matters: another process, or this one after a crash,
/// begins anew and sees the same in the next windows.
/// </summary>
public sealed class EarlySolves(PlatformStore store)
{
    /// <summary>Fleets that are remembered. Beyond, all are forgotten.</summary>
    internal const int MostFleets = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<FleetKey, Watched> _fleets = [];

    /// <summary>
    /// Takes windows of one fleet into account that were stored together, and brings its solve forward if they ask for
    /// it.
    /// </summary>
    /// <param name="key">The fleet.</param>
    /// <param name="standing">The fleet's last solve, as it was when the windows were stored.</param>
    /// <param name="windows">The windows.</param>
    /// <param name="now">The moment that a solve is brought forward to.</param>
    /// <param name="cancel">Gives up.</param>
    internal async Task ObserveAsync(
        FleetKey key,
        SolveStanding standing,
        IReadOnlyList<WorkloadWindow> windows,
        DateTimeOffset now,
        CancellationToken cancel
    )
    {
        if (Decide(key, standing, windows) is not var (excess, expectation))
            return;
        await BringForwardAsync(key, standing.SolvedAt, excess, expectation, now, cancel);
        lock (_gate)
        {
            // Only now: had it failed, the next windows would ask again.
            if (_fleets.TryGetValue(key, out var fleet) && fleet.SolvedAt == standing.SolvedAt)
                fleet.Watch.Expect(null);
        }
    }

    private (WorkloadExcess Excess, WorkloadExpectation Expectation)? Decide(
        FleetKey key,
        SolveStanding standing,
        IReadOnlyList<WorkloadWindow> windows
    )
    {
        lock (_gate)
        {
            if (!_fleets.TryGetValue(key, out var fleet))
            {
                if (_fleets.Count == MostFleets)
                    _fleets.Clear();
                _fleets.Add(key, fleet = new Watched());
            }

            if (standing.SolvedAt > fleet.SolvedAt)
            {
                fleet.SolvedAt = standing.SolvedAt;
                fleet.Watch.Expect(Read(standing.Expectation));
            }

            return fleet.Watch.Observe(windows) is { } excess ? (excess, fleet.Watch.Expectation!) : null;
        }
    }

    private async Task BringForwardAsync(
        FleetKey key,
        DateTimeOffset solvedAt,
        WorkloadExcess excess,
        WorkloadExpectation expectation,
        DateTimeOffset now,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(key.Tenant, cancel);
        // Locked against a solve that is being written, which would put the fleet off to its next period.
        await session.LockAsync([EventStore.FleetStream(key.Tenant, key.Fleet)], cancel);
        var row = await session.Rows.Fleets.SingleOrDefaultAsync(
            row => row.FleetId == key.Fleet && row.RetiredAt == null,
            cancel
        );
        if (row is not { SolvedAt: { } lastSolvedAt })
            return;
        if (lastSolvedAt != solvedAt && !IsUnstableStill(row, expectation, excess))
            return;
        if (excess.Reason == SolveReason.Instability)
            row.Alarm = LoadAlarm.Raise(row.Alarm, expectation, excess, now);
        else if (excess.IsLess)
            row.Alarm = null;
        var earliest = SolvePolicy.EarliestNext(lastSolvedAt, row.SolveReason, excess.Reason, row.Definition.Solving);
        var at = earliest > now ? earliest : now;
        if (at < row.DueAt)
            (row.DueAt, row.DueReason) = (at, excess.Reason);
        await session.CommitAsync(cancel);
    }

    /// <summary>
    /// Whether what was seen is too much for the allocation of a solve that came meanwhile too. That one may have read
    /// the windows already, and need not have made much of them: the estimate follows a change slowly.
    /// </summary>
    private static bool IsUnstableStill(FleetRow row, WorkloadExpectation then, WorkloadExcess excess)
    {
        if (excess.Reason != SolveReason.Instability || Read(row.Expectation) is not { FleetArrivalRate: > 0 } now)
            return false;
        var arrivals = then.FleetArrivalRate * excess.ArrivalFactor / now.FleetArrivalRate;
        var service = then.ServiceFactor * excess.ServiceFactor / now.ServiceFactor;
        return now.Utilization * Math.Max(arrivals, 1) * Math.Max(service, 1) >= 1;
    }

    private static WorkloadExpectation? Read(string? stored)
    {
        try
        {
            return stored is null ? null : JsonSerializer.Deserialize<WorkloadExpectation>(stored, StrictJson.Options);
        }
        catch (JsonException)
        {
            // Another version has written it; the next solve writes it anew.
            return null;
        }
    }

    private sealed class Watched
    {
        public DateTimeOffset SolvedAt { get; set; } = DateTimeOffset.MinValue;

        public WorkloadWatch Watch { get; } = new();
    }
}

/// <summary>A fleet's last solve.</summary>
/// <param name="SolvedAt">When it was.</param>
/// <param name="Expectation">The windows that it expects, or null.</param>
internal sealed record SolveStanding(DateTimeOffset SolvedAt, string? Expectation);
