using System.Text;
using Platform.Domain.Allocation;
using Platform.Domain.Estimation;
using Platform.Domain.Snapshots;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Snapshots;

/// <summary>
/// One snapshot as it was written on the day the format was fixed. Auditors compare hashes of what was written long
/// ago: when this test fails, the format has changed, and stored snapshots no longer match what is derived again.
/// </summary>
public sealed class AllocationSnapshotTests
{
    private const string PinnedHash = "b459b25b2c47529bb7e3c8e92ff4fdd19abf759296aa0aa4f50da3fe21df7fd2";

    [Fact]
    public void The_canonical_bytes_are_those_of_the_stored_example() =>
        Assert.Equal(File.ReadAllText(Example, Encoding.UTF8), Encoding.UTF8.GetString(Snapshot().ToCanonicalBytes()));

    [Fact]
    public void The_hash_is_that_of_the_stored_example()
    {
        Assert.Equal(PinnedHash, AllocationSnapshot.HashOf(Snapshot().ToCanonicalBytes()));
        Assert.Equal(PinnedHash, AllocationSnapshot.HashOf(File.ReadAllBytes(Example)));
    }

    [Fact]
    public void The_stored_example_has_its_summary()
    {
        var summary = AllocationSummary.OfDocument(File.ReadAllBytes(Example));
        Assert.Equal(3, summary.DefinitionRevision);
        Assert.Equal(new Dictionary<string, long> { ["math"] = 812, ["chat"] = 96 }, summary.Tokens);
        Assert.Equal(summary.ToBytes(), AllocationSummary.Of(Snapshot()).ToBytes());
    }

    private static string Example => Path.Combine(AppContext.BaseDirectory, "Snapshots", "snapshot-example.json");

    // Figures made up to show every member, and told apart from one another: what is pinned is the format, not the
    // solver.
    private static AllocationSnapshot Snapshot() =>
        new()
        {
            Tenant = "acme",
            Fleet = "chat-eu",
            Version = 2,
            SolvedAt = new DateTimeOffset(2026, 11, 23, 10, 0, 0, 250, TimeSpan.Zero),
            Provenance = new Provenance
            {
                DefinitionRevision = 3,
                WorkloadVersion = 1_234,
                Estimator = "estimator/1",
                Solver = "dual-newton/1",
                ProblemHash = new string('b', 64),
                PreviousHash = new string('a', 64),
            },
            Problem = new AllocationProblem
            {
                ArrivalRate = 0.1,
                Servers = 2,
                AccuracyWeight = 30,
                MaxUtilization = 0.95,
                TaskTypes =
                [
                    Definitions.Math with
                    {
                        AccuracyFloor = 0.25,
                    },
                    Definitions.Chat with
                    {
                        Weight = 0.5,
                        MinTokens = 16,
                    },
                ],
            },
            Solution = new AllocationSolution
            {
                Status = SolutionStatus.Optimal,
                Objective = 10.6,
                MeanAccuracy = 0.71,
                WeightedAccuracy = 0.7000000000000001,
                MeanSystemTimeSeconds = 4.1,
                Utilization = 1.0 / 3,
                MeanServiceSeconds = 3.1,
                MeanServiceSecondsSquared = 14.2,
                MeanTokens = 96.4,
                Allocation =
                [
                    new TaskAllocation("math", 812, 811.6031, 0.74, 16.6, TokenBound.None),
                    new TaskAllocation("chat", 96, 96, 0.61, 2.12, TokenBound.Lower),
                ],
                Continuous = new ContinuousOptimum(10.60002, 3e-16, 2e-14),
                Rounding = new Rounding(RoundingMethod.Exact, 1.2e-5, 1.3e-5, true, 10.59998),
                ShadowPrices = new ShadowPrices(0, 1e-7, 1e21),
                Uniform = new UniformAllocation(240, 9.87),
                Diagnostics = new SolverDiagnostics(SolverMethod.Newton, 5, 8.2, null, SolverExit.Converged),
            },
            Validity = new SnapshotValidity(
                new ModelValidity
                {
                    TimescaleSeconds = 338,
                    Burstiness = new ValidityCheck(13.5, 40.25, true),
                    ArrivalDrift = new ValidityCheck(1.125, 2.5, false),
                    Adherence = new ValidityCheck(0.75, null, true),
                    Staleness = new ValidityCheck(12, 1.5, false),
                },
                new Dictionary<string, TaskTypeValidity>
                {
                    ["math"] = new()
                    {
                        ShareDispersion = new ValidityCheck(1.0625, 0.5, false),
                        ServiceSpread = new ValidityCheck(0.25, 0.125, true),
                        Adherence = new ValidityCheck(0.8125, null, true),
                        CurveMisfit = new ValidityCheck(null, null, false),
                        Convexity = new ValidityCheck(null, null, false),
                        ArrivalDrift = new ValidityCheck(0.9375, -1, false),
                        ServiceDrift = new ValidityCheck(-0.5, -2, false),
                        AccuracyDrift = new ValidityCheck(0.03125, 1.75, false),
                    },
                }
            ),
        };
}
