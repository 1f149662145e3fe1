using Platform.Domain.Allocation;
using Platform.Domain.Fleets;
using Platform.Domain.Queueing;

namespace Platform.Domain.Estimation;

/// <summary>
/// Servers that share as the windows saw them, held against what was learnt of them and against the theory.
/// </summary>
internal sealed class SharingObservations
{
    /// <summary>Queries that must have ended in a stretch of time before it counts.</summary>
    private const double LeastQueries = 10;

    /// <summary>Stretches that must count before they are compared.</summary>
    private const int LeastStretches = 8;

    /// <summary>Stretches on either side of a comparison, at least.</summary>
    private const int LeastInGroup = 6;

    /// <summary>Utilization of a stretch beyond which it ends before its queue has come to rest.</summary>
    private const double MostUtilization = 0.9;

    /// <summary>
    /// Relative error that a prediction has by itself: loads move within a stretch, times are rounded.
    /// </summary>
    private const double PredictionError = 0.05;

    private readonly FleetDefinition _definition;
    private readonly SharingFit _fit;
    private readonly Stretch[] _stretches;

    /// <param name="definition">The fleet's definition.</param>
    /// <param name="evidence">The fleet's sums.</param>
    /// <param name="fit">What was learnt.</param>
    public SharingObservations(FleetDefinition definition, WorkloadEvidence evidence, SharingFit fit)
    {
        _definition = definition;
        _fit = fit;
        var stretches = new Stretch[fit.InService.Stretches];
        for (var j = 0; j < stretches.Length; j++)
            stretches[j].Open(fit.InService.ByStretch[j], fit.InService.ServerSeconds[j]);
        for (var i = 0; i < evidence.Count; i++)
            stretches[fit.InService.StretchOf(i)].AddEnded(evidence.Weight[i], evidence.Ended[i]);
        for (var k = 0; k < fit.Services.Length; k++)
        {
            foreach (var cell in fit.Cells[k])
                stretches[fit.InService.StretchOf(cell.Bucket)].AddWork(cell, Costs(k));
        }

        _stretches = [.. stretches.Where(stretch => stretch.Known >= LeastQueries && stretch.ServerSeconds > 0)];
    }

    private double Overhead => _fit.Sharing.OverheadSecondsPerToken.Value;

    private int? Cap => _definition.Sharing?.MaxInService;

    /// <summary>
    /// System time seen over that which processor sharing predicts from the load of each stretch of time. The score
    /// divides the logarithm by the scatter of the stretches and by what the prediction may be off by itself.
    /// </summary>
    public ValidityCheck SystemTime()
    {
        var (seen, predicted, count) = (0.0, 0.0, 0);
        foreach (var stretch in _stretches.Where(IsPredictable))
        {
            seen += stretch.Weight * stretch.SystemSeconds;
            predicted += stretch.Weight * stretch.SystemCompletions * Predict(stretch);
            count++;
        }

        if (count < LeastStretches || !(predicted > 0) || !(seen > 0))
            return ValidityCheck.Unknown;
        var ratio = seen / predicted;
        var scatter = 0.0;
        foreach (var stretch in _stretches.Where(IsPredictable))
        {
            var expected = ratio * stretch.SystemCompletions * Predict(stretch);
            scatter += Square(stretch.Weight * (stretch.SystemSeconds - expected));
        }

        var seenError = Math.Sqrt(scatter * count / (count - 1)) / seen;
        var score = Elementary.Log(ratio) / Math.Sqrt(Square(seenError) + Square(PredictionError));
        var isFar = ratio > ValidityThresholds.SystemTimeRatio || ratio < 1 / ValidityThresholds.SystemTimeRatio;
        return new ValidityCheck(ratio, score, isFar && Math.Abs(score) > ValidityThresholds.LargestZScore);
    }

    /// <summary>The part of the system time that queries wait; the score is the greatest N over the cap.</summary>
    public ValidityCheck Saturation()
    {
        var (system, wait, most) = (0.0, 0.0, 0.0);
        foreach (var stretch in _stretches)
        {
            most = Math.Max(most, stretch.InService);
            if (!(stretch.SystemCompletions > 0))
                continue;
            system += stretch.Weight * stretch.SystemSeconds;
            var service = stretch.SystemCompletions * stretch.ServiceSeconds / stretch.Ended;
            wait += stretch.Weight * (stretch.SystemSeconds - service);
        }

        if (_stretches.Length == 0)
            return ValidityCheck.Unknown;
        double? part = system > 0 ? Math.Max(wait / system, 0) : null;
        double? atCap = most / Cap;
        var isFlagged = part > ValidityThresholds.Waiting || atCap > ValidityThresholds.AtCap;
        return part is null && atCap is null ? ValidityCheck.Unknown : new ValidityCheck(part, atCap, isFlagged);
    }

    /// <summary>
    /// Tokens completed a second in the quarter of the stretches with most in service, over the best quarter with
    /// fewer.
    /// </summary>
    public ValidityCheck MemoryCollapse()
    {
        if (_stretches.Length < LeastStretches)
            return ValidityCheck.Unknown;
        Stretch[] byLoad = [.. _stretches.OrderBy(stretch => stretch.InService)];
        var size = Math.Max(byLoad.Length / 4, 2);
        var top = Throughput.Of(byLoad.AsSpan(byLoad.Length - size));
        var best = default(Throughput);
        for (var end = byLoad.Length - size; end >= size; end -= size)
        {
            var group = Throughput.Of(byLoad.AsSpan(end - size, size));
            var isLess = group.InService * ValidityThresholds.MoreInService <= top.InService;
            if (isLess && group.Rate > best.Rate)
                best = group;
        }

        if (!(best.Rate > 0))
            return ValidityCheck.Unknown;
        var ratio = top.Rate / best.Rate;
        var score = (top.Rate - best.Rate) / Math.Sqrt(top.Variance + best.Variance);
        var isBeyondChance = score < -ValidityThresholds.LargestZScore;
        return new ValidityCheck(ratio, score, isBeyondChance && ratio < ValidityThresholds.ThroughputFall);
    }

    /// <summary>
    /// Mean time in service of a task type over that of its line at the load, in the stretches with most in service, an
    /// eighth of its time; unknown where the load did not move beyond chance. The score divides the logarithm by the
    /// scatter of these stretches.
    /// </summary>
    public ValidityCheck LoadResponse(int k)
    {
        if (_fit.InService.PartBeyondChance == 0)
            return ValidityCheck.Unknown;
        var groups = ByStretch(k);
        var highest = Highest(groups);
        var expected = highest.Sum(group => group.Expected);
        var ratio = highest.Sum(group => group.Seen) / expected;
        var isComparable = highest.Count >= LeastInGroup && highest.Count < groups.Count && ratio > 0;
        if (!isComparable)
            return ValidityCheck.Unknown;
        var squares = highest.Sum(group => Square(group.Seen - (ratio * group.Expected)));
        var error = Math.Sqrt(squares * highest.Count / (highest.Count - 1)) / expected;
        var score = error > 0 ? Elementary.Log(ratio) / error : 0;
        var isFar = ratio > ValidityThresholds.LoadResponse || ratio < 1 / ValidityThresholds.LoadResponse;
        return new ValidityCheck(ratio, score, isFar && Math.Abs(score) > ValidityThresholds.LargestZScore);
    }

    private static List<LoadGroup> Highest(List<LoadGroup> groups)
    {
        const double Part = 0.125;
        var most = Part * groups.Sum(group => group.Expected);
        var highest = new List<LoadGroup>();
        var expected = 0.0;
        foreach (var group in groups.OrderByDescending(group => group.InService))
        {
            if (highest.Count >= LeastInGroup && expected >= most)
                break;
            highest.Add(group);
            expected += group.Expected;
        }

        return highest;
    }

    /// <summary>Lone time at the tokens used by what was learnt, over that of the definition's line.</summary>
    public ValidityCheck AgainstDefinition(int k)
    {
        var (count, tokens) = (0.0, 0.0);
        foreach (var cell in _fit.Cells[k])
        {
            count += cell.Weight * cell.Count;
            tokens += cell.Weight * cell.Count * cell.MeanTokens;
        }

        if (count == 0)
            return ValidityCheck.Unknown;
        var defined = _definition.TaskTypes[k].Service.SecondsAt(tokens / count);
        if (!(defined > 0))
            return ValidityCheck.Unknown;
        var ratio = _fit.Services[k].Line.SecondsAt(tokens / count) / defined;
        return new ValidityCheck(ratio, null, WrongUnit.Suspects(ratio));
    }

    private List<LoadGroup> ByStretch(int k)
    {
        var groups = new List<LoadGroup>();
        var last = -1;
        foreach (var cell in _fit.Cells[k])
        {
            var stretch = _fit.InService.StretchOf(cell.Bucket);
            var seen = cell.Weight * cell.Count * cell.MeanSeconds;
            var expected = cell.Weight * _fit.Expected(k, cell);
            if (stretch == last)
                groups[^1] = groups[^1].Plus(seen, expected);
            else
                groups.Add(new LoadGroup(_fit.InService.ByStretch[stretch], seen, expected));
            last = stretch;
        }

        return groups;
    }

    private TypeCosts Costs(int k)
    {
        var answer = _fit.AnswerTokens[k].Value;
        var line = _fit.Services[k].Line;
        return new TypeCosts(
            answer,
            line.BaseSeconds - (Overhead * answer),
            line.SecondsPerToken - Overhead,
            line.SecondsPerTokenSquared
        );
    }

    private bool IsPredictable(Stretch stretch) =>
        stretch.SystemCompletions > 0
        && ProcessorSharing.Utilization(Rate(stretch), Load(stretch), Cap) < MostUtilization;

    private double Predict(Stretch stretch) =>
        ProcessorSharing.MeanSystemTimeSeconds(Rate(stretch), Load(stretch), Cap);

    private static double Rate(Stretch stretch) => stretch.Ended / stretch.ServerSeconds;

    private SharingLoad Load(Stretch stretch) =>
        new(Overhead * stretch.OutputTokens / stretch.Known, stretch.WorkSeconds / stretch.Known);

    private static double Square(double x) => x * x;

    /// <summary>What a query of a task type makes and costs.</summary>
    private readonly record struct TypeCosts(
        double AnswerTokens,
        double BaseWork,
        double WorkPerToken,
        double WorkPerTokenSquared
    );

    /// <summary>Seconds seen and expected of a task type in a stretch of time.</summary>
    private readonly record struct LoadGroup(double InService, double Seen, double Expected)
    {
        public LoadGroup Plus(double seen, double expected) => new(InService, Seen + seen, Expected + expected);
    }

    /// <summary>Tokens completed a second of a server in some stretches.</summary>
    private readonly record struct Throughput(double InService, double Rate, double Variance)
    {
        public static Throughput Of(ReadOnlySpan<Stretch> stretches)
        {
            var (seconds, busy, tokens, squares) = (0.0, 0.0, 0.0, 0.0);
            foreach (var stretch in stretches)
            {
                seconds += stretch.ServerSeconds;
                busy += stretch.ServiceSeconds;
                tokens += stretch.OutputTokens;
                squares += stretch.OutputTokensSquared;
            }

            return new Throughput(busy / seconds, tokens / seconds, squares / (seconds * seconds));
        }
    }

    /// <summary>Sums of one stretch of time.</summary>
    private struct Stretch
    {
        public double InService { get; private set; }

        public double ServerSeconds { get; private set; }

        public double Weight { get; private set; }

        /// <summary>Queries that ended, of all task types.</summary>
        public double Ended { get; private set; }

        public double ServiceSeconds { get; private set; }

        public double SystemCompletions { get; private set; }

        public double SystemSeconds { get; private set; }

        /// <summary>Queries that ended, of the task types that the definition knows.</summary>
        public double Known { get; private set; }

        public double OutputTokens { get; private set; }

        public double OutputTokensSquared { get; private set; }

        public double WorkSeconds { get; private set; }

        public void Open(double inService, double serverSeconds)
        {
            InService = inService;
            ServerSeconds = serverSeconds;
        }

        public void AddEnded(double weight, in EndedSums ended)
        {
            Weight = Math.Max(Weight, weight);
            Ended += ended.Completions;
            ServiceSeconds += ended.Millis / 1e3;
            SystemCompletions += ended.SystemCompletions;
            SystemSeconds += ended.SystemMillis / 1e3;
        }

        public void AddWork(ServiceCell cell, TypeCosts costs)
        {
            var output = cell.MeanTokens + costs.AnswerTokens;
            Known += cell.Count;
            OutputTokens += cell.Count * output;
            OutputTokensSquared += cell.TokensSquared + (cell.Count * output * output);
            WorkSeconds += cell.Count * (costs.BaseWork + (costs.WorkPerToken * cell.MeanTokens));
            var sumOfSquares = cell.TokensSquared + (cell.Count * cell.MeanTokens * cell.MeanTokens);
            WorkSeconds += costs.WorkPerTokenSquared * sumOfSquares;
        }
    }
}
