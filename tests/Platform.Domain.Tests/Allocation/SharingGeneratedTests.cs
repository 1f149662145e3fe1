using Platform.Domain.Allocation;
using Costs = Platform.Domain.Tests.Allocation.SharingProblems.Costs;

namespace Platform.Domain.Tests.Allocation;

/// <summary>Thousands of problems whose servers share: what must hold of an optimum, whatever found it.</summary>
public sealed class SharingGeneratedTests
{
    private const int MostTypes = 6;

    /// <summary>Where whole tokens are not what is looked at.</summary>
    private static readonly SolverOptions Plain = new() { Rounding = RoundingMethod.Nearest };

    /// <summary>Ten thousand in all, half of them with a cap on the queries in service.</summary>
    [Theory]
    [InlineData(0, 4_000, false)]
    [InlineData(1, 3_500, false)]
    [InlineData(2, 500, false)]
    [InlineData(0, 1_000, true)]
    [InlineData(1, 800, true)]
    [InlineData(2, 200, true)]
    public void Nothing_near_or_far_is_better(int costs, int count, bool capped)
    {
        var faults = new List<string>();
        for (var seed = 0; seed < count; seed++)
        {
            var problem = SharingProblems.Make(seed, MostTypes, (Costs)costs, capped);
            var solution = Solve(problem);
            if (Fault(problem, solution, seed) is { } fault)
                faults.Add($"{seed}: {fault}");
        }

        Assert.True(faults.Count == 0, $"{faults.Count} faults\n{string.Join('\n', faults.Take(20))}");
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    public void Within_limits_nothing_near_or_far_is_better(int costs, bool capped)
    {
        var faults = new List<string>();
        var bound = 0;
        for (var seed = 0; seed < 300; seed++)
        {
            if (Limited(seed, (Costs)costs, capped) is not { } problem)
                continue;
            var solution = Solve(problem);
            bound += Sum(solution.ShadowPrices!) > 0 ? 1 : 0;
            if (Fault(problem, solution, seed) is { } fault)
                faults.Add($"{seed}: {fault}");
        }

        Assert.True(faults.Count == 0, $"{faults.Count} faults\n{string.Join('\n', faults.Take(20))}");
        Assert.True(bound > 100, $"{bound} with a limit that binds");
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(1, true)]
    public void Shadow_prices_are_what_a_limit_brings(int costs, bool capped)
    {
        var faults = new List<string>();
        var priced = 0;
        for (var seed = 0; seed < 250; seed++)
        {
            if (Limited(seed, (Costs)costs, capped) is not { } problem)
                continue;
            var tighter = Scaled(problem, 1 - 1e-5);
            var looser = Scaled(problem, 1 + 1e-5);
            var before = AllocationSolver.SolveInSteps(tighter, Plain).Answer;
            var after = Solve(looser);
            if (before.Status == SolutionStatus.Infeasible)
                continue;
            var gain = after.Continuous!.Objective - before.Continuous!.Objective;
            var most = Promise(before.ShadowPrices!, tighter, looser);
            var least = Promise(after.ShadowPrices!, tighter, looser);
            var noise = 2e-12 * (1 + Math.Abs(after.Continuous.Objective));
            priced += most > 0 ? 1 : 0;
            if (gain > Math.Max(most, least) + noise || gain < Math.Min(most, least) - noise)
                faults.Add($"{seed}: the limits bring {gain:E6}, not {least:E6} to {most:E6}: {before.ShadowPrices}");
            if (most - least > (0.01 * most) + noise && most == 0)
                faults.Add($"{seed}: the prices jump from {most:E3} to {least:E3}");
        }

        Assert.True(faults.Count == 0, $"{faults.Count} faults\n{string.Join('\n', faults.Take(20))}");
        Assert.True(priced > 80, $"{priced} with a limit that binds");
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(1, true)]
    public void Sensitivities_are_those_of_finite_differences(int costs, bool capped)
    {
        var faults = new List<string>();
        for (var seed = 0; seed < 200; seed++)
        {
            var problem = FreeOrLimited(seed, (Costs)costs, capped);
            if (problem is null)
                continue;
            Compare(
                "arrival rate",
                problem with
                {
                    ArrivalRate = problem.ArrivalRate * (1 - 1e-6),
                },
                problem with
                {
                    ArrivalRate = problem.ArrivalRate * (1 + 1e-6),
                },
                2e-6 * problem.ArrivalRate,
                it => it.ObjectivePerArrivalRate
            );
            Compare(
                "accuracy weight",
                problem with
                {
                    AccuracyWeight = problem.AccuracyWeight * (1 - 1e-6),
                },
                problem with
                {
                    AccuracyWeight = problem.AccuracyWeight * (1 + 1e-6),
                },
                2e-6 * problem.AccuracyWeight,
                it => it.ObjectivePerAccuracyWeight
            );

            void Compare(
                string what,
                AllocationProblem less,
                AllocationProblem more,
                double step,
                Func<Sensitivities, double> slope
            )
            {
                var before = AllocationSolver.Solve(less, Plain);
                var after = AllocationSolver.Solve(more, Plain);
                if (before.Status == SolutionStatus.Infeasible || after.Status == SolutionStatus.Infeasible)
                    return;
                var difference = (after.Continuous!.Objective - before.Continuous!.Objective) / step;
                var first = slope(before.Diagnostics!.Sensitivities!);
                var last = slope(after.Diagnostics!.Sensitivities!);
                var noise = 4e-13 * (1 + Math.Abs(after.Continuous.Objective)) / step;
                var room = Math.Abs(last - first) + (1e-9 * Math.Abs(first)) + noise;
                if (Math.Abs(difference - first) > room)
                    faults.Add($"{seed}: {difference:E9} by {what}, not {first:E9} to {last:E9}");
            }
        }

        Assert.True(faults.Count == 0, $"{faults.Count} faults\n{string.Join('\n', faults.Take(20))}");
    }

    [Theory]
    [InlineData(0, false, 4.5)]
    [InlineData(1, false, 6)]
    [InlineData(0, true, 7.5)]
    [InlineData(1, true, 10)]
    public void A_handful_of_sweeps_over_the_types_is_enough(int costs, bool capped, double most)
    {
        const int Problems = 300;
        var sweeps = 0;
        for (var seed = 0; seed < Problems; seed++)
        {
            var method = new AllocationModel(SharingProblems.Make(seed, MostTypes, (Costs)costs, capped)).Method();
            method.Solve();
            sweeps += method.Sweeps;
        }

        Assert.InRange((double)sweeps / Problems, 1, most);
    }

    /// <summary>All of a token is then overhead: it slows nobody else, but takes its own time.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(16)]
    public void Tokens_without_marginal_work_cost_their_overhead(int? cap)
    {
        var example = SharingProblems.Example;
        var overhead = example.Sharing!.OverheadSecondsPerToken!.Value;
        var problem = example with
        {
            Sharing = example.Sharing with { MaxInService = cap },
            TaskTypes =
            [
                .. example.TaskTypes.Select(type =>
                    type with
                    {
                        Service = new ServiceLine(0.05 + (overhead * type.AnswerTokens), overhead),
                    }
                ),
            ],
        };
        var solution = Solve(problem);
        Assert.Null(Fault(problem, solution, 0));
        Assert.InRange(solution.Continuous!.OptimalityGap, 0, 1e-9);
        Assert.InRange(solution.MeanTokens!.Value, 100, 10_000);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void Order_of_the_task_types_does_not_matter(int costs, bool capped)
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var problem = SharingProblems.Make(seed, MostTypes, (Costs)costs, capped);
            var there = Solve(problem);
            var back = Solve(problem with { TaskTypes = [.. problem.TaskTypes.Reverse()] });
            SameObjective(there.Continuous!.Objective, back.Continuous!.Objective, seed);
            foreach (var (a, b) in there.Allocation!.Zip(back.Allocation!.Reverse()))
                SameTokens(a.TokensContinuous, b.TokensContinuous, seed);
        }
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(1, false)]
    public void Another_unit_of_time_changes_the_unit_of_the_answer_and_nothing_else(int costs, bool capped)
    {
        const double Unit = 1_000;
        for (var seed = 0; seed < 200; seed++)
        {
            var problem = FreeOrLimited(seed, (Costs)costs, capped);
            if (problem is null)
                continue;
            var seconds = Solve(problem);
            var millis = Solve(InMillis(problem, Unit));
            SameObjective(seconds.Continuous!.Objective, millis.Continuous!.Objective / Unit, seed);
            Assert.Equal(
                seconds.MeanInService!.Value,
                millis.MeanInService!.Value,
                1e-6 * (1 + seconds.MeanInService.Value)
            );
            foreach (var (a, b) in seconds.Allocation!.Zip(millis.Allocation!))
                SameTokens(a.TokensContinuous, b.TokensContinuous, seed);
        }
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(1, false)]
    public void A_type_that_is_split_in_two_equal_ones_has_their_tokens(int costs, bool capped)
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var problem = SharingProblems.Make(seed, MostTypes, (Costs)costs, capped);
            var first = problem.TaskTypes[0];
            var half = first with { Share = first.Share / 2 };
            TaskType[] halves = [half, half with { Id = "half" }];
            var whole = Solve(problem);
            var split = Solve(problem with { TaskTypes = [.. halves, .. problem.TaskTypes.Skip(1)] });
            SameObjective(whole.Continuous!.Objective, split.Continuous!.Objective, seed);
            SameTokens(whole.Allocation![0].TokensContinuous, split.Allocation![0].TokensContinuous, seed);
            SameTokens(whole.Allocation[0].TokensContinuous, split.Allocation[1].TokensContinuous, seed);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Servers_with_as_many_times_the_arrivals_are_as_one(bool capped)
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var problem = SharingProblems.Make(seed, MostTypes, (Costs)(seed % 2), capped);
            problem = problem with { Servers = 1, ArrivalRate = problem.ArrivalRate / problem.Servers };
            var one = Solve(problem);
            var four = Solve(problem with { Servers = 4, ArrivalRate = problem.ArrivalRate * 4 });
            Assert.Equal(one.Continuous!.Objective, four.Continuous!.Objective);
            Assert.Equal(
                one.Allocation!.Select(it => it.TokensContinuous),
                four.Allocation!.Select(it => it.TokensContinuous)
            );
            Assert.Equal(one.MeanInService, four.MeanInService);
        }
    }

    /// <summary>
    /// J is below its tangent, scaled by 1 − η, among all allocations that lose so much: what whole tokens are proven
    /// by.
    /// </summary>
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(1, true)]
    [InlineData(2, true)]
    public void J_lies_below_its_scaled_tangent(int costs, bool capped)
    {
        var looked = 0;
        var bent = 0;
        for (var seed = 0; seed < 600; seed++)
        {
            var problem = SharingProblems.Make(seed, MostTypes, (Costs)costs, capped);
            var model = new AllocationModel(problem);
            var point = model.Method().Solve();
            if (!(point.Sharing!.Bending < 1))
                continue;
            var reference = new SharingReference(problem);
            var random = new Random(seed);
            for (var attempt = 0; attempt < 60; attempt++)
            {
                var tokens = attempt % 4 == 0 ? reference.Anywhere(random) : Near(reference, point.Tokens, random);
                var gain = reference.Objective(tokens) - point.Objective;
                var noise = point.Gap + (1e-12 * (1 + Math.Abs(point.Objective) + Math.Abs(gain)));
                var loss = Math.Max(-gain, 0) + noise;
                if (!double.IsFinite(gain) || IsBeyondUse(model, point, tokens))
                    continue;
                var bending = SharingBending.Of(model, point.Sharing.At, point.Tokens, point.Prices, loss);
                if (!(bending < 1))
                    continue;
                var bound = (1 - bending) * tokens.Select((l, k) => Tangent(model, point, k, l)).Sum();
                Assert.True(
                    gain <= bound + noise,
                    $"{seed}: J rises by {gain:E9}, its tangent by {bound:E9}, η {bending}"
                );
                looked++;
                bent += bending > 1e-3 ? 1 : 0;
            }
        }

        Assert.True(looked > 5_000 && bent > 500, $"{looked} allocations, {bent} of them where E[T] bends");
    }

    /// <summary>The proof's bound stands above the best of many climbs from anywhere.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void No_climb_comes_above_the_bound(int costs)
    {
        var reached = 0;
        for (var seed = 0; seed < 120; seed++)
        {
            var problem = SharingProblems.Make(seed, 4, (Costs)costs);
            var model = new AllocationModel(problem);
            var point = model.Method().Solve();
            var (_, bound) = SharingProof.Of(model, point);
            var reference = new SharingReference(problem);
            var random = new Random(seed);
            for (var start = 0; start < 6; start++)
            {
                var best = Climb(reference, reference.Anywhere(random), random);
                var noise = 1e-12 * (1 + Math.Abs(best));
                Assert.True(best <= bound + noise, $"{seed}: a climb to {best:R} above the bound {bound:R}");
                Assert.True(
                    best <= point.Objective + point.Gap + noise,
                    $"{seed}: a climb to {best:R} above {point.Objective:R}"
                );
                reached += best >= point.Objective - (1e-6 * (1 + Math.Abs(best))) ? 1 : 0;
            }
        }

        Assert.True(reached > 300, $"{reached} climbs came to the optimum");
    }

    private static AllocationProblem? FreeOrLimited(int seed, Costs costs, bool capped) =>
        seed % 2 == 0 ? SharingProblems.Make(seed, MostTypes, costs, capped) : Limited(seed, costs, capped);

    private static AllocationSolution Solve(AllocationProblem problem) =>
        AllocationSolver.SolveInSteps(problem, Plain).Answer;

    private static string? Fault(AllocationProblem problem, AllocationSolution solution, int seed)
    {
        if (solution.Status != SolutionStatus.Optimal)
            return "infeasible";
        var continuous = solution.Continuous!;
        if (!(continuous.KktResidual <= 1e-11) || !(continuous.OptimalityGap >= 0))
            return $"{continuous}";
        var reference = new SharingReference(problem);
        var random = new Random(seed);
        double[] optimum = [.. solution.Allocation!.Select(type => type.TokensContinuous)];
        var noise = 1e-12 * (1 + Math.Abs(continuous.Objective));
        if (!(Math.Abs(reference.Objective(optimum) - continuous.Objective) <= 100 * noise))
            return $"J is {reference.Objective(optimum):R}, not {continuous.Objective:R}";
        long[] whole = [.. solution.Allocation!.Select(type => type.Tokens)];
        if (AllocationSolver.Objective(problem, whole) != solution.Objective)
            return "the whole tokens break a limit, or their objective is another";
        foreach (var tokens in Moved(reference, optimum, random))
        {
            var objective = reference.Objective(tokens);
            if (reference.Keeps(tokens) && objective > continuous.Objective + continuous.OptimalityGap + noise)
                return $"{objective:R} is better than {continuous.Objective:R}, gap {continuous.OptimalityGap:E2}";
        }

        return null;
    }

    /// <summary>Every type a little and much more and less; pairs against each other; and anything at all.</summary>
    private static IEnumerable<double[]> Moved(SharingReference reference, double[] optimum, Random random)
    {
        for (var k = 0; k < optimum.Length; k++)
        {
            foreach (var by in (double[])[-10, -0.1, 0.1, 10])
                yield return With(reference, optimum, (k, by));
            var other = random.Next(optimum.Length);
            var size = Math.Pow(10, (4 * random.NextDouble()) - 2);
            if (other != k)
                yield return With(reference, optimum, (k, size), (other, -size * random.NextDouble() * 2));
        }

        for (var i = 0; i < 6; i++)
            yield return i % 2 == 0 ? reference.Anywhere(random) : Near(reference, optimum, random);
    }

    private static double[] With(
        SharingReference reference,
        double[] tokens,
        params ReadOnlySpan<(int Type, double By)> moves
    )
    {
        double[] moved = [.. tokens];
        foreach (var (k, by) in moves)
            moved[k] = Math.Clamp(moved[k] + by, reference.Lower(k), reference.Upper(k));
        return moved;
    }

    private static double[] Near(SharingReference reference, double[] tokens, Random random)
    {
        var size = Math.Pow(10, (5 * random.NextDouble()) - 2);
        return
        [
            .. tokens.Select(
                (l, k) =>
                    Math.Clamp(l + (size * ((2 * random.NextDouble()) - 1)), reference.Lower(k), reference.Upper(k))
            ),
        ];
    }

    /// <summary>Whether a type has tokens that cost more than they bring even on an idle server.</summary>
    private static bool IsBeyondUse(AllocationModel model, ContinuousPoint point, double[] tokens)
    {
        for (var k = 0; k < tokens.Length; k++)
        {
            var cost = model.Cost[k] + (2 * model.Sharing!.Square[k] * point.Tokens[k]);
            if (tokens[k] > point.Tokens[k] && SharingCertificate.Gain(model, k, tokens[k]) < cost)
                return true;
        }

        return false;
    }

    /// <summary>φ of a type: what its tokens bring less what the optimum charges for output and work.</summary>
    private static double Tangent(AllocationModel model, ContinuousPoint point, int k, double tokens)
    {
        var at = point.Tokens[k];
        var optimum = point.Sharing!;
        var accuracy = model.Accuracy(k, tokens) - model.Accuracy(k, at);
        var value = model.Problem.AccuracyWeight * model.Weight[k] * accuracy;
        var work = model.Sharing!.WorkOf(k, tokens) - model.Sharing.WorkOf(k, at);
        return model.Share[k] * (value - ((tokens - at) * optimum.PerOutput) - (work * optimum.PerWork));
    }

    /// <summary>One type after the other moves while that helps, by steps that halve.</summary>
    private static double Climb(SharingReference reference, double[] tokens, Random random)
    {
        var steps = tokens.Select((_, k) => (reference.Upper(k) - reference.Lower(k)) / 4).ToArray();
        var best = reference.Objective(tokens);
        while (double.IsNegativeInfinity(best))
        {
            tokens = [.. tokens.Select((l, k) => (l + reference.Lower(k)) / 2)];
            best = reference.Objective(tokens);
        }

        while (steps.Max() > 1e-3)
        {
            var k = random.Next(tokens.Length);
            var up = With(reference, tokens, (k, steps[k]));
            var down = With(reference, tokens, (k, -steps[k]));
            var above = reference.Objective(up);
            var below = reference.Objective(down);
            var most = Math.Max(above, below);
            if (!(most > best))
            {
                steps[k] /= 2;
                continue;
            }

            best = most;
            tokens = above >= below ? up : down;
        }

        return best;
    }

    /// <summary>
    /// The same with one limit or two that bind, or nearly; null where its optimum is at the fewest tokens.
    /// </summary>
    private static AllocationProblem? Limited(int seed, Costs costs, bool capped)
    {
        var free = SharingProblems.Make(seed, MostTypes, costs, capped);
        var random = new Random(seed + 1_000_000);
        var optimum = Solve(free);
        long[] least = [.. free.TaskTypes.Select(type => type.MinTokens)];
        var fewest = WholeTokenFigures.Of(new AllocationModel(free), least);
        long[] granted = [.. optimum.Allocation!.Select(type => type.Tokens)];
        var then = WholeTokenFigures.Of(new AllocationModel(free), granted);
        if (then.MeanTokens < fewest.MeanTokens + 1)
            return null;
        var limited = free;
        for (var i = 0; i <= random.Next(2); i++)
            limited = WithLimit(limited, random.Next(5), fewest, then, 0.2 + (0.75 * random.NextDouble()));
        return limited;
    }

    private static AllocationProblem WithLimit(
        AllocationProblem problem,
        int which,
        in WholeTokenFigures fewest,
        in WholeTokenFigures then,
        double part
    ) =>
        which switch
        {
            0 => problem with { MeanTokenBudget = Between(fewest.MeanTokens, then.MeanTokens, part) },
            1 => problem with { MaxMeanSystemTimeSeconds = Between(fewest.MeanSystemTime, then.MeanSystemTime, part) },
            2 => problem with { MaxUtilization = Between(1 - fewest.Idle, 1 - then.Idle, part) },
            3 => problem with { MaxInterTokenSeconds = Between(fewest.InterToken, then.InterToken, part) },
            _ => problem with
            {
                MaxTimeToFirstAnswerTokenSeconds = Between(fewest.FirstAnswer, then.FirstAnswer, part),
            },
        };

    private static double Between(double low, double high, double part) => low + ((high - low) * part);

    private static AllocationProblem Scaled(AllocationProblem problem, double by) =>
        problem with
        {
            MeanTokenBudget = problem.MeanTokenBudget * by,
            MaxMeanSystemTimeSeconds = problem.MaxMeanSystemTimeSeconds * by,
            MaxUtilization = problem.MaxUtilization * by,
            MaxInterTokenSeconds = problem.MaxInterTokenSeconds * by,
            MaxTimeToFirstAnswerTokenSeconds = problem.MaxTimeToFirstAnswerTokenSeconds * by,
        };

    private static double Promise(ShadowPrices prices, AllocationProblem from, AllocationProblem to) =>
        (prices.MeanTokenBudget * (to.MeanTokenBudget - from.MeanTokenBudget) ?? 0)
        + (prices.MaxMeanSystemTime * (to.MaxMeanSystemTimeSeconds - from.MaxMeanSystemTimeSeconds) ?? 0)
        + (prices.MaxUtilization * (to.MaxUtilization - from.MaxUtilization) ?? 0)
        + (prices.MaxInterTokenSeconds * (to.MaxInterTokenSeconds - from.MaxInterTokenSeconds) ?? 0)
        + (
            prices.MaxTimeToFirstAnswerTokenSeconds
                * (to.MaxTimeToFirstAnswerTokenSeconds - from.MaxTimeToFirstAnswerTokenSeconds)
            ?? 0
        );

    private static double Sum(ShadowPrices prices) =>
        prices.MeanTokenBudget
        + prices.MaxMeanSystemTime
        + prices.MaxUtilization
        + (prices.MaxInterTokenSeconds ?? 0)
        + (prices.MaxTimeToFirstAnswerTokenSeconds ?? 0);

    private static AllocationProblem InMillis(AllocationProblem problem, double unit) =>
        problem with
        {
            ArrivalRate = problem.ArrivalRate / unit,
            AccuracyWeight = problem.AccuracyWeight * unit,
            Sharing = problem.Sharing! with
            {
                OverheadSecondsPerToken = problem.Sharing.OverheadSecondsPerToken * unit,
            },
            MaxMeanSystemTimeSeconds = problem.MaxMeanSystemTimeSeconds * unit,
            MaxInterTokenSeconds = problem.MaxInterTokenSeconds * unit,
            MaxTimeToFirstAnswerTokenSeconds = problem.MaxTimeToFirstAnswerTokenSeconds * unit,
            TaskTypes =
            [
                .. problem.TaskTypes.Select(type =>
                    type with
                    {
                        Service = new ServiceLine(
                            type.Service.BaseSeconds * unit,
                            type.Service.SecondsPerToken * unit,
                            0,
                            type.Service.SecondsPerTokenSquared * unit
                        ),
                    }
                ),
            ],
        };

    private static void SameObjective(double expected, double actual, int seed) =>
        Assert.True(
            Math.Abs(expected - actual) <= 1e-11 * (1 + Math.Abs(expected)),
            $"{seed}: {expected:R} against {actual:R}"
        );

    private static void SameTokens(double expected, double actual, int seed) =>
        Assert.True(
            Math.Abs(expected - actual) <= 1e-5 + (1e-7 * expected),
            $"{seed}: {expected:R} against {actual:R} tokens"
        );
}
