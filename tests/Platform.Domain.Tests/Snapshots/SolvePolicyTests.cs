using System.Text;
using Platform.Domain.Allocation;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Snapshots;

public sealed class SolvePolicyTests
{
    // Without a window the problem is the definition's, but for the rate, which an allocation must carry.
    private static readonly FleetDefinition Definition = Definitions.Fleet();

    private static readonly AllocationProblem Problem = ProblemBuilder.OfDefinition(Definition) with
    {
        ArrivalRate = Estimator
            .Estimate(
                Definition,
                new WorkloadSums(Definition.Solving.HorizonSeconds),
                new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero)
            )
            .Traffic!.UpperRate,
    };

    private static readonly AllocationSolution Best = AllocationSolver.Solve(Problem);

    [Fact]
    public void The_first_solve_publishes_version_1()
    {
        var snapshot = Published(null);
        Assert.Equal(1, snapshot.Version);
        Assert.Null(snapshot.Provenance.PreviousHash);
        Assert.Equal(
            ("acme", "chat", 3, 7L, Estimator.EstimatorVersion),
            (
                snapshot.Tenant,
                snapshot.Fleet,
                snapshot.Provenance.DefinitionRevision,
                snapshot.Provenance.WorkloadVersion,
                snapshot.Provenance.Estimator
            )
        );
        Assert.Equal(AllocationSolver.Version, snapshot.Provenance.Solver);
        Assert.Equal(AllocationSnapshot.HashOf(CanonicalJson.Write(Problem)), snapshot.Provenance.ProblemHash);
        Assert.Equal(Best.Objective, snapshot.Solution.Objective);
    }

    [Fact]
    public void The_best_allocation_in_force_is_confirmed() =>
        Assert.IsType<SolveOutcome.Confirmed>(Solve(Previous(BestTokens())));

    [Fact]
    public void A_revised_definition_publishes_even_the_same_tokens()
    {
        var snapshot = Published(
            Previous(BestTokens()) with
            {
                Summary = Previous(BestTokens()).Summary with { DefinitionRevision = 2 },
            }
        );
        Assert.Equal(5, snapshot.Version);
        Assert.Equal("previous-hash", snapshot.Provenance.PreviousHash);
    }

    [Fact]
    public void A_gain_above_the_minimum_is_published()
    {
        var worse = Worse();
        Assert.Equal(5, Published(Previous(worse), Gain(worse) * 0.999).Version);
    }

    [Fact]
    public void A_gain_of_just_the_minimum_is_not_worth_a_version()
    {
        var worse = Worse();
        Assert.IsType<SolveOutcome.Confirmed>(Solve(Previous(worse), Gain(worse)));
    }

    [Fact]
    public void Any_gain_is_published_where_the_minimum_is_0() => Assert.Equal(5, Published(Previous(Worse())).Version);

    [Fact]
    public void A_previous_allocation_that_breaks_a_limit_is_replaced_however_large_the_minimum_gain()
    {
        var tokens = BestTokens();
        var limited = Definition with
        {
            Objective = Definition.Objective with { MeanTokenBudget = Best.MeanTokens!.Value / 2 },
        };
        Assert.Equal(5, Published(Previous(tokens), 1e300, limited).Version);
    }

    [Fact]
    public void A_previous_allocation_that_overloads_the_servers_is_replaced_however_large_the_minimum_gain() =>
        Assert.Equal(5, Published(Previous([("math", 32_768), ("chat", 32_768)]), 1e300).Version);

    [Fact]
    public void Another_task_type_publishes_however_large_the_minimum_gain()
    {
        var (math, chat) = (BestTokens()[0].Tokens, BestTokens()[1].Tokens);
        Assert.Equal(5, Published(Previous([("math", math), ("code", chat)]), 1e300).Version);
        Assert.Equal(5, Published(Previous([("math", math)]), 1e300).Version);
        Assert.Equal(5, Published(Previous([("math", math), ("chat", chat), ("code", 1)]), 1e300).Version);
    }

    [Fact]
    public void Task_types_in_another_order_are_the_same_ones() =>
        Assert.IsType<SolveOutcome.Confirmed>(Solve(Previous([.. BestTokens().Reverse()])));

    public static TheoryData<string> Hopeless => [.. Infeasible.Keys];

    [Theory]
    [MemberData(nameof(Hopeless))]
    public void An_infeasible_problem_says_why_and_publishes_the_fewest_tokens_unless_a_floor_is_out_of_reach(
        string reason
    )
    {
        var another = Previous(BestTokens()) with
        {
            Summary = Previous(BestTokens()).Summary with { DefinitionRevision = 2 },
        };
        foreach (var previous in new[] { null, Previous(BestTokens()), another })
        {
            var outcome = Solve(previous, 0, Infeasible[reason]);
            Assert.StartsWith($"{reason}: ", outcome.Fault, StringComparison.Ordinal);
            Assert.Equal(reason != "accuracyFloor", outcome is SolveOutcome.Published { Snapshot.Shortfall: not null });
            Assert.Equal(reason == "accuracyFloor", outcome is SolveOutcome.Infeasible);
        }
    }

    [Fact]
    public void What_is_published_reads_as_the_previous_allocation_of_the_next_solve()
    {
        var snapshot = Published(null);
        var bytes = snapshot.ToCanonicalBytes();
        var hash = AllocationSnapshot.HashOf(bytes);
        var summary = AllocationSummary.OfDocument(bytes);
        var previous = new PreviousAllocation
        {
            Version = snapshot.Version,
            Hash = hash,
            Summary = summary,
        };
        Assert.Equal((3, 7L), (summary.DefinitionRevision, summary.WorkloadVersion));
        Assert.Equal(BestTokens().ToDictionary(type => type.Type, type => type.Tokens), summary.Tokens);
        Assert.Equal(summary.ToBytes(), AllocationSummary.Of(snapshot).ToBytes());
        Assert.Equal(summary.ToBytes(), AllocationSummary.FromBytes(summary.ToBytes()).ToBytes());
        Assert.IsType<SolveOutcome.Confirmed>(Solve(previous));
        Assert.Equal(hash, Published(previous, 0, null, 4).Provenance.PreviousHash);
    }

    [Fact]
    public void Only_what_every_version_of_the_format_has_is_read()
    {
        const string document = """
            { "provenance": { "definitionRevision": 3, "workloadVersion": 7, "laterMember": {} }, "laterMember": [],
              "solution": { "allocation": [ { "taskType": "math", "tokens": 12, "laterMember": null } ] } }
            """;
        var summary = AllocationSummary.OfDocument(Encoding.UTF8.GetBytes(document));
        Assert.Equal((3, 7L), (summary.DefinitionRevision, summary.WorkloadVersion));
        Assert.Equal(12, Assert.Single(summary.Tokens).Value);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData(
        """{ "provenance": { "definitionRevision": "3", "workloadVersion": 7 }, "solution": { "allocation": [] } }"""
    )]
    public void What_is_no_snapshot_has_no_summary(string document) =>
        Assert.Throws<FormatException>(() => AllocationSummary.OfDocument(Encoding.UTF8.GetBytes(document)));

    private static readonly Dictionary<string, FleetDefinition> Infeasible = new()
    {
        ["unstable"] = Definition with { ArrivalRate = 100 },
        ["accuracyFloor"] = Definition with
        {
            TaskTypes = [Definitions.Math with { AccuracyFloor = 0.81 }, Definitions.Chat],
        },
        ["meanTokenBudget"] = Definition with
        {
            Objective = Definition.Objective with { MeanTokenBudget = 1 },
            TaskTypes = [Definitions.Math with { MinTokens = 100 }, Definitions.Chat],
        },
        ["maxMeanSystemTime"] = Definition with
        {
            Objective = Definition.Objective with { MaxMeanSystemTimeSeconds = 0.01 },
        },
    };

    private static AllocationSnapshot Published(
        PreviousAllocation? previous,
        double minimumGain = 0,
        FleetDefinition? definition = null,
        int revision = 3
    ) => Assert.IsType<SolveOutcome.Published>(Solve(previous, minimumGain, definition, revision)).Snapshot;

    private static SolveOutcome Solve(
        PreviousAllocation? previous,
        double minimumGain = 0,
        FleetDefinition? definition = null,
        int revision = 3
    )
    {
        definition ??= Definition;
        definition = definition with { Solving = definition.Solving with { MinimumGain = minimumGain } };
        return SolvePolicy.Solve(
            new SnapshotInputs
            {
                Tenant = "acme",
                Fleet = "chat",
                Definition = definition,
                DefinitionRevision = revision,
                Sums = new WorkloadSums(definition.Solving.HorizonSeconds),
                WorkloadVersion = 7,
                SolvedAt = new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero),
            },
            previous
        );
    }

    private static PreviousAllocation Previous((string Type, long Tokens)[] tokens) =>
        new()
        {
            Version = 4,
            Hash = "previous-hash",
            Summary = new AllocationSummary
            {
                DefinitionRevision = 3,
                WorkloadVersion = 7,
                Tokens = tokens.ToDictionary(type => type.Type, type => type.Tokens),
            },
        };

    private static (string Type, long Tokens)[] BestTokens() =>
        [.. Best.Allocation!.Select(type => (type.TaskType, type.Tokens))];

    private static (string Type, long Tokens)[] Worse() =>
        [.. BestTokens().Select(type => (type.Type, type.Tokens + 50))];

    private static double Gain((string Type, long Tokens)[] tokens) =>
        Best.Objective!.Value - AllocationSolver.Objective(Problem, [.. tokens.Select(type => type.Tokens)]);
}
