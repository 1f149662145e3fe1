using Platform.Domain.Queueing;

namespace Platform.Domain.Allocation;

/// <summary>
/// The numbers of a problem whose servers share, beside those of <see cref="TypeColumns"/>: one array for each symbol
/// of <c>docs/solving.md</c>. A query of l tokens makes o = m + l output tokens, takes s(l) = a + c l + q l² seconds
/// alone on the server, and its marginal work is w(l) = s(l) − α o.
/// </summary>
internal sealed class SharingColumns
{
    /// <summary>α, seconds: what all queries in service share of an iteration.</summary>
    public readonly double Overhead;

    /// <summary>B, most queries in service; null for no cap.</summary>
    public readonly int? Cap;

    /// <summary>
    /// m; w(0); δ = c − α, marginal work of a token; q. A multiple of four long, as in <see cref="TypeColumns"/>.
    /// </summary>
    public readonly double[] Answer,
        Work,
        PerToken,
        Square;

    /// <summary>Tokens of the answer after its first, and the seconds that these take alone on the server.</summary>
    private readonly double[] _laterTokens,
        _laterSeconds;

    /// <summary>Makes room for some types.</summary>
    public SharingColumns(SharingServer server, int count)
    {
        Overhead = server.OverheadSecondsPerToken!.Value;
        Cap = server.MaxInService;
        var length = (count + 3) & ~3;
        Answer = new double[length];
        Work = new double[length];
        PerToken = new double[length];
        Square = new double[length];
        _laterTokens = new double[count];
        _laterSeconds = new double[count];
    }

    /// <summary>Σ π m, output tokens beside the reasoning ones.</summary>
    public double AnswerTokens { get; private set; }

    /// <summary>C = Σ π c max(m − 1, 0): lone seconds from the first token of the answer to the end.</summary>
    public double LaterSeconds { get; private set; }

    /// <summary>The most lone seconds a token of any type with a share, at its most tokens.</summary>
    public double SlowestToken { get; private set; }

    /// <summary>Whether a token costs the same whatever its type: all that couples the types is then one sum.</summary>
    public bool HasCommonCost { get; private set; } = true;

    /// <summary>Whether a token of some type costs the more, the more went before.</summary>
    public bool HasSquares { get; private set; }

    /// <summary>Lone seconds of a type from the first token of its answer to the end.</summary>
    public double LaterSecondsOf(int k) => _laterSeconds[k];

    /// <summary>Marginal work of a type, seconds.</summary>
    public double WorkOf(int k, double tokens) => Work[k] + (tokens * (PerToken[k] + (Square[k] * tokens)));

    /// <summary>Marginal work of one token more, seconds.</summary>
    public double WorkSlope(int k, double tokens) => PerToken[k] + (2 * Square[k] * tokens);

    /// <summary>Takes in a type.</summary>
    public void Load(int k, TaskType type)
    {
        var line = type.Service;
        Answer[k] = type.AnswerTokens;
        Work[k] = Math.Max(line.BaseSeconds - (Overhead * type.AnswerTokens), 0);
        PerToken[k] = Math.Max(line.SecondsPerToken - Overhead, 0);
        Square[k] = line.SecondsPerTokenSquared;
        _laterTokens[k] = Math.Max(type.AnswerTokens - 1, 0);
        _laterSeconds[k] = line.SecondsPerToken * _laterTokens[k];
        AnswerTokens += type.Share * type.AnswerTokens;
        LaterSeconds += type.Share * _laterSeconds[k];
        var slowest = line.SecondsPerToken + (line.SecondsPerTokenSquared * type.MaxTokens);
        SlowestToken = type.Share > 0 ? Math.Max(SlowestToken, slowest) : SlowestToken;
        HasSquares |= Square[k] != 0;
        HasCommonCost &= Square[k] == 0 && PerToken[k] == PerToken[0];
    }

    /// <summary>E[T] at one server, seconds: that of <see cref="SharingPoint"/> alone.</summary>
    public double SystemSeconds(double rate, double output, double work, double idle) =>
        ProcessorSharing.MeanSystemTimeSeconds(rate, new SharingLoad(Overhead * output, work), Cap, idle);

    /// <summary>
    /// What a slot taken costs beside the work: α/B, the part of a token's overhead that saturates a cap.
    /// </summary>
    public double OverheadOfSlot => Cap is { } cap ? Overhead / cap : 0;
}

/// <summary>
/// How a limit is used at a point, and by how much more with one output token and one second of work more.
/// </summary>
/// <param name="Value">What is used, in the limit's unit.</param>
/// <param name="PerOutput">∂/∂E[o].</param>
/// <param name="PerWork">∂/∂E[w].</param>
internal readonly record struct LimitUse(double Value, double PerOutput, double PerWork);

/// <summary>What an allocation comes to on servers that share, by the two sums that couple the task types.</summary>
/// <param name="Columns">The problem's numbers.</param>
/// <param name="Rate">λ at one server.</param>
/// <param name="Output">E[o], output tokens.</param>
/// <param name="Work">E[w], seconds.</param>
/// <param name="Idle">1 less the utilization.</param>
internal readonly record struct SharingPoint(
    SharingColumns Columns,
    double Rate,
    double Output,
    double Work,
    double Idle
)
{
    /// <summary>What the mean query asks for.</summary>
    public SharingLoad Load => new(Columns.Overhead * Output, Work);

    public SharingMeans Means { get; } =
        ProcessorSharing.Means(Rate, new SharingLoad(Columns.Overhead * Output, Work), Columns.Cap, Idle);

    /// <summary>U, seconds: the mean time of a query alone on the server.</summary>
    public double Lone => (Columns.Overhead * Output) + Work;

    /// <summary>How the queries slow one another.</summary>
    public Slowdown Slowdown => Slowdown.OfSharing(Means, Lone, Output);

    /// <summary>E[T].</summary>
    public LimitUse SystemTime =>
        new(Means.SystemSeconds, Columns.Overhead * Means.SystemPerOverhead, Means.SystemPerWork);

    /// <summary>By how much queries in service are slower than alone: 1/(1 − ρ) without a cap.</summary>
    public LimitUse Stretch
    {
        get
        {
            if (!(Lone > 0))
                return new LimitUse(1, 0, 0);
            var stretch = Slowdown.Stretch;
            var perOverhead = (Means.SystemPerOverhead - Means.WaitPerOverhead - stretch) / Lone;
            var perWork = (Means.SystemPerWork - Means.WaitPerWork - stretch) / Lone;
            return new LimitUse(stretch, Columns.Overhead * perOverhead, perWork);
        }
    }

    /// <summary>1 − idle.</summary>
    public LimitUse Utilization => new(1 - Idle, Rate * Columns.OverheadOfSlot, Rate);

    /// <summary>Σ π l.</summary>
    public LimitUse MeanTokens => new(Output - Columns.AnswerTokens, 1, 0);

    /// <summary>
    /// Mean time between two tokens of the slowest type at its most tokens: with a cap a bound on that, which rises
    /// with the work.
    /// </summary>
    public LimitUse SlowestInterToken
    {
        get
        {
            var slowest = Columns.SlowestToken;
            var (stretch, slope) = LongestStretch;
            return new LimitUse(slowest * stretch, 0, slowest * slope * Rate);
        }
    }

    /// <summary>The derivative of <see cref="SlowestInterToken"/> by λ.</summary>
    public double SlowestInterTokenPerRate => Columns.SlowestToken * LongestStretch.Slope * Work;

    /// <summary>Mean time from arrival to the first token of the answer: E[Wq] + (U − C) · stretch.</summary>
    public LimitUse FirstAnswer
    {
        get
        {
            var (stretch, before) = (Stretch, Lone - Columns.LaterSeconds);
            var perOutput = (Columns.Overhead * (Means.WaitPerOverhead + stretch.Value)) + (before * stretch.PerOutput);
            var perWork = Means.WaitPerWork + stretch.Value + (before * stretch.PerWork);
            return new LimitUse(Means.WaitSeconds + (before * stretch.Value), perOutput, perWork);
        }
    }

    /// <summary>Without a cap from the idle part, which is known to more digits than the work.</summary>
    private (double Value, double Slope) LongestStretch =>
        Columns.Cap is null ? (1 / Idle, 1 / (Idle * Idle)) : ProcessorSharing.LongestStretch(Rate * Work, Columns.Cap);
}
