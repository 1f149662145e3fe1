using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Estimation;

/// <summary>
/// What public reports of gateways and planners have in common: figures that cannot be, taken for what they say.
/// </summary>
public sealed class EvidenceTests
{
    private static readonly FleetDefinition Definition = Definitions.Fleet() with
    {
        ArrivalRate = 0.02,
        Objective = new FleetObjective { AccuracyWeight = 600, MaxUtilization = 0.9 },
        TaskTypes = [Definitions.Math with { Share = 1 }],
    };

    [Theory]
    [InlineData(1_500)]
    [InlineData(10)]
    public void Verdicts_that_are_all_wrong_buy_no_tokens_and_ask_after_the_grader(int trials)
    {
        var derived = Derive(Judged((256, trials, 0), (1_024, trials, 0), (4_096, trials, 0), (16_384, trials, 0)));
        var type = derived.Estimate.TaskTypes[0];

        Assert.True(type.Accuracy.Curve.Floor >= 0);
        Assert.InRange(type.Accuracy.AccuracyAt(30_000).Value, 0, 0.3);
        var isManifest = 4 * trials >= ValidityThresholds.OneSidedVerdicts;
        Assert.Equal(isManifest, type.Validity.OneSidedVerdicts!.Flagged);
        if (!isManifest)
            return;
        Assert.Equal(0, derived.Solution.Allocation![0].Tokens);
        Assert.Contains(Concerns(derived), concern => concern.Code == SolveConcerns.NeverRight);
    }

    /// <summary>However much an answer is worth.</summary>
    [Fact]
    public void Nothing_is_bought_of_a_type_that_is_never_right_at_any_weight()
    {
        var definition = Definition with { Objective = new FleetObjective { AccuracyWeight = 1e9 } };
        Assert.Equal(0, Derive(Judged((512, 200, 0), (2_048, 200, 0)), definition).Solution.Allocation![0].Tokens);
    }

    [Fact]
    public void Verdicts_that_are_all_right_are_told()
    {
        var derived = Derive(Judged((512, 500, 500), (2_048, 500, 500)));
        Assert.True(derived.Estimate.TaskTypes[0].Validity.OneSidedVerdicts!.Flagged);
        Assert.Contains(Concerns(derived), concern => concern.Code == SolveConcerns.AlwaysRight);
    }

    [Fact]
    public void A_floor_that_verdicts_would_put_below_0_is_0()
    {
        var derived = Derive(Judged((2_000, 2_000, 20), (4_000, 2_000, 400), (8_000, 2_000, 1_200)));
        var curve = derived.Estimate.TaskTypes[0].Accuracy.Curve;
        Assert.Equal(0, curve.Floor, 1e-12);
        Assert.All(Enumerable.Range(0, 100), i => Assert.InRange(Accuracy(curve, 300 * i), 0, 1));
    }

    /// <summary>
    /// A definition whose curve is below 0 everywhere says that its type is never right, with few verdicts or none.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public void A_definition_that_is_below_0_everywhere_buys_no_tokens(int trials)
    {
        var hopeless = Definitions.Math with { Share = 1, Accuracy = new AccuracyCurve(-0.8, 1.6, 2e-5) };
        WorkloadWindow[] windows = trials == 0 ? [Windows.Of(0, 60)] : Judged((1_024, trials, 0));
        var derived = Derive(windows, Definition with { TaskTypes = [hopeless] });
        Assert.Equal((0, 0.0), (derived.Solution.Allocation![0].Tokens, derived.Solution.MeanAccuracy!.Value));
        Assert.Equal(derived.Solution.WeightedAccuracy, derived.Solution.MeanAccuracy);
    }

    [Fact]
    public void Thousands_of_verdicts_at_one_budget_leave_the_curve_to_the_prior_and_say_so()
    {
        var type = Derive(Judged((1_024, 6_000, 3_600))).Estimate.TaskTypes[0];
        Assert.False(type.Accuracy.Identifiable);
        Assert.True(type.Validity.CurveIdentifiability!.Flagged);
        Assert.Equal(1_024, type.LargestBudgetTried);
    }

    [Fact]
    public void Verdicts_that_span_the_curve_identify_it()
    {
        var type = Derive(
            Judged((0, 2_000, 400), (700, 2_000, 1_000), (1_500, 2_000, 1_332), (5_000, 2_000, 1_592))
        ).Estimate.TaskTypes[0];
        Assert.True(type.Accuracy.Identifiable);
        Assert.False(type.Validity.CurveIdentifiability!.Flagged);
        Assert.False(type.Validity.CurveMisfit.Flagged);
        Assert.False(type.Validity.FallingAccuracy!.Flagged);
    }

    [Fact]
    public void Three_budgets_that_no_curve_meets_are_a_misfit_and_falling_accuracy_is_called_that()
    {
        var derived = Derive(Judged((512, 1_000, 700), (1_024, 1_000, 720), (4_096, 1_000, 500)));
        var validity = derived.Estimate.TaskTypes[0].Validity;
        Assert.True(validity.CurveMisfit.Flagged);
        Assert.True(validity.FallingAccuracy!.Flagged);
        Assert.Equal(0.22, validity.FallingAccuracy.Value!.Value, 1e-9);
        Assert.Contains(Concerns(derived), concern => concern.Code == SolveConcerns.FallingAccuracy);
    }

    [Fact]
    public void A_type_at_0_tokens_whose_verdicts_are_all_at_0_says_that_it_cannot_learn()
    {
        var derived = Derive(Judged((0, 500, 100)));
        Assert.Contains(
            SolveConcerns.Of(Definition, derived.Estimate, [0]),
            concern => concern.Code == SolveConcerns.CannotLearn
        );
        Assert.DoesNotContain(
            SolveConcerns.Of(Definition, derived.Estimate, [100]),
            concern => concern.Code == SolveConcerns.CannotLearn
        );
    }

    /// <summary>
    /// From a report: 40 queries of 30 s in each window of 30 s, at one server, with no wait to speak of.
    /// </summary>
    [Fact]
    public void A_server_that_does_many_at_once_is_told_from_one_that_cannot_keep_up()
    {
        var estimate = Derive([
            .. Enumerable
                .Range(0, 20)
                .Select(i => Windows.Of(30 * i, 30 * (i + 1), Task(40, 60_000, 1_212_696, 1_220_696))),
        ]).Estimate;
        Assert.Equal(40.4, estimate.Validity.Concurrency!.Value!.Value, 0.1);
        Assert.True(estimate.Validity.Concurrency.Flagged);
        Assert.True(estimate.Validity.Concurrency.Score < 0.01);
        Assert.True(estimate.Validity.SystemTime!.Flagged);
        Assert.Contains(
            SolveConcerns.Of(Definition, estimate, null),
            concern => concern.Code == SolveConcerns.Concurrency && concern.Message.Contains("40.4")
        );
    }

    [Fact]
    public void System_times_far_from_the_prediction_are_told_with_a_score()
    {
        // Twenty queries of a second in each minute: the queue predicts 1.25 s.
        var asPredicted = Derive(Minutes(i => Task(20, 10_000, 20_000, 25_000 + (500 * (i % 2))))).Estimate;
        Assert.False(asPredicted.Validity.SystemTime!.Flagged);
        Assert.InRange(asPredicted.Validity.SystemTime.Value!.Value, 0.9, 1.1);
        Assert.False(asPredicted.Validity.Concurrency!.Flagged);

        var slow = Derive(Minutes(i => Task(20, 10_000, 20_000, 600_000 + (500 * (i % 2)))));
        Assert.True(slow.Estimate.Validity.SystemTime!.Flagged);
        Assert.True(slow.Estimate.Validity.SystemTime.Score > 10);
        Assert.Contains(
            Concerns(slow),
            concern =>
                concern.Code == SolveConcerns.SystemTime && concern.Message.Contains("30.01", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Seconds_sent_for_milliseconds_are_asked_after_and_not_solved_with()
    {
        var first = AllocationSolver.Solve(ProblemBuilder.OfDefinition(Definition)).Allocation![0].Tokens;
        var derived = Derive(
            Minutes(_ => new TaskWindow
            {
                TaskType = "math",
                Arrivals = 3,
                Service = new ServiceSums
                {
                    Completions = 3,
                    Tokens = 730,
                    TokensSquared = 179_806,
                    Millis = 16,
                    MillisSquared = 86,
                    TokenMillis = 3_929,
                },
            })
        );
        var check = derived.Estimate.TaskTypes[0].Validity.ServiceAgainstDefinition!;
        Assert.True(check.Flagged);
        Assert.Equal(0.001, check.Value!.Value, 0.0005);
        Assert.Contains(
            Concerns(derived),
            concern =>
                concern.Code == SolveConcerns.ServiceTime
                && concern.Message.Contains("were seconds sent", StringComparison.Ordinal)
        );

        var given = derived.Solution.Allocation![0].Tokens;
        Assert.True(given <= 2 * first, $"{given} after {first}");
        Assert.True(0.05 * (0.4 + (0.02 * given)) < 1, "stable by the definition's times at the seen rate");
        var held = Assert.Single(derived.HeldBack);
        Assert.Equal((HoldReason.ServiceTime, true), (held.Reason, held.TokensWithout > given));
        Assert.Equal(Definition.TaskTypes[0].Service, derived.Problem.TaskTypes[0].Service);
    }

    [Theory]
    [InlineData(60, true)]
    [InlineData(6, false)]
    public void A_rate_ten_times_the_definitions_is_told(int arrivals, bool isFlagged)
    {
        var check = Derive(Minutes(_ => Windows.Arrivals("math", arrivals))).Estimate.Validity.RateAgainstDefinition!;
        Assert.Equal(isFlagged, check.Flagged);
        Assert.Equal(arrivals / 60.0 / 0.02, check.Value!.Value, 1e-9);
    }

    [Fact]
    public void Thinking_that_was_off_and_used_tokens_is_told()
    {
        var derived = Derive(
            Minutes(_ => new TaskWindow
            {
                TaskType = "math",
                Arrivals = 2,
                Service = new ServiceSums
                {
                    Completions = 2,
                    Tokens = 1_000,
                    TokensSquared = 500_000,
                    TokensGranted = 0,
                    Millis = 20_000,
                    MillisSquared = 200_000_000,
                    TokenMillis = 10_000_000,
                },
            })
        );
        var check = derived.Estimate.TaskTypes[0].Validity.UngrantedTokens!;
        Assert.Equal((500.0, true), (check.Value!.Value, check.Flagged));
        Assert.Contains(Concerns(derived), concern => concern.Code == SolveConcerns.UngrantedTokens);
    }

    private static double Accuracy(AccuracyCurve curve, double tokens) =>
        curve.Floor + (curve.Gain * (1 - Math.Exp(-curve.RatePerToken * tokens)));

    private static IReadOnlyList<FleetConcern> Concerns(DerivedAllocation derived) =>
        SolveConcerns.Of(Definition, derived.Estimate, null);

    private static WorkloadWindow[] Judged(params (long Tokens, long Trials, long Correct)[] verdicts) =>
        [
            Windows.Of(
                0,
                60,
                new TaskWindow
                {
                    TaskType = "math",
                    Arrivals = 1,
                    Accuracy =
                    [
                        .. verdicts.Select(it => new AccuracyCount
                        {
                            Tokens = it.Tokens,
                            Trials = it.Trials,
                            Correct = it.Correct,
                        }),
                    ],
                }
            ),
        ];

    private static WorkloadWindow[] Minutes(Func<int, TaskWindow> task) =>
        [.. Enumerable.Range(0, 30).Select(i => Windows.Of(60 * i, 60 * (i + 1), task(i)))];

    /// <summary>Queries of equal length.</summary>
    private static TaskWindow Task(long queries, long tokens, long millis, long systemMillis) =>
        new()
        {
            TaskType = "math",
            Arrivals = queries,
            Service = new ServiceSums
            {
                Completions = queries,
                Tokens = tokens,
                TokensSquared = tokens * tokens / queries,
                Millis = millis,
                MillisSquared = millis * millis / queries,
                TokenMillis = tokens * millis / queries,
            },
            System = new SystemSums
            {
                Completions = queries,
                Millis = systemMillis,
                MillisSquared = systemMillis * systemMillis / queries,
            },
        };

    internal static DerivedAllocation Derive(WorkloadWindow[] windows, FleetDefinition? definition = null) =>
        SnapshotDerivation.Derive(Inputs(windows, definition ?? Definition), null, DerivationVersions.Current);

    /// <summary>What a solve at the end of the windows starts from.</summary>
    internal static SnapshotInputs Inputs(WorkloadWindow[] windows, FleetDefinition definition)
    {
        var sums = new WorkloadSums(definition.Solving.HorizonSeconds);
        foreach (var window in windows)
            sums.Fold(window);
        return new SnapshotInputs
        {
            Tenant = "acme",
            Fleet = "chat",
            Definition = definition,
            DefinitionRevision = 1,
            Sums = sums,
            WorkloadVersion = windows.Length,
            SolvedAt = windows.Max(window => window.WindowEnd),
        };
    }
}
