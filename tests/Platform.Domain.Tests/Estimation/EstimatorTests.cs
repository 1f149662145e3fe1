using System.Text;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;

namespace Platform.Domain.Tests.Estimation;

public class EstimatorTests
{
    /// <summary>Priors that are off the truth of <see cref="Truth"/> by a factor of two and more.</summary>
    internal static readonly FleetDefinition Definition = new()
    {
        DisplayName = "Chat, EU",
        Servers = 3,
        Dispatch = Dispatch.Shared,
        Objective = new FleetObjective
        {
            AccuracyWeight = 30,
            MaxUtilization = 0.9,
            MeanTokenBudget = 900,
            MaxMeanSystemTimeSeconds = 60,
        },
        ArrivalRate = 0.1,
        TaskTypes =
        [
            Type("math", 0.3, new ServiceLine(0.4, 0.02), new AccuracyCurve(0.2, 0.6, 0.001)),
            Type("code", 0.7, new ServiceLine(0.1, 0.01), new AccuracyCurve(0.5, 0.3, 0.004)),
        ],
    };

    private static readonly Truth[] Truths =
    [
        new("math", 1.2, new ServiceLine(0.9, 0.007), new AccuracyCurve(0.35, 0.5, 0.0025)),
        new("code", 0.4, new ServiceLine(0.25, 0.03), new AccuracyCurve(0.1, 0.8, 0.0012)),
    ];

    [Fact]
    public void Without_a_window_the_estimate_is_the_prior_and_the_problem_is_the_definition()
    {
        var estimate = Estimator.Estimate(Definition, new WorkloadSums(21_600), Windows.Start);
        var problem = ProblemBuilder.Build(Definition, estimate);
        Assert.Equal(Definition.ArrivalRate, estimate.ArrivalRate.Value);
        Assert.Equal(estimate.Traffic!.UpperRate, problem.ArrivalRate);
        Assert.Equal(Definition.TaskTypes, problem.TaskTypes);
        Assert.Null(estimate.LastWindowEnd);
        Assert.Null(estimate.MeanSystemTimeSeconds);
        Assert.Equal(0, estimate.ExposureSeconds);
        Assert.All(estimate.TaskTypes, type => Assert.Equal(FitExit.Prior, type.Accuracy.Exit));
        Assert.True(estimate.ArrivalRate.Lower < 0.1 && estimate.ArrivalRate.Upper > 0.1);
    }

    [Fact]
    public void The_problem_takes_every_limit_from_the_definition()
    {
        var problem = ProblemBuilder.Build(
            Definition,
            Estimator.Estimate(Definition, new WorkloadSums(21_600), Windows.Start)
        );
        Assert.Equal((3, Dispatch.Shared), (problem.Servers, problem.Dispatch));
        Assert.Equal(
            (30.0, 0.9, 900.0, 60.0),
            (
                problem.AccuracyWeight,
                problem.MaxUtilization!.Value,
                problem.MeanTokenBudget!.Value,
                problem.MaxMeanSystemTimeSeconds!.Value
            )
        );
    }

    /// <summary>
    /// Two hours of synthetic traffic: every parameter lies within four standard errors, or the prior's remaining pull,
    /// of the truth.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Known_truth_is_recovered_from_synthetic_windows(int seed)
    {
        var sums = Synthetic(new Random(seed), 7_200, 21_600);
        var estimate = Estimator.Estimate(Definition, sums, Windows.Start.AddSeconds(7_200));
        Assert.Equal(7_200, estimate.ExposureSeconds);
        AssertNear(1.6, estimate.ArrivalRate.Value, 0.06);
        Assert.InRange(1.6, estimate.ArrivalRate.Lower * 0.96, estimate.ArrivalRate.Upper * 1.04);
        Assert.Equal(1, estimate.TaskTypes.Sum(type => type.Share.Value), 1e-12);
        foreach (var (truth, seen) in Truths.Zip(estimate.TaskTypes))
            AssertRecovered(truth, seen);
    }

    [Fact]
    public void A_silent_type_keeps_its_line_and_curve_and_loses_share()
    {
        var sums = Folded(Windows.Of(0, 600, Windows.Arrivals("code", 200)));
        var silent = Estimator.Estimate(Definition, sums, Windows.Start.AddSeconds(600)).TaskTypes[0];
        Assert.Equal(Definition.TaskTypes[0].Service, silent.Service.Line);
        Assert.Equal(Definition.TaskTypes[0].Accuracy, silent.Accuracy.Curve);
        Assert.Equal(10 * 0.3 / 210, silent.Share.Value, 1e-12);
        Assert.InRange(silent.Share.Lower, 0, silent.Share.Value);
    }

    [Fact]
    public void A_type_that_the_definition_does_not_know_is_listed_and_counts_for_the_rate_alone()
    {
        var sums = Folded(
            Windows.Of(
                0,
                600,
                Windows.Arrivals("novel", 600),
                Windows.Arrivals("math", 300),
                Windows.Arrivals("code", 700)
            )
        );
        var estimate = Estimator.Estimate(Definition, sums, Windows.Start.AddSeconds(600));
        Assert.Equal([new UnknownTaskType("novel", 600, 0)], estimate.UnknownTaskTypes);
        Assert.Equal(1_600.0 / 600, estimate.ArrivalRate.Value, 1e-3);
        Assert.Equal(0.3, estimate.TaskTypes[0].Share.Value, 1e-12);
    }

    [Fact]
    public void A_prior_rate_of_zero_is_overruled_by_the_first_arrivals()
    {
        var sums = Folded(Windows.Of(0, 3_375, Windows.Arrivals("math", 3_375)));
        var idle = Definition with { ArrivalRate = 0 };
        Assert.Equal(0, Estimator.Estimate(idle, new WorkloadSums(21_600), Windows.Start).ArrivalRate.Value);
        Assert.Equal(1, Estimator.Estimate(idle, sums, Windows.Start.AddSeconds(3_375)).ArrivalRate.Value, 1e-3);
    }

    /// <summary>Wherever it begins: whether a window lies in one stretch of time or in two must not matter.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(12)]
    public void The_first_window_of_a_fleet_with_a_hundred_times_the_definitions_rate_tells_it(int start)
    {
        var definition = Definition with { ArrivalRate = 0.4 };
        var sums = Folded(Windows.Of(start, start + 10, Windows.Arrivals("math", 400)));
        var estimate = Estimator.Estimate(definition, sums, Windows.Start.AddSeconds(start + 11));
        Assert.InRange(estimate.ArrivalRate.Value, 30, 45);
    }

    [Fact]
    public void One_query_in_the_first_window_does_not_unsettle_a_quiet_fleets_rate()
    {
        var definition = Definition with { ArrivalRate = 0.005 };
        var sums = Folded(Windows.Of(0, 10, Windows.Arrivals("math", 1)));
        var estimate = Estimator.Estimate(definition, sums, Windows.Start.AddSeconds(11));
        Assert.InRange(estimate.Traffic!.UpperRate, 0.005, 0.05);
    }

    [Fact]
    public void A_share_of_zero_may_stay_zero()
    {
        var definition = Definition with
        {
            TaskTypes = [Definition.TaskTypes[0] with { Share = 1 }, Definition.TaskTypes[1] with { Share = 0 }],
        };
        var shares = Estimator
            .Estimate(definition, Folded(Windows.Of(0, 60, Windows.Arrivals("math", 5))), Windows.Start)
            .TaskTypes;
        Assert.Equal([1.0, 0.0], shares.Select(type => type.Share.Value));
        Assert.All(shares, type => Assert.InRange(type.Share.Value, type.Share.Lower, type.Share.Upper));
    }

    [Fact]
    public void One_operating_point_tells_the_level_and_the_prior_deals_it_out_to_base_and_slope()
    {
        var queries = Enumerable.Repeat((100L, 3_000L), 990).ToArray();
        var service = Estimate(Windows.Served("math", queries)).Service;
        var line = service.Line;
        Assert.False(service.Identifiable);
        Assert.Equal(3.0, line.BaseSeconds + (100 * line.SecondsPerToken), 1e-3);

        // 0.6 s more than the prior's 2.4: a step of the base costs as much as one of 100 tokens, (a − 0.4)/0.4² and
        // (1/0.02 − 1/c)/100.
        Assert.InRange(line.SecondsPerToken, 0.021, 0.026);
        Assert.Equal((50 - (1 / line.SecondsPerToken)) / 100, (line.BaseSeconds - 0.4) / 0.16, 0.01);
        Assert.InRange(service.SecondsPerToken.StandardError, 0.003, 0.02);
    }

    /// <summary>
    /// A server twice as fast as the prior's whole line: the prior's slope alone would ask for a negative base.
    /// </summary>
    [Theory]
    [InlineData(1_000L, 8_000L)]
    [InlineData(1_000L, 0L)]
    [InlineData(0L, 0L)]
    public void Base_and_slope_are_never_negative(long tokens, long millis)
    {
        var line = Estimate(Windows.Served("math", [.. Enumerable.Repeat((tokens, millis), 5_000)])).Service.Line;
        Assert.True(line.BaseSeconds >= 0 && line.SecondsPerToken >= 0);
        Assert.Equal(millis / 1e3, line.BaseSeconds + (line.SecondsPerToken * tokens), 0.1);
    }

    [Fact]
    public void A_line_that_falls_with_tokens_gives_a_line_that_is_all_but_flat()
    {
        var line = Estimate(
            Windows.Served("math", [.. Enumerable.Range(0, 2_000).Select(i => (1_000L + i, 9_000L - (3 * i)))])
        ).Service.Line;
        Assert.InRange(line.SecondsPerToken, double.Epsilon, 1e-6);
        Assert.Equal(6, line.BaseSeconds, 0.2);
    }

    /// <summary>
    /// 0 to 20 tokens at 5 ms each beside scatter of 0.8 s: least squares has a slope below 0 every fifth time, and a
    /// normal prior cut at 0 has one of exactly 0 every sixteenth.
    /// </summary>
    [Fact]
    public void Scatter_that_drowns_the_tokens_part_never_makes_tokens_free()
    {
        var definition = Definition with
        {
            Servers = 1,
            Objective = new FleetObjective { AccuracyWeight = 30 },
            TaskTypes = [Type("math", 1, new ServiceLine(0.7, 0.008), Definition.TaskTypes[0].Accuracy)],
        };
        var (negative, covered, slopes) = (0, 0, new double[200]);
        for (var seed = 0; seed < slopes.Length; seed++)
        {
            var random = new Random(seed);
            (long Tokens, long Millis)[] queries =
            [
                .. Enumerable
                    .Range(0, 500)
                    .Select(i => i % 21L)
                    .Select(tokens => (tokens, (long)(200 + (5 * tokens) - (800 * Math.Log(1 - random.NextDouble()))))),
            ];
            var (x, y) = (queries.Average(query => query.Tokens), queries.Average(query => query.Millis));
            negative += queries.Sum(query => (query.Tokens - x) * (query.Millis - y)) < 0 ? 1 : 0;
            var sums = Folded(Windows.Of(0, 6_000, Windows.Served("math", queries)));
            var estimate = Estimator.Estimate(definition, sums, Windows.Start.AddSeconds(6_000));
            var slope = estimate.TaskTypes[0].Service.SecondsPerToken;
            slopes[seed] = slope.Value;
            covered += slope.Lower <= 0.005 && slope.Upper >= 0.005 ? 1 : 0;
            Assert.InRange(
                AllocationSolver.Solve(ProblemBuilder.Build(definition, estimate)).Allocation![0].Tokens,
                0,
                2_500
            );
        }

        Assert.InRange(negative, 20, 80);
        Assert.InRange(covered, 180, 200);
        Assert.InRange(slopes.Min(), 0.001, 0.02);
    }

    /// <summary>A definition that says that tokens cost nothing is believed until the data know better.</summary>
    [Theory]
    [InlineData(0L, 0.0)]
    [InlineData(5L, 0.005)]
    public void A_slope_given_as_0_gives_way_to_data(long millisPerToken, double slope)
    {
        var definition = Definition with
        {
            TaskTypes = [Type("math", 1, new ServiceLine(0.4, 0), Definition.TaskTypes[0].Accuracy)],
        };
        (long, long)[] queries =
        [
            .. Enumerable
                .Range(0, 2_000)
                .Select(i => (i % 500L, 400 + (i % 500L * millisPerToken) + (i * 7919L % 200))),
        ];
        var line = Estimator
            .Estimate(definition, Folded(Windows.Of(0, 60, Windows.Served("math", queries))), Windows.Start)
            .TaskTypes[0]
            .Service.Line;
        Assert.Equal(slope, line.SecondsPerToken, 2e-5);
        var silent = Estimator
            .Estimate(definition, Folded(Windows.Of(0, 60, Windows.Served("math", (0, 500), (0, 450)))), Windows.Start)
            .TaskTypes[0]
            .Service;
        Assert.Equal(0, silent.Line.SecondsPerToken);
        Assert.InRange(silent.SecondsPerToken.Upper, 0.001, 0.003);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Verdicts_all_alike_at_one_number_of_tokens_give_a_legal_curve(int right)
    {
        var curve = Estimate(Verdicts((512, 1_000_000, right * 1_000_000))).Accuracy;
        AssertLegal(curve.Curve);
        Assert.Equal(FitExit.Converged, curve.Exit);
        Assert.Equal(right, curve.AccuracyAt(512).Value, 0.01);
    }

    [Fact]
    public void A_rate_that_one_number_of_tokens_cannot_tell_stays_near_the_prior()
    {
        var curve = Estimate(Verdicts((0, 1_000, 200))).Accuracy;
        Assert.Equal(0.001, curve.Curve.RatePerToken, 1e-9);
        Assert.Equal(0.2, curve.Curve.Floor, 0.01);
    }

    /// <summary>
    /// Wild verdicts against wild priors, some on the edge of the legal range: never a NaN, never an illegal curve.
    /// </summary>
    [Theory]
    [InlineData(16, true)]
    [InlineData(52, false)]
    public void Every_fit_ends_with_a_legal_curve(int mostBits, bool converges)
    {
        var random = new Random(6);
        for (var round = 0; round < 1_000; round++)
        {
            var floor = random.Next(6) == 0 ? random.Next(2) : random.NextDouble();
            var gain = (1 - floor) * (random.Next(6) == 0 ? random.Next(2) : random.NextDouble());
            var rate = random.Next(6) == 0 ? 0 : Math.Pow(10, (random.NextDouble() * 10) - 7);
            var counts = Enumerable
                .Range(0, random.Next(1, 6))
                .Select(_ => WildVerdicts(random, mostBits))
                .DistinctBy(count => count.Tokens)
                .ToArray();
            var definition = Definition with
            {
                TaskTypes = [Type("math", 1, new ServiceLine(0, 0), new AccuracyCurve(floor, gain, rate))],
            };
            var sums = Folded(Windows.Of(0, 60, Verdicts(counts)));
            var fit = Estimator.Estimate(definition, sums, Windows.Start).TaskTypes[0].Accuracy;
            AssertLegal(fit.Curve);
            var spread = fit.Covariance;
            Assert.True(
                double.IsFinite(
                    spread.FloorFloor
                        + spread.FloorGain
                        + spread.FloorRate
                        + spread.GainGain
                        + spread.GainRate
                        + spread.RateRate
                )
            );
            Assert.True(spread.FloorFloor > 0 && spread.GainGain > 0 && spread.RateRate > 0);
            Assert.NotEqual(FitExit.Prior, fit.Exit);
            Assert.True(fit.Exit != FitExit.IterationCap || !converges);
        }
    }

    [Fact]
    public void A_late_window_gives_the_same_estimate_as_one_on_time()
    {
        var windows = Enumerable
            .Range(0, 60)
            .Select(i => Windows.Of(i * 60, (i + 1) * 60, Windows.Served("math", (i * 10, 5 + (i * 80)))))
            .ToArray();
        var late = windows.Skip(7).Append(windows[3]).Concat(windows.Take(3)).Concat(windows.Skip(4).Take(3));
        var asOf = Windows.Start.AddSeconds(3_600);
        Assert.Equal(
            StrictJson.Write(Estimator.Estimate(Definition, Folded(windows), asOf)),
            StrictJson.Write(Estimator.Estimate(Definition, Folded([.. late]), asOf))
        );
    }

    /// <summary>
    /// Horizon 6,400 s: a bucket that ended 3,200 s ago counts in full, 4,800 s ago for half, 6,400 s ago for nothing.
    /// </summary>
    [Theory]
    [InlineData(100, 1.0)]
    [InlineData(3_300, 1.0)]
    [InlineData(4_900, 0.5)]
    [InlineData(6_500, 0.0)]
    public void Evidence_counts_in_full_up_to_half_the_horizon_and_fades_to_nothing_at_it(
        int asOfSeconds,
        double weight
    )
    {
        var definition = Definition with { Solving = new SolvingPolicy { HorizonSeconds = 6_400 } };
        var sums = new WorkloadSums(6_400);
        sums.Fold(Windows.Of(0, 100, Windows.Arrivals("math", 500)));
        var estimate = Estimator.Estimate(definition, sums, Windows.Start.AddSeconds(asOfSeconds));
        Assert.Equal(
            weight == 0 ? 0.1 : (4 + (weight * 500)) / (40 + (weight * 100)),
            estimate.Traffic!.AverageRate.Value,
            1e-12
        );
        Assert.Equal(weight == 0 ? 0 : 500, estimate.Arrivals);
    }

    [Fact]
    public void Adherence_counts_only_publishers_that_know_what_was_granted()
    {
        var known = Windows.Served("math", (80, 1), (100, 1));
        var sums = Folded(
            Windows.Of(0, 10, known with { Service = known.Service! with { TokensGranted = 200 } }),
            Windows.Of(0, 10, Windows.Served("math", (5_000, 1)))
        );
        var estimate = Estimator.Estimate(Definition, sums, Windows.Start);
        Assert.Equal(0.9, estimate.Adherence!.Value, 1e-12);
        Assert.Equal(0.9, estimate.TaskTypes[0].Adherence!.Value, 1e-12);
        Assert.Null(estimate.TaskTypes[1].Adherence);
    }

    [Fact]
    public void The_mean_system_time_is_over_all_types()
    {
        var sums = Folded(
            Windows.Of(
                0,
                10,
                Windows.Arrivals("math", 0) with
                {
                    System = new SystemSums
                    {
                        Completions = 1,
                        Millis = 1_000,
                        MillisSquared = 1_000_000,
                    },
                },
                Windows.Arrivals("novel", 0) with
                {
                    System = new SystemSums
                    {
                        Completions = 3,
                        Millis = 9_000,
                        MillisSquared = 27_000_000,
                    },
                }
            )
        );
        var estimate = Estimator.Estimate(Definition, sums, Windows.Start);
        Assert.Equal(2.5, estimate.MeanSystemTimeSeconds!.Value, 1e-12);
        Assert.Equal(1.0, estimate.TaskTypes[0].MeanSystemTimeSeconds!.Value, 1e-12);
    }

    [Fact]
    public void Sums_of_another_horizon_are_refused() =>
        Assert.Throws<ArgumentException>(() => Estimator.Estimate(Definition, new WorkloadSums(3_600), Windows.Start));

    [Fact]
    public void An_estimate_of_another_definition_is_refused()
    {
        var estimate = Estimator.Estimate(Definition, new WorkloadSums(21_600), Windows.Start);
        Assert.Throws<ArgumentException>(() =>
            ProblemBuilder.Build(Definition with { TaskTypes = [Definition.TaskTypes[1]] }, estimate)
        );
    }

    [Fact]
    public void An_estimate_survives_the_trip_through_JSON()
    {
        var json = StrictJson.Write(
            Estimator.Estimate(Definition, Synthetic(new Random(1), 600, 21_600), Windows.Start.AddSeconds(600))
        );
        Assert.True(StrictJson.TryRead<FleetEstimate>(json, out var again, out _));
        Assert.Equal(json, StrictJson.Write(again));
        Assert.StartsWith(
            "{\"version\":\"estimator/7\",\"asOf\":\"2026-11-23T10:10:00Z\"",
            Encoding.UTF8.GetString(json),
            StringComparison.Ordinal
        );
    }

    private sealed record Truth(string Id, double Rate, ServiceLine Service, AccuracyCurve Accuracy);

    private static TaskType Type(string id, double share, ServiceLine service, AccuracyCurve accuracy) =>
        new()
        {
            Id = id,
            Share = share,
            MaxTokens = 32_768,
            AccuracyFloor = 0.1,
            Weight = 2,
            Service = service,
            Accuracy = accuracy,
        };

    private static double At(AccuracyCurve curve, double tokens) =>
        curve.Floor + (curve.Gain * (1 - Math.Exp(-curve.RatePerToken * tokens)));

    private static TaskTypeEstimate Estimate(TaskWindow task) =>
        Estimator.Estimate(Definition, Folded(Windows.Of(0, 60, task)), Windows.Start.AddSeconds(60)).TaskTypes[0];

    private static WorkloadSums Folded(params WorkloadWindow[] windows)
    {
        var sums = new WorkloadSums(21_600);
        foreach (var window in windows)
            sums.Fold(window);
        return sums;
    }

    private static TaskWindow Verdicts(params (long Tokens, long Trials, long Correct)[] counts) =>
        Windows.Arrivals("math", 0) with
        {
            Accuracy =
            [
                .. counts.Select(count => new AccuracyCount
                {
                    Tokens = count.Tokens,
                    Trials = count.Trials,
                    Correct = count.Correct,
                }),
            ],
        };

    private static (long Tokens, long Trials, long Correct) WildVerdicts(Random random, int mostBits)
    {
        var trials = random.NextInt64(1, 2L << random.Next(0, mostBits));
        var correct = random.Next(4) switch
        {
            0 => 0,
            1 => trials,
            _ => random.NextInt64(trials + 1),
        };
        return (random.NextInt64(1L << random.Next(0, mostBits + 1)), trials, correct);
    }

    private static void AssertLegal(AccuracyCurve curve) =>
        Assert.True(
            curve.Floor >= -1
                && curve.Gain >= 0
                && curve.Floor + curve.Gain <= 1
                && curve.RatePerToken > 0
                && double.IsFinite(curve.RatePerToken),
            curve.ToString()
        );

    private static void AssertNear(double expected, double actual, double relative) =>
        Assert.InRange(actual, expected * (1 - relative), expected * (1 + relative));

    private static void AssertRecovered(Truth truth, TaskTypeEstimate seen)
    {
        AssertNear(truth.Rate / 1.6, seen.Share.Value, 0.1);
        AssertNear(truth.Service.BaseSeconds, seen.Service.Line.BaseSeconds, 0.12);
        AssertNear(truth.Service.SecondsPerToken, seen.Service.Line.SecondsPerToken, 0.03);
        var (floorError, gainError) = (
            Math.Sqrt(seen.Accuracy.Covariance.FloorFloor),
            Math.Sqrt(seen.Accuracy.Covariance.GainGain)
        );
        Assert.Equal(FitExit.Converged, seen.Accuracy.Exit);
        Assert.InRange(
            seen.Accuracy.Curve.Floor,
            truth.Accuracy.Floor - (4 * floorError),
            truth.Accuracy.Floor + (4 * floorError)
        );
        Assert.InRange(
            seen.Accuracy.Curve.Gain,
            truth.Accuracy.Gain - (4 * gainError),
            truth.Accuracy.Gain + (4 * gainError)
        );
        AssertNear(truth.Accuracy.RatePerToken, seen.Accuracy.Curve.RatePerToken, 0.25);
        foreach (var tokens in new[] { 0, 200, 800, 3_000 })
            Assert.Equal(At(truth.Accuracy, tokens), At(seen.Accuracy.Curve, tokens), 0.04);
    }

    /// <summary>
    /// Poisson arrivals in windows of 10 s, an exact line rounded to milliseconds, Bernoulli verdicts at six budgets.
    /// </summary>
    private static WorkloadSums Synthetic(Random random, int seconds, int horizon)
    {
        var sums = new WorkloadSums(horizon);
        for (var at = 0; at < seconds; at += 10)
            sums.Fold(Windows.Of(at, at + 10, [.. Truths.Select(truth => Synthetic(random, truth))]));
        return sums;
    }

    private static TaskWindow Synthetic(Random random, Truth truth)
    {
        long[] budgets = [0, 100, 300, 700, 1_500, 4_000];
        var granted = Enumerable
            .Range(0, Windows.Poisson(random, truth.Rate * 10))
            .Select(_ => budgets[random.Next(budgets.Length)])
            .ToArray();
        var queries = granted
            .Select(budget => (long)(budget * (0.5 + (0.5 * random.NextDouble()))))
            .Select(used =>
                (used, (long)Math.Round(1e3 * (truth.Service.BaseSeconds + (truth.Service.SecondsPerToken * used))))
            )
            .ToArray();
        var verdicts = granted
            .GroupBy(budget => budget)
            .Select(group => new AccuracyCount
            {
                Tokens = group.Key,
                Trials = group.Count(),
                Correct = group.Count(budget => random.NextDouble() < At(truth.Accuracy, budget)),
            });
        return Windows.Served(truth.Id, queries) with { Accuracy = [.. verdicts] };
    }
}
