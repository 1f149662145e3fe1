using System.Text.Json;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;
using Platform.Domain.Snapshots;
using Platform.Domain.Tests.Estimation;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Snapshots;

/// <summary>Tokens go up a step at a time beyond what has verdicts, and down at once.</summary>
public sealed class StepLimitTests
{
    private static readonly FleetDefinition Definition = Definitions.Fleet() with
    {
        ArrivalRate = 0.005,
        Objective = new FleetObjective { AccuracyWeight = 5_000, MaxUtilization = 0.9 },
        TaskTypes =
        [
            Definitions.Math with
            {
                Share = 1,
                Accuracy = new AccuracyCurve(0.1, 0.85, 1e-4),
                Service = new ServiceLine(0.4, 0.005),
            },
        ],
    };

    private static readonly long First = AllocationSolver
        .Solve(ProblemBuilder.OfDefinition(Definition))
        .Allocation![0]
        .Tokens;

    [Fact]
    public void The_first_allocation_is_the_definitions()
    {
        var derived = EvidenceTests.Derive([Windows.Of(0, 60)], Definition);
        Assert.True(First > 10_000);
        var carried = ProblemBuilder.OfDefinition(Definition) with { ArrivalRate = derived.Problem.ArrivalRate };
        var best = AllocationSolver.Solve(carried).Allocation![0].Tokens;
        Assert.InRange(derived.Solution.Allocation![0].Tokens, best * 0.9, best * 1.1);
        Assert.Empty(derived.HeldBack);
        Assert.Null(derived.Snapshot!.HeldBack);
    }

    /// <summary>From a report: the prior's curve promised much more accuracy where nobody had ever looked.</summary>
    [Fact]
    public void A_budget_is_at_most_twice_the_largest_that_has_verdicts()
    {
        var derived = EvidenceTests.Derive(Judged(4_232, 20, 0), Definition);
        var given = derived.Solution.Allocation![0];
        Assert.Equal((8_464, TokenBound.Max), (given.Tokens, given.Bound));
        var held = Assert.Single(derived.Snapshot!.HeldBack!);
        Assert.Equal(
            ("math", HoldReason.Evidence, 8_464L, 4_232L),
            (held.TaskType, held.Reason, held.MostTokens!.Value, held.LargestBudgetTried!.Value)
        );
        Assert.True(held.TokensWithout > 8_464);
        var extrapolation = derived.Snapshot.Validity.TaskTypes["math"].Extrapolation!;
        Assert.Equal((2.0, true), (extrapolation.Value!.Value, extrapolation.Flagged));
    }

    [Fact]
    public void A_person_may_ask_for_more()
    {
        var definition = Definition with { Solving = new SolvingPolicy { MaxStep = 3 } };
        Assert.Equal(3 * 4_232, EvidenceTests.Derive(Judged(4_232, 20, 0), definition).Solution.Allocation![0].Tokens);
        var floor = Definition with { TaskTypes = [Definition.TaskTypes[0] with { MinTokens = 10_000 }] };
        Assert.Equal(10_000, EvidenceTests.Derive(Judged(4_232, 20, 0), floor).Solution.Allocation![0].Tokens);
    }

    [Fact]
    public void Without_verdicts_load_takes_tokens_away_at_once_and_gives_at_most_twice_the_first()
    {
        var busy = EvidenceTests.Derive(Arriving(4), Definition).Solution.Allocation![0].Tokens;
        Assert.True(busy < First / 2, $"{busy} after {First}");

        var definition = Definition with { ArrivalRate = 0.1 };
        var first = AllocationSolver.Solve(ProblemBuilder.OfDefinition(definition)).Allocation![0].Tokens;
        var quiet = EvidenceTests.Derive(Arriving(0), definition);
        Assert.Equal(2 * first, quiet.Solution.Allocation![0].Tokens);
        Assert.Single(quiet.HeldBack);
    }

    [Fact]
    public void Verdicts_at_0_tokens_do_not_hold_a_type_there()
    {
        Assert.Equal(
            2 * StepLimit.LeastReference,
            EvidenceTests.Derive(Judged(0, 200, 20), Definition).Solution.Allocation![0].Tokens
        );
    }

    /// <summary>
    /// The limit moves as verdicts come and fade: only tokens well beyond it are taken back for that alone.
    /// </summary>
    [Theory]
    [InlineData(8_464, false)]
    [InlineData(10_000, false)]
    [InlineData(19_592, true)]
    public void Tokens_in_force_beyond_the_limit_are_taken_back(long tokens, bool isTakenBack)
    {
        var outcome = SolvePolicy.Solve(Inputs(Judged(4_232, 20, 0)), Previous(tokens));
        Assert.Equal(isTakenBack, outcome is SolveOutcome.Published);
    }

    [Fact]
    public void A_snapshot_under_an_alarm_derives_again_from_what_it_says()
    {
        var alarm = new LoadAlarm
        {
            Since = Windows.Start,
            ArrivalRate = 0,
            ServiceFactor = 1.2,
        };
        var inputs = Inputs(Arriving(1)) with { Alarm = alarm };
        var snapshot = SnapshotDerivation.Derive(inputs, null, DerivationVersions.Current).Snapshot!;
        Assert.Equal(0.4 * 1.2, snapshot.Problem.TaskTypes[0].Service.BaseSeconds, 1e-12);
        Assert.True(snapshot.Solution.Utilization < 1);

        Assert.True(SnapshotHeader.TryRead(snapshot.ToCanonicalBytes(), out var header, out _));
        var again = SnapshotDerivation
            .Derive(inputs with { Alarm = header.Provenance.Alarm }, null, header.Versions)
            .Snapshot!;
        Assert.Equal(snapshot.ToCanonicalBytes(), again.ToCanonicalBytes());
    }

    /// <summary>Whatever windows have raised an alarm: its solve never confirms what is unstable by it.</summary>
    [Theory]
    [InlineData(1.2)]
    [InlineData(3)]
    [InlineData(50)]
    [InlineData(1e6)]
    public void The_solve_of_an_alarm_does_not_confirm_what_the_alarm_calls_unstable(double factor)
    {
        var tokens = SolvePolicy.Solve(Inputs(Arriving(1)), null);
        var given = Assert.IsType<SolveOutcome.Published>(tokens).Snapshot.Solution.Allocation![0];
        var rate = Assert.IsType<SolveOutcome.Published>(tokens).Snapshot.Problem.ArrivalRate;
        var slower = factor / (rate * given.ServiceSeconds);
        var alarm = new LoadAlarm
        {
            Since = Windows.Start,
            ArrivalRate = 0,
            ServiceFactor = slower,
        };
        var outcome = SolvePolicy.Solve(Inputs(Arriving(1)) with { Alarm = alarm }, Previous(given.Tokens));
        var snapshot = Assert.IsType<SolveOutcome.Published>(outcome).Snapshot;
        var less = snapshot.Solution.Allocation![0];
        Assert.True(less.Tokens < given.Tokens);
        Assert.True(
            factor > 50 || rate * less.ServiceSeconds < 1,
            "stable at the alarm's service times where anything is"
        );
        Assert.Equal(alarm, outcome.Alarm);
    }

    [Fact]
    public void An_alarm_that_the_estimate_has_caught_up_with_is_over()
    {
        var alarm = new LoadAlarm
        {
            Since = Windows.Start,
            ArrivalRate = 0.001,
            ServiceFactor = 1,
        };
        var outcome = SolvePolicy.Solve(Inputs(Arriving(4)) with { Alarm = alarm }, null);
        Assert.Null(outcome.Alarm);
        Assert.Null(Assert.IsType<SolveOutcome.Published>(outcome).Snapshot.Provenance.Alarm);
    }

    [Fact]
    public void A_stored_definition_without_a_step_has_the_default()
    {
        var solving = JsonSerializer.Deserialize<SolvingPolicy>(
            """{"everySeconds":300,"horizonSeconds":3600,"minimumGain":0}""",
            StrictJson.Options
        )!;
        Assert.Equal(2, solving.Step);
        foreach (var step in (double[])[0.99, -1, 2e9])
            Assert.Contains(
                FleetDefinitionValidation.Validate(Definition with { Solving = new SolvingPolicy { MaxStep = step } }),
                fault => fault.Pointer == "/solving/maxStep"
            );
    }

    private static SnapshotInputs Inputs(WorkloadWindow[] windows) => EvidenceTests.Inputs(windows, Definition);

    private static PreviousAllocation Previous(long tokens) =>
        new()
        {
            Version = 1,
            Hash = "previous-hash",
            Summary = new AllocationSummary
            {
                DefinitionRevision = 1,
                WorkloadVersion = 1,
                Tokens = new Dictionary<string, long> { ["math"] = tokens },
            },
        };

    private static WorkloadWindow[] Judged(long tokens, long trials, long correct) =>
        [
            Windows.Of(
                0,
                60,
                new TaskWindow
                {
                    TaskType = "math",
                    Arrivals = 0,
                    Accuracy =
                    [
                        new AccuracyCount
                        {
                            Tokens = tokens,
                            Trials = trials,
                            Correct = correct,
                        },
                    ],
                }
            ),
        ];

    private static WorkloadWindow[] Arriving(long aMinute) =>
        [.. Enumerable.Range(0, 120).Select(i => Windows.Of(60 * i, 60 * (i + 1), Windows.Arrivals("math", aMinute)))];
}
