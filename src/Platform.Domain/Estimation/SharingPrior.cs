using Platform.Domain.Allocation;

namespace Platform.Domain.Estimation;

/// <summary>
/// The prior of an unknown of at least 0: gamma with its mode and a deviation, −ln p = x/s − κ·ln x with κ = mode/s.
/// A κ of a hundredth at least keeps every unknown above 0, however little of it the data show.
/// </summary>
/// <param name="Mode">The definition's value.</param>
/// <param name="Deviation">s > 0.</param>
internal readonly record struct PositivePrior(double Mode, double Deviation)
{
    private const double LeastShape = 0.01;

    /// <summary>A prior that keeps an unknown above 0 and says hardly more.</summary>
    /// <param name="mode">Above 0.</param>
    public static PositivePrior Faint(double mode) => new(mode, mode / LeastShape);

    /// <summary>κ.</summary>
    public double Shape => Math.Max(Mode / Deviation, LeastShape);

    /// <summary>1/s, the pull towards 0.</summary>
    public double Pull => 1 / Deviation;

    /// <summary>Where the search for the maximum begins.</summary>
    public double Start => Shape * Deviation;

    /// <summary>How much the prior says at its mode, or at its deviation where the mode is 0.</summary>
    public double Precision => Mode > 0 ? Shape / (Mode * Mode) : 1 / (Deviation * Deviation);
}

/// <summary>
/// What the definition says of one task type of servers that share: its lone line as the work that slows others and the
/// overhead of its answer tokens. Where nobody tells these, the base is divided as a token is by default.
/// </summary>
internal sealed class SharingTypePrior
{
    /// <summary>
    /// Relative deviation of the answer tokens that a definition tells: they are counted, not guessed.
    /// </summary>
    internal const double ToldAnswerDeviation = 0.25;

    /// <summary>
    /// Deviation s of the overhead's prior over its mode: it is known to within half of itself, better than the work,
    /// so that at a single load the work gives way.
    /// </summary>
    internal const double OverheadDeviation = 0.25;

    /// <summary>Deviation s of a work's prior over its mode: how much queries slow each other is known least.</summary>
    internal const double WorkDeviation = 2;

    /// <summary>Least deviation of the work a token, seconds: a tenth of a fast server's time for a token.</summary>
    internal const double LeastWorkDeviation = 1e-4;

    /// <param name="type">The task type of the definition.</param>
    /// <param name="overhead">α of the definition, or the default for it.</param>
    /// <param name="answer">Mean answer tokens that windows tell; null for none.</param>
    public SharingTypePrior(TaskType type, double overhead, AnswerTokensSeen? answer)
    {
        Line = type.Service;
        var least = ServiceLineEstimator.LeastBaseDeviation;
        var isTold = answer is not null || type.AnswerTokens > 0;
        var told = overhead * (answer?.Mean ?? type.AnswerTokens);
        var presumed = ProblemBuilder.OverheadPart * type.Service.BaseSeconds;
        var answerSeconds = isTold ? Math.Min(told, type.Service.BaseSeconds) : presumed;
        var baseWork = Math.Max(type.Service.BaseSeconds - answerSeconds, 0);
        var workPerToken = Math.Max(type.Service.SecondsPerToken - overhead, 0);
        BaseWork = new PositivePrior(baseWork, Math.Max(WorkDeviation * baseWork, least));
        AnswerSeconds = isTold
            ? PositivePrior.Faint(Math.Max(answerSeconds, least))
            : new PositivePrior(answerSeconds, Math.Max(type.Service.BaseSeconds, least));
        WorkPerToken = new PositivePrior(workPerToken, Math.Max(WorkDeviation * workPerToken, LeastWorkDeviation));
        DefinedAnswerTokens = type.AnswerTokens;
        if (answer is { } seen)
            Tie(seen.Mean, overhead * seen.StandardError);
        else if (type.AnswerTokens > 0)
            Tie(type.AnswerTokens, ToldAnswerDeviation * told);
    }

    /// <summary>The definition's line.</summary>
    public ServiceLine Line { get; }

    /// <summary>β = a − α·m ≥ 0, seconds: the work of a query without reasoning tokens.</summary>
    public PositivePrior BaseWork { get; }

    /// <summary>b = α·m ≥ 0, seconds: the overhead of the answer tokens.</summary>
    public PositivePrior AnswerSeconds { get; }

    /// <summary>δ = c − α ≥ 0, seconds: the work of a reasoning token.</summary>
    public PositivePrior WorkPerToken { get; }

    /// <summary>m of the definition, 0 where it is left out.</summary>
    public double DefinedAnswerTokens { get; }

    /// <summary>
    /// b − α·m = 0 to within a deviation, where m is told by the definition or by windows; without a row where not.
    /// </summary>
    public ArrowEquations Told => _told;

    private ArrowEquations _told;

    private void Tie(double answerTokens, double deviation)
    {
        var weight = 1 / Math.Max(deviation * deviation, 1e-18);
        _told.AddRow(weight, new Vector3(0, 1, 0), -answerTokens, 0);
    }
}

/// <summary>Answer tokens of a task type's queries as windows told them.</summary>
/// <param name="Mean">Mean of a query.</param>
/// <param name="StandardError">Its standard error.</param>
internal readonly record struct AnswerTokensSeen(double Mean, double StandardError)
{
    /// <summary>Reads them; null where no window told any.</summary>
    /// <param name="tasks">The type's sums by bucket.</param>
    /// <param name="weights">The buckets' weights.</param>
    public static AnswerTokensSeen? Of(ReadOnlySpan<TaskSums?> tasks, ReadOnlySpan<double> weights)
    {
        var (count, squares, tokens) = (0.0, 0.0, 0.0);
        for (var i = 0; i < tasks.Length; i++)
        {
            if (tasks[i] is not { } task)
                continue;
            var queries = task.Of(WorkloadSum.AnswerCompletions);
            count += weights[i] * queries;
            squares += weights[i] * weights[i] * queries;
            tokens += weights[i] * task.Of(WorkloadSum.AnswerTokens);
        }

        // No squares are told: answers are taken to scatter as widely as the exponential law.
        return count > 0 ? new AnswerTokensSeen(tokens / count, tokens / count * Math.Sqrt(squares) / count) : null;
    }
}
