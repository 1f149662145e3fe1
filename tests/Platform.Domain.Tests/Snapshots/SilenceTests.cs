using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;
using Platform.Domain.Tests.Estimation;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Snapshots;

/// <summary>
/// A fleet of which nobody tells anything keeps what it was granted; one that says that nothing came does not.
/// </summary>
public sealed class SilenceTests
{
    private const int Horizon = 21_600;

    private static readonly FleetDefinition Definition = Definitions.Fleet();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Silence_keeps_the_allocation_and_quiet_does_not(bool isSilent)
    {
        var sums = new WorkloadSums(Horizon);
        Tell(sums, 0, 3_600, arrivals: 6);
        var first = Assert.IsType<SolveOutcome.Published>(Solve(sums, 3_600, null, 60)).Snapshot;
        if (!isSilent)
            Tell(sums, 3_600, 10_800, arrivals: 0);

        var outcome = Solve(sums, 10_800, Previous(first, knowsAll: isSilent), isSilent ? 60 : 180);
        Assert.Equal(isSilent, outcome is SolveOutcome.Confirmed);
        if (outcome is SolveOutcome.Published { Snapshot: var quiet })
            Assert.True(quiet.Problem.ArrivalRate < first.Problem.ArrivalRate / 10, "nothing came, and that is known");
    }

    [Fact]
    public void After_a_silence_the_rate_before_it_is_not_taken_for_the_one_since()
    {
        var sums = new WorkloadSums(Horizon);
        Tell(sums, 0, 3_600, arrivals: 6);
        Tell(sums, 14_400, 14_520, arrivals: 60);
        var rate = Estimator.Estimate(Definition, sums, Windows.Start.AddSeconds(14_520)).ArrivalRate;
        Assert.InRange(1.0, rate.Lower, rate.Upper);
        Assert.True(rate.Value > 0.8, $"{rate.Value} where one a second came, and a tenth of it before");
    }

    private static void Tell(WorkloadSums sums, int from, int to, int arrivals)
    {
        for (var second = from; second < to; second += 60)
            sums.Fold(Windows.Of(second, second + 60, Windows.Arrivals("math", arrivals)));
    }

    private static SolveOutcome Solve(WorkloadSums sums, int second, PreviousAllocation? previous, long version) =>
        SolvePolicy.Solve(
            new SnapshotInputs
            {
                Tenant = "acme",
                Fleet = "chat",
                Definition = Definition,
                DefinitionRevision = 1,
                Sums = sums,
                WorkloadVersion = version,
                SolvedAt = Windows.Start.AddSeconds(second),
            },
            previous
        );

    private static PreviousAllocation Previous(AllocationSnapshot snapshot, bool knowsAll)
    {
        var bytes = snapshot.ToCanonicalBytes();
        return new PreviousAllocation
        {
            Version = snapshot.Version,
            Hash = AllocationSnapshot.HashOf(bytes),
            Summary = AllocationSummary.OfDocument(bytes),
            KnowsAllWindows = knowsAll,
        };
    }
}
