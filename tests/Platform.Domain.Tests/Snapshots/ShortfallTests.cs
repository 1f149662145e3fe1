using Platform.Domain.Allocation;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Snapshots;

/// <summary>The fewest tokens, granted where no allocation keeps the limits.</summary>
public sealed class ShortfallTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    // 10 tokens of 0.02 s and 0.28 s: 0.48 s a query.
    private static readonly FleetDefinition Busy = Definitions.Fleet() with
    {
        ArrivalRate = 5,
        Servers = 2,
        TaskTypes = [Definitions.Math with { MinTokens = 10 }, Definitions.Chat with { MinTokens = 10 }],
    };

    [Fact]
    public void A_fleet_that_no_tokens_make_stable_gets_the_fewest_and_says_what_would_be_needed()
    {
        var snapshot = Derive(Busy).Snapshot!;
        Assert.Equal([10L, 10L], snapshot.Solution.Allocation!.Select(type => type.Tokens));
        var shortfall = snapshot.Shortfall!;
        Assert.Equal(
            (InfeasibilityReason.Unstable, 1.0, 5.0),
            (shortfall.Reason, shortfall.Limit, shortfall.ArrivalRate)
        );
        Assert.Equal(5 * 0.48 / 2, shortfall.Reached, 1e-12);
        Assert.Equal(2 / 0.48, shortfall.MaxArrivalRate!.Value, 1e-12);
        Assert.Equal(3, shortfall.ServersNeeded);
        Assert.Equal(0.98, snapshot.Solution.Utilization!.Value, 1e-12);
        Assert.True(
            double.IsFinite(snapshot.Solution.Objective!.Value + snapshot.Solution.MeanSystemTimeSeconds!.Value)
        );
        Assert.Equal(
            "unstable: the fewest tokens allowed carry at most 4.16667 arrivals per second; "
                + "3 servers, or at most 4.16667 arrivals per second, would keep every limit",
            shortfall.Describe()
        );
    }

    [Fact]
    public void A_cap_on_the_utilization_counts_for_what_would_be_needed_and_the_rate_that_is_carried_stays()
    {
        var capped = Busy with { ArrivalRate = 4, Objective = Busy.Objective with { MaxUtilization = 0.5 } };
        var snapshot = Derive(capped).Snapshot!;
        Assert.Equal((4.0, null), (snapshot.Problem.ArrivalRate, snapshot.Problem.MaxUtilization));
        Assert.Equal(
            (InfeasibilityReason.Unstable, 0.5, 4),
            (snapshot.Shortfall!.Reason, snapshot.Shortfall.Limit, snapshot.Shortfall.ServersNeeded)
        );
        Assert.Equal(1 / 0.48, snapshot.Shortfall.MaxArrivalRate!.Value, 1e-9);
    }

    [Fact]
    public void A_limit_on_time_that_cannot_be_kept_is_left_out_and_others_stay()
    {
        var limits = Busy.Objective with { MaxMeanSystemTimeSeconds = 0.6, MeanTokenBudget = 100 };
        var snapshot = Derive(Busy with { ArrivalRate = 3, Objective = limits }).Snapshot!;
        Assert.Equal((null, 100.0), (snapshot.Problem.MaxMeanSystemTimeSeconds, snapshot.Problem.MeanTokenBudget));
        Assert.Equal(InfeasibilityReason.MaxMeanSystemTime, snapshot.Shortfall!.Reason);
        Assert.Equal(snapshot.Solution.MeanSystemTimeSeconds!.Value, snapshot.Shortfall.Reached);
        Assert.InRange(snapshot.Shortfall.ServersNeeded!.Value, 3, 100);
    }

    [Fact]
    public void What_neither_servers_nor_less_traffic_mend_is_said()
    {
        var limits = Busy.Objective with { MeanTokenBudget = 9 };
        var shortfall = Derive(Busy with { ArrivalRate = 1, Objective = limits }).Snapshot!.Shortfall!;
        Assert.Equal((null, (int?)null), (shortfall.MaxArrivalRate, shortfall.ServersNeeded));
        Assert.Equal(
            "meanTokenBudget: the fewest tokens allowed have a mean of 10; "
                + "neither more servers nor less traffic would keep the limit of 9, only another limit",
            shortfall.Describe()
        );
    }

    /// <summary>Whatever the fleet: every figure finite, the fewest tokens, and exactly what would be needed.</summary>
    [Fact]
    public void Of_random_fleets_each_without_an_allocation_gets_the_fewest_tokens()
    {
        var random = new Random(20261130);
        var reasons = new Dictionary<InfeasibilityReason, int>();
        for (var i = 0; i < 2_000; i++)
        {
            var definition = RandomFleet(random);
            if (FleetDefinitionValidation.Validate(definition).Count > 0)
                continue;
            var derived = Derive(definition);
            if (derived.Shortfall is not { } shortfall)
                continue;
            reasons[shortfall.Reason] = reasons.GetValueOrDefault(shortfall.Reason) + 1;
            HoldsFewest(derived);
            HoldsNeed(derived.Asked, shortfall);
        }

        Assert.True(reasons.Count == 6 - 1 && reasons.Values.Min() >= 10, string.Join(", ", reasons));
    }

    /// <summary>
    /// The same fleets through the policy: the fewest tokens are published once, and left when there is room.
    /// </summary>
    [Fact]
    public void Of_random_fleets_none_keeps_what_is_unstable_and_none_publishes_the_fewest_twice()
    {
        var random = new Random(7);
        var (seen, overloaded) = (0, 0);
        while (seen < 300)
        {
            var calm = RandomFleet(random) with { ArrivalRate = 0.01 };
            if (
                FleetDefinitionValidation.Validate(calm).Count > 0
                || Solve(calm, null) is not SolveOutcome.Published { Snapshot: { Shortfall: null } first }
            )
                continue;
            seen++;
            var rush = calm with
            {
                ArrivalRate = 0.01 * Math.Pow(10, random.NextDouble() * 5),
                Solving = calm.Solving with { MinimumGain = 1e300 },
            };
            var before = LoadInForce.LoadOf(ProblemBuilder.OfDefinition(rush), Tokens(first));
            var outcome = Solve(rush, Previous(first));
            var isStill = outcome is not SolveOutcome.Published;
            Assert.True(before < 1 || !isStill, "what is unstable does not stay");
            if (outcome is not SolveOutcome.Published { Snapshot: { Shortfall: not null } fewest })
                continue;
            overloaded++;
            var again = Solve(rush, Previous(fewest));
            Assert.IsType<SolveOutcome.Infeasible>(again);
            Assert.Equal(outcome.Fault, again.Fault);
            Assert.Null(again.Concerns.FirstOrDefault(concern => concern.Code == UnstableConcern.Code));
            var after = Solve(calm with { Solving = rush.Solving }, Previous(fewest));
            Assert.True(
                after is SolveOutcome.Published { Snapshot.Shortfall: null } || IsSame(fewest, first),
                $"{after}"
            );
        }

        Assert.True(overloaded > 50, $"{overloaded} overloaded");
    }

    private static bool IsSame(AllocationSnapshot one, AllocationSnapshot other) =>
        Tokens(one).All(type => Tokens(other)[type.Key] == type.Value);

    private static void HoldsFewest(DerivedAllocation derived)
    {
        var snapshot = derived.Snapshot!;
        var fewest = new AllocationModel(derived.Asked).WholeLower;
        Assert.Equal(fewest, snapshot.Solution.Allocation!.Select(type => type.Tokens));
        Assert.Equal(fewest, snapshot.Solution.Allocation!.Select(type => (long)Math.Round(type.TokensContinuous)));
        Assert.True(snapshot.Solution.Utilization <= FewestTokens.NearlyAll + 1e-9, $"{snapshot.Solution.Utilization}");
        Assert.True(snapshot.Problem.ArrivalRate <= snapshot.Shortfall!.ArrivalRate);
        // Canonical JSON takes no number that is not finite.
        Assert.NotEmpty(snapshot.ToCanonicalBytes());
        Assert.Equal(snapshot.Shortfall.Reason, AllocationSummary.OfDocument(snapshot.ToCanonicalBytes()).Shortfall);
    }

    private static void HoldsNeed(AllocationProblem asked, Shortfall shortfall)
    {
        Assert.Equal(shortfall.Reason, AllocationSolver.Solve(asked).Reason);
        if (shortfall.ServersNeeded is { } servers)
        {
            Assert.True(Keeps(asked with { Servers = servers }), $"{servers} servers are enough");
            Assert.False(Keeps(asked with { Servers = servers - 1 }), $"{servers - 1} servers are too few");
        }
        else
        {
            Assert.False(Keeps(asked with { Servers = ProblemValidation.MaxServers }));
        }

        if (shortfall.MaxArrivalRate is { } rate)
        {
            Assert.True(Keeps(asked with { ArrivalRate = rate }), $"{rate} per second are carried");
            Assert.False(
                Keeps(asked with { ArrivalRate = Math.Min(rate * (1 + 1e-6), asked.ArrivalRate) }),
                $"more than {rate} per second are not"
            );
        }
    }

    private static bool Keeps(AllocationProblem problem)
    {
        var model = new AllocationModel(problem);
        return WholeTokenFigures.Of(model, model.WholeLower).KeepsLimits(problem);
    }

    private static FleetDefinition RandomFleet(Random random)
    {
        var dispatch = (Dispatch)random.Next(3);
        var count = random.Next(1, 6);
        return new FleetDefinition
        {
            DisplayName = "random",
            Servers = random.Next(1, 9),
            Dispatch = dispatch,
            Sharing =
                dispatch == Dispatch.Sharing
                    ? new SharingServer(0.002, random.Next(2) == 0 ? null : random.Next(1, 65))
                    : null,
            ArrivalRate = Math.Pow(10, (random.NextDouble() * 4) - 2),
            Objective = new FleetObjective
            {
                AccuracyWeight = random.NextDouble() * 60,
                MaxUtilization = Sometimes(0.3 + (random.NextDouble() * 0.69)),
                MeanTokenBudget = Sometimes(random.Next(1, 400)),
                MaxMeanSystemTimeSeconds = Sometimes(random.NextDouble() * 5),
                MaxInterTokenSeconds = dispatch == Dispatch.Sharing ? Sometimes(random.NextDouble() * 0.1) : null,
                MaxTimeToFirstAnswerTokenSeconds =
                    dispatch == Dispatch.Sharing ? Sometimes(random.NextDouble() * 5) : null,
            },
            TaskTypes =
            [
                .. Enumerable
                    .Range(0, count)
                    .Select(k => new TaskType
                    {
                        Id = $"type-{k}",
                        Share = 1.0 / count,
                        MinTokens = random.Next(3) == 0 ? random.Next(500) : 0,
                        MaxTokens = 8_192,
                        AccuracyFloor = random.Next(4) == 0 ? 0.2 + (random.NextDouble() * 0.3) : null,
                        AnswerTokens = dispatch == Dispatch.Sharing ? random.Next(50) : 0,
                        Service = new ServiceLine(
                            random.NextDouble() * 0.4,
                            0.002 + (random.NextDouble() * 0.02),
                            dispatch == Dispatch.Sharing ? 0 : random.NextDouble() * 0.1
                        ),
                        Accuracy = new AccuracyCurve(
                            random.NextDouble() * 0.3,
                            0.3 + (random.NextDouble() * 0.3),
                            0.0005 + (random.NextDouble() * 0.005)
                        ),
                    }),
            ],
        };

        double? Sometimes(double value) => random.Next(4) == 0 ? value : null;
    }

    private static IReadOnlyDictionary<string, long> Tokens(AllocationSnapshot snapshot) =>
        AllocationSummary.Of(snapshot).Given;

    private static PreviousAllocation Previous(AllocationSnapshot snapshot) =>
        new()
        {
            Version = snapshot.Version,
            Hash = "a hash",
            Summary = AllocationSummary.Of(snapshot),
        };

    private static DerivedAllocation Derive(FleetDefinition definition) =>
        SnapshotDerivation.Derive(Inputs(definition), null, DerivationVersions.Current);

    private static SolveOutcome Solve(FleetDefinition definition, PreviousAllocation? previous) =>
        SolvePolicy.Solve(Inputs(definition), previous);

    private static SnapshotInputs Inputs(FleetDefinition definition) =>
        new()
        {
            Tenant = "acme",
            Fleet = "chat",
            Definition = definition,
            DefinitionRevision = 3,
            Sums = new WorkloadSums(definition.Solving.HorizonSeconds),
            WorkloadVersion = 7,
            SolvedAt = At,
        };
}
