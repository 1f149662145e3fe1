using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;
using Platform.Domain.Tests.Estimation;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Snapshots;

/// <summary>What chance excuses where traffic moves, and what not.</summary>
public sealed class TrafficMovedTests
{
    /// <summary>Windows that the horizon holds.</summary>
    private const int Count = 60;

    private const int WindowSeconds = 30;

    private static readonly FleetDefinition Definition = Definitions.Fleet() with
    {
        Servers = 8,
        ArrivalRate = 0.6,
        Objective = new FleetObjective { AccuracyWeight = 60, MaxUtilization = 0.9 },
    };

    private static readonly SnapshotInputs Inputs = InputsOf(Definition);

    private static readonly DerivedAllocation Derived = SnapshotDerivation.Derive(
        Inputs,
        null,
        DerivationVersions.Current
    );

    private static readonly double Rate = Derived.Problem.ArrivalRate;

    private static readonly double Error = Derived.Estimate.ArrivalRate.StandardError;

    [Theory]
    [InlineData(0, false)]
    [InlineData(3.9, false)]
    [InlineData(-3.9, false)]
    [InlineData(4.1, true)]
    [InlineData(-4.1, true)]
    public void A_gain_that_is_likely_is_published_where_the_rate_has_moved(double errors, bool isPublished) =>
        Assert.Equal(isPublished, IsPublished(Previous(Likely(), Rate + (errors * Error))));

    [Fact]
    public void A_gain_that_chance_makes_is_not_published_wherever_the_rate_has_moved() =>
        Assert.False(IsPublished(Previous(Near(), Rate / 2)));

    [Fact]
    public void A_version_that_does_not_say_its_rate_is_held_against_chance() =>
        Assert.False(IsPublished(Previous(Likely(), null)));

    [Fact]
    public void The_best_allocation_stays_wherever_the_rate_has_moved() =>
        Assert.False(IsPublished(Previous(Best(), Rate / 2)));

    [Fact]
    public void The_minimum_gain_holds_where_the_rate_has_moved()
    {
        var demanding = Definition with { Solving = Definition.Solving with { MinimumGain = 1_000 } };
        Assert.False(IsPublished(Previous(Likely(), Rate / 2), InputsOf(demanding)));
    }

    [Fact]
    public void Twice_the_windows_count_where_the_horizon_holds_them()
    {
        var previous = Previous(Likely(), Rate);
        Assert.False(IsPublished(Knowing(previous, 100_000), Inputs with { WorkloadVersion = 1_000_000 }));
        Assert.False(IsPublished(Knowing(previous, (Count / 2) + 1)));
        Assert.True(IsPublished(Knowing(previous, Count / 2)));
    }

    [Fact]
    public void Servers_half_way_from_their_cap_to_saturation_are_no_chance()
    {
        // Gains are no reason here: only the limit is.
        var definition = Definition with
        {
            Solving = Definition.Solving with { MinimumGain = 1e300 },
        };
        var inputs = InputsOf(definition);
        Assert.False(IsPublished(Previous(AtUtilization(0.945), Rate), inputs));
        Assert.True(IsPublished(Previous(AtUtilization(0.955), Rate), inputs));
    }

    [Fact]
    public void Without_a_cap_chance_excuses_up_to_saturation()
    {
        var definition = Definition with
        {
            Objective = Definition.Objective with { MaxUtilization = null },
            Solving = Definition.Solving with { MinimumGain = 1e300 },
        };
        var inputs = InputsOf(definition);
        Assert.False(IsPublished(Previous(AtUtilization(0.99), Rate), inputs));
        Assert.True(IsPublished(Previous(AtUtilization(1.01), Rate), inputs));
    }

    [Fact]
    public void The_doubt_about_the_rate_excuses_a_five_hundredth_of_what_tokens_bring()
    {
        long[] heavy = AtUtilization(0.93);
        var inForce = new AllocationInForce(Inputs, Derived, heavy);
        var model = new AllocationModel(Derived.Problem);
        var worth = Derived.Solution.Objective!.Value - WholeTokenFigures.Of(model, model.WholeLower).Objective;
        var prior = Estimator.Estimate(
            Definition,
            new WorkloadSums(Definition.Solving.HorizonSeconds),
            Inputs.SolvedAt
        );
        var ofHeavy = EstimateSensitivity.OfObjective(Derived.Problem, heavy);
        var difference = EstimateSensitivity.OfObjective(Derived.Problem, Best()).Minus(ofHeavy);
        var atGivenRate = difference.AtGivenRate().Noise(Derived.Estimate, prior);
        Assert.True(difference.Noise(Derived.Estimate, prior) > atGivenRate + (0.002 * worth));
        Assert.Equal(atGivenRate + (0.002 * worth), inForce.GainByChance(1), 9);
    }

    [Fact]
    public void A_summary_from_before_the_rate_was_kept_is_that_of_its_snapshot()
    {
        var snapshot = Derived.Snapshot!;
        var document = snapshot.ToCanonicalBytes();
        var summary = AllocationSummary.Of(snapshot);
        Assert.Equal(Rate, summary.ArrivalRate);
        Assert.Equal(Rate, AllocationSummary.OfDocument(document).ArrivalRate);
        Assert.True(AllocationSummary.IsOf(summary.ToBytes(), document));
        Assert.True(AllocationSummary.IsOf((summary with { ArrivalRate = null }).ToBytes(), document));
        Assert.False(AllocationSummary.IsOf((summary with { ArrivalRate = Rate + 1 }).ToBytes(), document));
        Assert.False(AllocationSummary.IsOf((summary with { DefinitionRevision = 2 }).ToBytes(), document));
    }

    private static bool IsPublished(PreviousAllocation previous, SnapshotInputs? inputs = null) =>
        SolvePolicy.Solve(inputs ?? Inputs, previous) is SolveOutcome.Published;

    private static PreviousAllocation Knowing(PreviousAllocation previous, long windows) =>
        previous with
        {
            Summary = previous.Summary with { WorkloadVersion = windows },
        };

    private static PreviousAllocation Previous(long[] tokens, double? rate) =>
        new()
        {
            Version = 4,
            Hash = "previous-hash",
            Summary = new AllocationSummary
            {
                DefinitionRevision = 1,
                WorkloadVersion = Count,
                Tokens = new Dictionary<string, long> { ["math"] = tokens[0], ["chat"] = tokens[1] },
                ArrivalRate = rate,
            },
        };

    private static long[] Best() => [.. Derived.Solution.Allocation!.Select(type => type.Tokens)];

    /// <summary>Tokens that are a little worse than the best, within what half a deviation of chance makes.</summary>
    private static long[] Near() => Worse(0.25);

    /// <summary>Tokens whose gain is likely and not sure.</summary>
    private static long[] Likely() => Worse(1);

    /// <summary>More tokens than the best, up to so many deviations of chance.</summary>
    private static long[] Worse(double deviations)
    {
        var best = Best();
        for (var added = 1; added < 10_000; added++)
        {
            long[] tokens = [best[0] + added, best[1]];
            var inForce = new AllocationInForce(Inputs, Derived, tokens);
            if (inForce.Gain >= deviations * inForce.GainByChance(1))
                return tokens;
        }

        throw new InvalidOperationException("There are no such tokens.");
    }

    /// <summary>Tokens that make the servers so busy at the rate that an allocation must carry.</summary>
    private static long[] AtUtilization(double utilization)
    {
        var model = new AllocationModel(Derived.Problem);
        var tokens = Best();
        while (1 - WholeTokenFigures.Of(model, tokens).Idle < utilization)
            tokens[0]++;
        return tokens;
    }

    private static SnapshotInputs InputsOf(FleetDefinition definition)
    {
        var sums = new WorkloadSums(definition.Solving.HorizonSeconds);
        var random = new Random(5);
        for (var i = 0; i < Count; i++)
            sums.Fold(
                Windows.Of(WindowSeconds * i, WindowSeconds * (i + 1), Task("math", random), Task("chat", random))
            );
        return new SnapshotInputs
        {
            Tenant = "acme",
            Fleet = "chat",
            Definition = definition,
            DefinitionRevision = 1,
            Sums = sums,
            WorkloadVersion = Count,
            SolvedAt = Windows.Start.AddSeconds(WindowSeconds * Count),
        };
    }

    /// <summary>Some queries of both lengths, about the definition's rate in all, with a verdict each.</summary>
    private static TaskWindow Task(string id, Random random)
    {
        var type = Definition.TaskTypes.Single(it => it.Id == id);
        var queries = new (long Tokens, long Millis)[random.Next(5, 14)];
        for (var i = 0; i < queries.Length; i++)
        {
            var tokens = i % 2 == 0 ? 200 : 400;
            var seconds = type.Service.BaseSeconds + (type.Service.SecondsPerToken * tokens);
            queries[i] = (tokens, (long)(1_000 * seconds * (0.6 + (0.8 * random.NextDouble()))));
        }

        return Windows.Served(id, queries) with
        {
            Accuracy =
            [
                Verdicts(type, 200, (queries.Length + 1) / 2, random),
                Verdicts(type, 400, queries.Length / 2, random),
            ],
        };
    }

    private static AccuracyCount Verdicts(TaskType type, long tokens, int trials, Random random)
    {
        var curve = type.Accuracy;
        var right = curve.Floor + (curve.Gain * (1 - Math.Exp(-curve.RatePerToken * tokens)));
        var correct = Enumerable.Range(0, trials).Count(_ => random.NextDouble() < right);
        return new AccuracyCount
        {
            Tokens = tokens,
            Trials = trials,
            Correct = correct,
        };
    }
}
