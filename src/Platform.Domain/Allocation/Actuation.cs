namespace Platform.Domain.Allocation;

/// <summary>
/// Chooses among what can be sent. Every type takes one of the two values next to its optimum, by all combinations
/// where there are few; then each type in turn takes the best value of its range and of those next to it, until none
/// gains. The objective is concave in each type by itself, so that what comes out is the best for each type as the
/// others stand; what another combination could gain is at most the loss.
/// </summary>
public static class Actuation
{
    /// <summary>Names the method. Changes whenever the answer to any problem can change.</summary>
    public const string Version = "neighbours/1";

    /// <summary>Combinations that are all looked at; of more, the least of each type are the start.</summary>
    private const int MostCombinations = 1_024;

    /// <summary>Rounds over all types: two or three are seen.</summary>
    private const int MostRounds = 8;

    /// <summary>What to send in place of an optimum.</summary>
    /// <param name="problem">A valid problem.</param>
    /// <param name="solution">Its solution, which is not infeasible.</param>
    /// <param name="actuator">What can be sent: something within the bounds of each type.</param>
    public static SentAllocation Choose(AllocationProblem problem, AllocationSolution solution, Actuator actuator) =>
        Choose(new AllocationModel(problem), solution, actuator);

    /// <inheritdoc cref="Choose(AllocationProblem, AllocationSolution, Actuator)"/>
    internal static SentAllocation Choose(AllocationModel model, AllocationSolution solution, Actuator actuator)
    {
        var problem = model.Problem;
        long[] optimum = [.. solution.Allocation!.Select(type => type.Tokens)];
        var options = optimum
            .Select((tokens, k) => new Options(actuator.Allowed, model.WholeLower[k], model.WholeUpper[k]))
            .ToArray();
        var tokens = Start(model, options, optimum);
        Ascend(model, options, tokens);
        var figures = WholeTokenFigures.Of(model, tokens);
        var isStable = figures.Idle > 0;
        return new SentAllocation
        {
            Method = Version,
            Allocation =
            [
                .. tokens.Select((it, k) => new SentTokens(problem.TaskTypes[k].Id, it, options[k].NameOf(it))),
            ],
            KeepsLimits =
                figures.KeepsLimits(problem) && options.Select((it, k) => it.IsWithin(tokens[k])).All(within => within),
            Objective = isStable ? figures.Objective : null,
            Loss = isStable ? solution.Objective - figures.Objective : null,
            MeanAccuracy = figures.MeanAccuracy,
            MeanSystemTimeSeconds = isStable ? figures.MeanSystemTime : null,
            Utilization = 1 - figures.Idle,
        };
    }

    /// <summary>The least of each type that can be sent within its bounds.</summary>
    internal static long[] Fewest(AllocationModel model, Actuator actuator)
    {
        var fewest = new long[model.Count];
        for (var k = 0; k < fewest.Length; k++)
            fewest[k] = new Options(actuator.Allowed, model.WholeLower[k], model.WholeUpper[k]).Least;
        return fewest;
    }

    /// <summary>
    /// The best combination of the values next to the optimum; the least of each type where there are too many, or none
    /// keeps the limits.
    /// </summary>
    private static long[] Start(AllocationModel model, Options[] options, long[] optimum)
    {
        var candidates = options.Select((it, k) => it.Around(optimum[k])).ToArray();
        long[] least = [.. candidates.Select(it => it[0])],
            best = least;
        var count = candidates.Aggregate(
            1L,
            (product, it) => product > MostCombinations ? product : product * it.Length
        );
        if (count > MostCombinations)
            return best;
        var most = Value(model, best);
        for (var combination = 1; combination < count; combination++)
        {
            var rest = combination;
            var tokens = new long[options.Length];
            for (var k = 0; k < tokens.Length; rest /= candidates[k++].Length)
                tokens[k] = candidates[k][rest % candidates[k].Length];
            if (Value(model, tokens) is var value && value > most)
                (best, most) = (tokens, value);
        }

        return [.. best];
    }

    private static void Ascend(AllocationModel model, Options[] options, long[] tokens)
    {
        var most = Value(model, tokens);
        for (var (round, gained) = (0, true); gained && round < MostRounds; round++)
        {
            gained = false;
            for (var k = 0; k < tokens.Length; k++)
            {
                var best = tokens[k];
                var ranges = options[k].Near(best);
                foreach (var candidate in ranges.SelectMany(range => Peaks(range.Min, range.Max, model, tokens, k)))
                {
                    tokens[k] = candidate;
                    if (Value(model, tokens) is var value && value > most)
                        (best, most, gained) = (candidate, value, true);
                }

                tokens[k] = best;
            }
        }
    }

    /// <summary>
    /// Where the objective can be greatest over one type's range: at its peak, and where the curve begins below 0 at
    /// the least or at the peak from where it reaches 0.
    /// </summary>
    private static IEnumerable<long> Peaks(long min, long max, AllocationModel model, long[] tokens, int k)
    {
        var isFlatAtFirst = !model.TakesRawCurves && model.Floor[k] < 0 && model.Curve(k, min) < 0;
        if (!isFlatAtFirst)
            return [Peak(min, max, model, tokens, k)];
        return FlatStarts.Rise(model, k, min, max) is { } rise ? [min, Peak(rise, max, model, tokens, k)] : [min];
    }

    /// <summary>
    /// Where the objective is greatest over one type's range, on which it is concave. Too many tokens break limits, too
    /// few never do: what is broken lies above.
    /// </summary>
    private static long Peak(long min, long max, AllocationModel model, long[] tokens, int k)
    {
        while (min < max)
        {
            var middle = min + ((max - min) / 2);
            if (At(middle) < At(middle + 1))
                min = middle + 1;
            else
                max = middle;
        }

        return min;

        double At(long value)
        {
            tokens[k] = value;
            return Value(model, tokens);
        }
    }

    private static double Value(AllocationModel model, long[] tokens)
    {
        var figures = WholeTokenFigures.Of(model, tokens);
        return figures.KeepsLimits(model.Problem) ? figures.Objective : double.NegativeInfinity;
    }

    /// <summary>
    /// What can be sent for one type: within its bounds, or the nearest to them where there is nothing within.
    /// </summary>
    private readonly struct Options
    {
        private readonly (long Min, long Max, string? Name)[] _ranges;
        private readonly long _lower,
            _upper;

        public Options(IReadOnlyList<TokenRange> allowed, long lower, long upper)
        {
            (_lower, _upper) = (lower, upper);
            _ranges =
            [
                .. allowed
                    .Where(it => it.Max >= lower && it.Min <= upper)
                    .Select(it => (Math.Max(it.Min, lower), Math.Min(it.Max, upper), it.Name)),
            ];
            if (_ranges.Length == 0)
            {
                // A floor of the accuracy that was estimated since lies above all that can be sent below it, or in a
                // hole.
                var nearest = allowed.MinBy(it => it.Min > upper ? it.Min - upper : lower - it.Max)!;
                var only = nearest.Min > upper ? nearest.Min : nearest.Max;
                _ranges = [(only, only, nearest.Name)];
            }
        }

        public long Least => _ranges[0].Min;

        public bool IsWithin(long tokens) => tokens >= _lower && tokens <= _upper;

        public string? NameOf(long tokens) => _ranges.First(it => tokens >= it.Min && tokens <= it.Max).Name;

        /// <summary>
        /// The value itself where it can be sent; else the one below and the one above, as far as there are.
        /// </summary>
        public long[] Around(long tokens)
        {
            if (_ranges.Any(it => tokens >= it.Min && tokens <= it.Max))
                return [tokens];
            return
            [
                .. _ranges.Where(it => it.Max < tokens).TakeLast(1).Select(it => it.Max),
                .. _ranges.Where(it => it.Min > tokens).Take(1).Select(it => it.Min),
            ];
        }

        /// <summary>The range of a value that can be sent, and those next to it.</summary>
        public IEnumerable<(long Min, long Max)> Near(long tokens)
        {
            var here = Array.FindIndex(_ranges, it => tokens >= it.Min && tokens <= it.Max);
            return _ranges[Math.Max(0, here - 1)..Math.Min(_ranges.Length, here + 2)].Select(it => (it.Min, it.Max));
        }
    }
}
