using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Simulation;

namespace Platform.Domain.Tests.Estimation;

/// <summary>
/// Each flag fires where the model is wrong in its way, is quiet where the model holds, and changes nothing.
/// </summary>
public sealed class ValidityTests(ITestOutputHelper output)
{
    private const int Seeds = 40;
    private const int Seconds = 7_200;
    private const int Recent = Seconds - 900;

    private static readonly long[] Budgets = [0, 125, 250, 500, 1_000, 2_000];
    private static readonly AccuracyCurve Curve = new(0.2, 0.6, 0.002);

    private static readonly FleetDefinition Definition = EstimatorTests.Definition with
    {
        Servers = 1,
        Dispatch = Dispatch.Split,
        Objective = new FleetObjective { AccuracyWeight = 30 },
        TaskTypes = [Type("math", new ServiceLine(0.2, 0.001)), Type("code", new ServiceLine(0.1, 0.002))],
    };

    /// <summary>Each way to be wrong, with the flags that may say so; the first must.</summary>
    public static TheoryData<string, string[]> Faults =>
        new()
        {
            { "bursts", ["burstiness", "shareDispersion", "arrivalDrift", "type arrivalDrift"] },
            { "taking turns", ["shareDispersion", "type arrivalDrift"] },
            { "scatter", ["serviceSpread"] },
            { "budgets ignored", ["adherence"] },
            { "overthinking", ["curveMisfit", "convexity", "fallingAccuracy"] },
            { "a threshold of tokens", ["convexity", "curveMisfit"] },
            { "more arrivals", ["arrivalDrift", "type arrivalDrift", "burstiness"] },
            { "more of one type", ["type arrivalDrift", "arrivalDrift"] },
            { "slower servers", ["serviceDrift"] },
            { "a worse model", ["accuracyDrift"] },
            { "silence", ["staleness"] },
        };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_is_flagged_as_what_it_is(string fault, string[] flags)
    {
        var others = 0;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var seen = Flagged(Observed(seed, Faulty(fault), fault == "silence" ? 181 : 0));
            Assert.Contains(flags[0], seen);
            others += seen.Except(flags).Count();
        }

        // A dozen other checks of each seed, one in some hundreds wrong by chance.
        Assert.InRange(others, 0, 3);
    }

    /// <summary>
    /// 2,000 fleets for which the model holds but for their arrivals' chance: of single tests at 3 standard deviations
    /// one in 740 should be wrong, of the greatest of several at 4 less than one in 250. χ² beside the prior's pull and
    /// of few counts is not quite normal.
    /// </summary>
    [Theory]
    [InlineData(300)]
    [InlineData(3_000)]
    public void Flags_are_quiet_where_the_model_holds(long queries)
    {
        var alarms = new Dictionary<string, (int Flagged, int All)>(StringComparer.Ordinal);
        Parallel.For(
            0,
            2_000,
            seed =>
            {
                var estimate = new SyntheticFleet(seed, queries).Observed();
                lock (alarms)
                {
                    foreach (var (name, check) in Checks(estimate).Where(check => check.Check.Value is not null))
                        alarms[name] = (
                            alarms.GetValueOrDefault(name).Flagged + (check.Flagged ? 1 : 0),
                            alarms.GetValueOrDefault(name).All + 1
                        );
                }
            }
        );

        foreach (var (name, (flagged, all)) in alarms.OrderBy(alarm => alarm.Key, StringComparer.Ordinal))
            output.WriteLine($"{queries} queries, {name}: {flagged} of {all}");
        foreach (
            var name in new[]
            {
                "burstiness",
                "shareDispersion",
                "convexity",
                "arrivalDrift",
                "type arrivalDrift",
                "serviceDrift",
                "accuracyDrift",
                "fallingAccuracy",
                "staleness",
            }
        )
            Assert.InRange(alarms[name].Flagged, 0, alarms[name].All / 200.0);
        Assert.InRange(alarms["curveMisfit"].Flagged, 0, alarms["curveMisfit"].All / 125.0);
    }

    [Fact]
    public void A_fleet_without_a_fault_has_no_flag()
    {
        var quiet = Enumerable.Range(0, 200).Count(seed => Flagged(Observed(seed, _ => new Behaviour())).Count == 0);
        Assert.InRange(quiet, 190, 200);
    }

    [Theory]
    [InlineData(80, true)]
    [InlineData(89, true)]
    [InlineData(91, false)]
    [InlineData(109, false)]
    [InlineData(111, true)]
    public void Adherence_is_flagged_beyond_a_tenth(long usedOfHundred, bool flagged)
    {
        var served = Windows.Served("math", (usedOfHundred, 1_000));
        var sums = Folded([Windows.Of(0, 10, served with { Service = served.Service! with { TokensGranted = 100 } })]);
        var estimate = Estimator.Estimate(Definition, sums, Windows.Start.AddSeconds(10));
        Assert.Equal(flagged, estimate.Validity.Adherence.Flagged);
        Assert.Equal(flagged, estimate.TaskTypes[0].Validity.Adherence.Flagged);
        Assert.Equal(ValidityCheck.Unknown, estimate.TaskTypes[1].Validity.Adherence);
    }

    /// <summary>A deviation of d seconds around one second makes d²/(1 + d²) of E[S²]: 5 % at 0.23 s.</summary>
    [Theory]
    [InlineData(0.2, false)]
    [InlineData(0.27, true)]
    public void Spread_is_flagged_where_it_makes_more_than_a_twentieth_of_the_second_moment(
        double deviation,
        bool flagged
    )
    {
        (long, long)[] queries =
        [
            .. Enumerable
                .Range(0, 2_000)
                .Select(i => (100L, (long)(1_000 * (1 + (i % 2 == 0 ? deviation : -deviation))))),
        ];
        var spread = Estimator
            .Estimate(Definition, Folded([Windows.Of(0, 10, Windows.Served("math", queries))]), Windows.Start)
            .TaskTypes[0]
            .Validity.ServiceSpread;
        Assert.Equal(deviation * deviation / (1 + (deviation * deviation)), spread.Value!.Value, 1e-3);
        Assert.Equal(deviation, spread.Score!.Value, 1e-3);
        Assert.Equal(flagged, spread.Flagged);
    }

    /// <summary>Windows of 60 s: three of them may be missing.</summary>
    [Theory]
    [InlineData(180, false)]
    [InlineData(181, true)]
    [InlineData(30_000, true)]
    public void Silence_is_stale_after_three_windows(int seconds, bool stale)
    {
        var staleness = Observed(1, _ => new Behaviour(), seconds).Validity.Staleness;
        Assert.Equal(seconds, staleness.Value);
        Assert.Equal(stale, staleness.Flagged);
    }

    [Fact]
    public void Silence_of_short_windows_is_stale_after_a_minute()
    {
        var sums = Folded([Windows.Of(0, 1, Windows.Arrivals("math", 1))]);
        Assert.False(Estimator.Estimate(Definition, sums, Windows.Start.AddSeconds(61)).Validity.Staleness.Flagged);
        Assert.True(Estimator.Estimate(Definition, sums, Windows.Start.AddSeconds(62)).Validity.Staleness.Flagged);
        Assert.Equal(
            ValidityCheck.Unknown,
            Estimator.Estimate(Definition, new WorkloadSums(21_600), Windows.Start).Validity.Staleness
        );
    }

    /// <summary>
    /// Ten servers with a tenth of 0.3 arrivals a second each report one after the other, while time counts as covered
    /// from the first on. What that makes of λ is either within its interval or flagged.
    /// </summary>
    [Theory]
    [InlineData(10, 2, 0)]
    [InlineData(60, 2, 0.99)]
    [InlineData(600, 2, 1)]
    [InlineData(10, 6, 0)]
    [InlineData(60, 6, 0.99)]
    [InlineData(600, 6, 1)]
    public void A_start_at_which_not_all_servers_report_is_flagged_before_it_matters(
        int secondsApart,
        int hours,
        double flagged
    )
    {
        const double Rate = 0.3;
        var (wrong, seen, fleets) = (0, 0, 200);
        for (var seed = 0; seed < fleets; seed++)
        {
            var random = new Xoshiro256((ulong)seed);
            var windows = new List<WorkloadWindow>();
            for (var server = 0; server < 10; server++)
                windows.AddRange(Arrivals(ref random, Rate / 10, server * secondsApart, hours * 3_600));
            var estimate = Estimator.Estimate(
                Definition with
                {
                    ArrivalRate = Rate,
                },
                Folded(windows),
                Windows.Start.AddHours(hours)
            );
            var isFlagged = estimate.Validity.ArrivalDrift.Flagged || estimate.Validity.Burstiness.Flagged;
            seen += isFlagged ? 1 : 0;
            wrong += !isFlagged && (estimate.ArrivalRate.Lower > Rate || estimate.ArrivalRate.Upper < Rate) ? 1 : 0;
        }

        output.WriteLine(
            $"{secondsApart} s apart, {hours} h: flagged {seen}, wrong without a flag {wrong} of {fleets}"
        );
        Assert.InRange(seen, flagged * fleets, fleets);
        Assert.InRange(wrong, 0, 0.1 * fleets);
    }

    /// <summary>
    /// Four buckets of a horizon of 23,040 s without an arrival, then ten a minute: half an arrival stands for none.
    /// </summary>
    [Fact]
    public void Traffic_that_begins_after_silence_has_drifted()
    {
        var definition = Definition with { Solving = new SolvingPolicy { HorizonSeconds = 23_040 } };
        var sums = new WorkloadSums(23_040);
        for (var i = 0; i < 120; i++)
            sums.Fold(Windows.Of(i * 60, (i + 1) * 60, Windows.Arrivals("math", i < 24 ? 0 : 10)));
        var drift = Estimator.Estimate(definition, sums, Windows.Start.AddSeconds(7_200)).Validity.ArrivalDrift;
        Assert.True(drift.Flagged);
        Assert.Equal(960.0 / 96 / (0.5 / 24), drift.Value!.Value, 1e-9);
    }

    /// <summary>
    /// The same windows in another order, those of "math" with the fewest right answers last, those of "code" with the
    /// most arrivals, and some minutes of silence: another story, the same sums, one answer.
    /// </summary>
    [Fact]
    public void Flags_do_not_change_the_answer()
    {
        // Buckets of six whole windows, none older than half the horizon.
        var definition = Definition with
        {
            Solving = new SolvingPolicy { HorizonSeconds = 23_040 },
        };
        WorkloadWindow[] calm = [.. Served(new Xoshiro256(5), _ => new Behaviour(), 60)];
        TaskWindow[] math =
        [
            .. calm.Select(window => window.Tasks[0])
                .OrderBy(task => -task.Accuracy!.Sum(count => count.Correct) / (double)task.Arrivals),
        ];
        TaskWindow[] code = [.. calm.Select(window => window.Tasks[1]).OrderBy(task => task.Arrivals)];
        WorkloadWindow[] stormy = [.. calm.Select((window, i) => window with { Tasks = [math[i], code[i]] })];
        var (one, other) = (Estimate(calm, Seconds), Estimate(stormy, Seconds + 1_200));
        Assert.Empty(Flagged(one));
        Assert.Superset(
            new HashSet<string>(["arrivalDrift", "type arrivalDrift", "accuracyDrift", "staleness"]),
            Flagged(other)
        );

        var (expected, actual) = (ProblemBuilder.Build(definition, one), ProblemBuilder.Build(definition, other));
        Assert.Equal(one.Traffic!.AverageRate.Value, other.Traffic!.AverageRate.Value, 1e-12);
        foreach (var (type, same) in expected.TaskTypes.Zip(actual.TaskTypes))
        {
            Assert.Equal(type.Service.SecondsPerToken, same.Service.SecondsPerToken, 1e-12);
            Assert.Equal(type.Service.BaseSeconds, same.Service.BaseSeconds, 1e-10);
            Assert.Equal(type.Accuracy.RatePerToken, same.Accuracy.RatePerToken, 1e-9);
        }

        // Traffic that moves is another problem; whether curves and lines seem to is not.
        var sameTraffic = actual with
        {
            ArrivalRate = expected.ArrivalRate,
            TaskTypes =
            [
                .. actual.TaskTypes.Zip(expected.TaskTypes, (type, calmer) => type with { Share = calmer.Share }),
            ],
        };
        Assert.Equal(
            AllocationSolver.Solve(expected).Allocation!.Select(type => type.Tokens),
            AllocationSolver.Solve(sameTraffic).Allocation!.Select(type => type.Tokens)
        );

        FleetEstimate Estimate(WorkloadWindow[] windows, int at)
        {
            var sums = new WorkloadSums(definition.Solving.HorizonSeconds);
            foreach (var window in windows)
                sums.Fold(window);
            return Estimator.Estimate(definition, sums, Windows.Start.AddSeconds(at));
        }
    }

    private static TaskType Type(string id, ServiceLine service) =>
        new()
        {
            Id = id,
            Share = 0.5,
            MaxTokens = 32_768,
            Service = service,
            Accuracy = Curve,
        };

    /// <summary>How the task type "math" behaves; "code" is always as the model has it.</summary>
    private sealed record Behaviour
    {
        /// <summary>Arrivals per second.</summary>
        public double Rate { get; init; } = 0.5;

        /// <summary>Mean number of arrivals at the same time.</summary>
        public int Together { get; init; } = 1;

        /// <summary>Arrivals per second of "code".</summary>
        public double OtherRate { get; init; } = 0.5;

        /// <summary>Factor on service times.</summary>
        public double Slowness { get; init; } = 1;

        /// <summary>Standard deviation around the line, in seconds.</summary>
        public double Deviation { get; init; } = 0.03;

        /// <summary>Tokens used over tokens granted.</summary>
        public double Used { get; init; } = 1;

        /// <summary>Accuracy against granted tokens.</summary>
        public Func<long, double> Accuracy { get; init; } = tokens => SyntheticFleet.Accuracy(Curve, tokens);
    }

    /// <summary>What is wrong at each second.</summary>
    private static Func<int, Behaviour> Faulty(string fault)
    {
        var sound = new Behaviour();
        return fault switch
        {
            "bursts" => _ => sound with { Together = 8, Rate = 0.5 / 8, OtherRate = 0.02 },
            "taking turns" => second =>
                second / 720 % 2 == 0
                    ? sound with
                    {
                        Rate = 0.6,
                        OtherRate = 0.4,
                    }
                    : sound with
                    {
                        Rate = 0.4,
                        OtherRate = 0.6,
                    },
            "scatter" => _ => sound with { Deviation = 0.6 },
            "budgets ignored" => _ => sound with { Used = 0.6 },
            "overthinking" => _ =>
                sound with
                {
                    Accuracy = tokens =>
                        tokens switch
                        {
                            <= 125 => 0.4,
                            <= 500 => 0.8,
                            <= 1_000 => 0.6,
                            _ => 0.2,
                        },
                },
            "a threshold of tokens" => _ => sound with { Accuracy = tokens => tokens < 1_000 ? 0.2 : 0.8 },
            "more arrivals" => second => second < Recent ? sound : sound with { Rate = 0.8, OtherRate = 0.8 },
            "more of one type" => second => second < Recent ? sound : sound with { Rate = 0.8 },
            "slower servers" => second => second < Recent ? sound : sound with { Slowness = 1.02 },
            "a worse model" => second =>
                second < Recent
                    ? sound
                    : sound with
                    {
                        Accuracy = tokens => SyntheticFleet.Accuracy(Curve, tokens) - 0.2,
                    },
            _ => _ => sound,
        };
    }

    private static FleetEstimate Observed(int seed, Func<int, Behaviour> behaviour, int silence = 0) =>
        Estimator.Estimate(
            Definition,
            Folded(Served(new Xoshiro256((ulong)seed), behaviour, 60)),
            Windows.Start.AddSeconds(Seconds + silence)
        );

    private static WorkloadSums Folded(IEnumerable<WorkloadWindow> windows)
    {
        var sums = new WorkloadSums(Definition.Solving.HorizonSeconds);
        foreach (var window in windows)
            sums.Fold(window);
        return sums;
    }

    private static IEnumerable<WorkloadWindow> Served(
        Xoshiro256 random,
        Func<int, Behaviour> behaviour,
        int windowSeconds
    )
    {
        for (var start = 0; start < Seconds; start += windowSeconds)
        {
            var now = behaviour(start);
            var math = Served(ref random, "math", now, windowSeconds);
            var code = Served(ref random, "code", new Behaviour { Rate = now.OtherRate }, windowSeconds);
            yield return Windows.Of(start, start + windowSeconds, math, code);
        }
    }

    private static List<WorkloadWindow> Arrivals(ref Xoshiro256 random, double rate, int from, int until)
    {
        var windows = new List<WorkloadWindow>();
        var next = from + (random.NextExponential() / rate);
        for (var start = from; start + 60 <= until; start += 60)
        {
            var count = 0;
            for (; next < start + 60; next += random.NextExponential() / rate)
                count++;
            windows.Add(Windows.Of(start, start + 60, Windows.Arrivals("math", count)));
        }

        return windows;
    }

    private static TaskWindow Served(ref Xoshiro256 random, string id, Behaviour now, int windowSeconds)
    {
        var line = Definition.TaskTypes.Single(type => type.Id == id).Service;
        var queries = new List<(long Granted, long Used, long Millis, bool IsRight)>();
        for (
            var time = random.NextExponential() / now.Rate;
            time < windowSeconds;
            time += random.NextExponential() / now.Rate
        )
        {
            for (var i = 0; i < now.Together; i++)
            {
                var granted = Budgets[random.NextIndex(Budgets.Length, out var rest)];
                var used = (long)(now.Used * granted);
                var seconds = new GammaLaw(
                    now.Slowness * (line.BaseSeconds + (line.SecondsPerToken * used)),
                    now.Deviation * now.Deviation
                ).Next(ref random);
                queries.Add(
                    (
                        granted,
                        used,
                        (long)Math.Round(1e3 * seconds),
                        (rest >> 11) * (1.0 / (1UL << 53)) < now.Accuracy(granted)
                    )
                );
            }
        }

        var served = Windows.Served(id, [.. queries.Select(query => (query.Used, query.Millis))]);
        return served with
        {
            Service = served.Service! with { TokensGranted = queries.Sum(query => query.Granted) },
            Accuracy =
            [
                .. queries
                    .GroupBy(query => query.Granted)
                    .Select(group => new AccuracyCount
                    {
                        Tokens = group.Key,
                        Trials = group.Count(),
                        Correct = group.Count(query => query.IsRight),
                    }),
            ],
        };
    }

    private static IEnumerable<(string Name, ValidityCheck Check)> Checks(FleetEstimate estimate)
    {
        var fleet = estimate.Validity;
        yield return ("burstiness", fleet.Burstiness);
        yield return ("arrivalDrift", fleet.ArrivalDrift);
        yield return ("adherence", fleet.Adherence);
        yield return ("staleness", fleet.Staleness);
        foreach (var type in estimate.TaskTypes.Select(type => type.Validity))
        {
            yield return ("shareDispersion", type.ShareDispersion);
            yield return ("serviceSpread", type.ServiceSpread);
            yield return ("adherence", type.Adherence);
            yield return ("curveMisfit", type.CurveMisfit);
            yield return ("convexity", type.Convexity);
            yield return ("type arrivalDrift", type.ArrivalDrift);
            yield return ("serviceDrift", type.ServiceDrift);
            yield return ("accuracyDrift", type.AccuracyDrift);
            yield return ("fallingAccuracy", type.FallingAccuracy!);
            yield return ("oneSidedVerdicts", type.OneSidedVerdicts!);
            yield return ("serviceAgainstDefinition", type.ServiceAgainstDefinition!);
        }
    }

    private static HashSet<string> Flagged(FleetEstimate estimate) =>
        [.. Checks(estimate).Where(check => check.Check.Flagged).Select(check => check.Name)];
}
