using System.Diagnostics;
using Platform.Domain.Allocation;
using Platform.Domain.Estimation;
using Platform.Domain.Snapshots;

namespace Platform.Cli.Benchmarks;

/// <summary>
/// Parts of a solve's arithmetic, from sums to decision, that are estimating and the optimiser. The rest decides, and
/// makes the snapshot.
/// </summary>
/// <param name="Revised">Whether it makes a new version; otherwise it confirms the one in force.</param>
/// <param name="Estimating">Part that is the estimator.</param>
/// <param name="Solving">Part that is the optimiser.</param>
internal sealed record DerivingShares(bool Revised, double Estimating, double Solving)
{
    private const int Kinds = 20;

    // A program that has run for less is still being compiled with more care.
    private static readonly TimeSpan Before = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(2);

    /// <summary>Measures them apart from the sweep, on the same fleets, in this process.</summary>
    public static DerivingShares Measure(bool revised)
    {
        var fleets = Enumerable.Range(0, Kinds).Select(kind => Fleet(kind, revised)).ToArray();
        var (estimating, solving, whole) = (0L, 0L, 0L);
        var begun = Stopwatch.GetTimestamp();
        for (var i = 0; Stopwatch.GetElapsedTime(begun) < Before + Measured; i++)
        {
            var (inputs, previous) = fleets[i % Kinds];
            var start = Stopwatch.GetTimestamp();
            SolvePolicy.Solve(inputs, previous);
            var solved = Stopwatch.GetTimestamp();
            var estimate = Estimator.Estimate(inputs.Definition, inputs.Sums, inputs.SolvedAt);
            var estimated = Stopwatch.GetTimestamp();
            var problem = ProblemBuilder.Build(inputs.Definition, estimate);
            var built = Stopwatch.GetTimestamp();
            var steps = AllocationSolver.SolveInSteps(problem);
            if (revised)
                steps.Whole();
            var end = Stopwatch.GetTimestamp();
            if (Stopwatch.GetElapsedTime(begun) > Before)
                (estimating, solving, whole) = (
                    estimating + estimated - solved,
                    solving + end - built,
                    whole + solved - start
                );
        }

        return new DerivingShares(revised, (double)estimating / whole, (double)solving / whole);
    }

    private static (SnapshotInputs Inputs, PreviousAllocation Previous) Fleet(int kind, bool revised)
    {
        var inputs = new SnapshotInputs
        {
            Tenant = "benchmark",
            Fleet = $"fleet-{kind}",
            Definition = SweepFleets.Definition(kind),
            DefinitionRevision = 1,
            Sums = WorkloadSums.FromBytes(SweepFleets.History(kind)),
            WorkloadVersion = 1,
            SolvedAt = SnapshotDerivation.Instant(TimeProvider.System.GetUtcNow(), null),
        };
        var first = ((SolveOutcome.Published)SolvePolicy.Solve(inputs, null)).Snapshot;
        var summary = AllocationSummary.Of(first) with { DefinitionRevision = revised ? 0 : 1 };
        return (
            inputs,
            new PreviousAllocation
            {
                Version = 1,
                Hash = AllocationSnapshot.HashOf(first.ToCanonicalBytes()),
                Summary = summary,
            }
        );
    }
}
