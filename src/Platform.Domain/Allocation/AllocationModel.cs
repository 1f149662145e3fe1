using Platform.Domain.Queueing;

namespace Platform.Domain.Allocation;

/// <summary>
/// A problem as arrays: its limits, its bounds over whole tokens, and the types whose accuracy floor no tokens reach.
/// </summary>
internal sealed class AllocationModel : TypeColumns
{
    public readonly AllocationProblem Problem;

    /// <summary>The bounds over whole tokens.</summary>
    public readonly long[] WholeLower,
        WholeUpper;

    /// <param name="problem">The problem.</param>
    /// <param name="takesRawCurves">See <see cref="TypeColumns.TakesRawCurves"/>.</param>
    public AllocationModel(AllocationProblem problem, bool takesRawCurves = false)
        : base(problem.TaskTypes.Count)
    {
        Problem = problem;
        TakesRawCurves = takesRawCurves;
        (ArrivalRate, Servers) = (problem.ArrivalRate, problem.Servers);
        Lambda =
            problem.Dispatch == Dispatch.Shared
                ? problem.ArrivalRate
                : MG1.SplitArrivalRate(problem.ArrivalRate, problem.Servers);
        if (problem.Dispatch == Dispatch.Sharing)
            Sharing = new SharingColumns(problem.Sharing!, Count);
        CountsTokens = problem.MeanTokenBudget is not null;
        MaxUtilization = problem.MaxUtilization ?? 1;
        WholeLower = new long[Count];
        WholeUpper = new long[Count];
        for (var k = 0; k < Count; k++)
            Load(k, problem.TaskTypes[k]);
        if (UnreachableFloors.Count == 0)
            Prepare();
    }

    /// <summary>
    /// The types whose accuracy floor is out of reach. With any, there are no bounds and nothing else here has a
    /// meaning.
    /// </summary>
    public List<int> UnreachableFloors { get; } = [];

    /// <summary>
    /// Whether several servers share one queue, for which no exact formula is known and J is not concave.
    /// </summary>
    public bool SharedQueue => Problem is { Dispatch: Dispatch.Shared, Servers: > 1 };

    /// <summary>The numbers of servers that share; null where they do not.</summary>
    public SharingColumns? Sharing { get; }

    /// <summary>t of type <paramref name="k"/>, seconds; where servers share, that of a query alone.</summary>
    public new double Service(int k, double tokens) =>
        Sharing is null ? base.Service(k, tokens) : base.Service(k, tokens) + (Sharing.Square[k] * tokens * tokens);

    /// <summary>1 − ρ at some tokens, to full relative precision unless it is below 1e-25.</summary>
    public double Idle<T>(ReadOnlySpan<T> tokens, Func<T, double> real)
    {
        if (Sharing is not null)
            return IdleOfSharing(Sharing, tokens, real);
        var mean = default(DoubleDouble);
        for (var k = 0; k < tokens.Length; k++)
            mean +=
                (DoubleDouble.Product(Share[k], Cost[k]) * real(tokens[k])) + DoubleDouble.Product(Share[k], Base[k]);
        return IdleOf(mean);
    }

    /// <summary>The method for the continuous optimum of the problem's discipline.</summary>
    /// <param name="isQuick">Whether a point that no concavity proves is left without a bound.</param>
    public IContinuousMethod Method(bool isQuick = false)
    {
        if (Sharing is not null)
            return new SharingSolver(this, isQuick);
        return SharedQueue ? new SharedQueueSolver(this, isQuick) : new ContinuousSolver(this);
    }

    /// <summary>
    /// Mean and variance of the queries in flight at the fleet over its servers. Servers with a queue each are
    /// independent: their mean varies by a part of what one varies.
    /// </summary>
    /// <param name="tokens">Tokens of each type.</param>
    /// <param name="figures">Their figures.</param>
    public NumberInSystem InFlight(ReadOnlySpan<long> tokens, in WholeTokenFigures figures)
    {
        var servers = (double)Problem.Servers;
        if (SharedQueue)
        {
            var fleet = NumberInSystem.OfMGk(Lambda, Problem.Servers, figures.Service, figures.Idle);
            return new NumberInSystem(fleet.Mean / servers, fleet.Variance / (servers * servers));
        }

        var server = Sharing is null
            ? NumberInSystem.OfMG1(Lambda, figures.Service, MeanSecondsCubed(tokens), figures.Idle)
            : NumberInSystem.OfSharing(Lambda, figures.Sharing(this).Load, Sharing.Cap, figures.Idle);
        return server with { Variance = server.Variance / servers };
    }

    /// <summary>Narrows the bounds of one type to whole tokens.</summary>
    public void SetBounds(int k, long lower, long upper)
    {
        Lower[k] = lower;
        Upper[k] = upper;
    }

    /// <summary>E[S³] of gamma-distributed service times, whose third central moment is 2 v²/t.</summary>
    private double MeanSecondsCubed(ReadOnlySpan<long> tokens)
    {
        var cube = default(CompensatedSum);
        for (var k = 0; k < tokens.Length; k++)
        {
            var time = Service(k, tokens[k]);
            var scatter = time > 0 ? 2 * Variance[k] * Variance[k] / time : 0;
            cube.Add(Share[k] * ((time * ((time * time) + (3 * Variance[k]))) + scatter));
        }

        return cube.Value;
    }

    private double IdleOfSharing<T>(SharingColumns sharing, ReadOnlySpan<T> tokens, Func<T, double> real)
    {
        var mean = default(DoubleDouble);
        for (var k = 0; k < tokens.Length; k++)
        {
            var l = real(tokens[k]);
            var perToken = sharing.PerToken[k] + sharing.OverheadOfSlot + (sharing.Square[k] * l);
            mean +=
                (DoubleDouble.Product(Share[k], perToken) * l)
                + DoubleDouble.Product(Share[k], sharing.Work[k] + (sharing.OverheadOfSlot * sharing.Answer[k]));
        }

        return IdleOf(mean);
    }

    private void Load(int k, TaskType type)
    {
        Sharing?.Load(k, type);
        (Share[k], Weight[k]) = (type.Share, type.Weight);
        (Base[k], Cost[k], Variance[k]) = (
            type.Service.BaseSeconds,
            type.Service.SecondsPerToken,
            type.Service.VarianceSecondsSquared
        );
        (Floor[k], Gain[k], Rate[k]) = (type.Accuracy.Floor, type.Accuracy.Gain, type.Accuracy.RatePerToken);
        (Lower[k], Upper[k]) = (type.MinTokens, type.MaxTokens);
        (WholeLower[k], WholeUpper[k]) = (type.MinTokens, type.MaxTokens);
        if (type.AccuracyFloor is { } floor && floor > Math.Max(0, Floor[k]))
            RaiseToFloor(k, floor);
    }

    // l with p(l) = f is −ln(1 − (f − D)/A) / b.
    private void RaiseToFloor(int k, double floor)
    {
        var part = (floor - Floor[k]) / Gain[k];
        var needed = part < 1 ? -Elementary.LogOnePlus(-part) / Rate[k] : double.PositiveInfinity;
        if (!(needed <= Upper[k]))
        {
            UnreachableFloors.Add(k);
            return;
        }

        Lower[k] = Math.Max(Lower[k], needed);
        var whole = Math.Max(WholeLower[k], (long)Math.Ceiling(needed));

        // The last unit of the logarithm must not cost a whole token.
        WholeLower[k] = whole - 1 >= WholeLower[k] && Accuracy(k, whole - 1) >= floor ? whole - 1 : whole;
        Lower[k] = Math.Min(Lower[k], WholeLower[k]);
    }
}
