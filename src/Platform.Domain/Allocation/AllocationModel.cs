using Platform.Domain.Queueing;

namespace Platform.Domain.Allocation;

/// <summary>
/// A problem as arrays, one for each symbol of Ozbas and Bastopcu (arXiv 2601.10274), with what does not change while it is solved.
/// Bounds are real numbers and may be narrowed; <see cref="Refresh"/> then recomputes what depends on them.
/// </summary>
internal sealed class AllocationModel
{
    public readonly int Count;
    public readonly AllocationProblem Problem;

    /// <summary>λ at one server: all of it in a shared queue, λ / k in a split one.</summary>
    public readonly double Lambda;

    /// <summary>Most that ρ may be, 1 where nothing is said.</summary>
    public readonly double MaxUtilization;

    /// <summary>π, share; t⁰, base seconds; c, seconds a token; b, rate a token; A, gain; w, weight.</summary>
    public readonly double[] Share, Base, Cost, Rate, Gain, Floor, Weight;

    /// <summary>ln(w A b / c), or ln(w A b) where c = 0; −∞ where tokens bring nothing.</summary>
    public readonly double[] LogValue;

    /// <summary>Bounds on the tokens, the lower one raised to what the accuracy floor needs.</summary>
    public readonly double[] Lower, Upper;

    /// <summary>The same bounds over whole tokens.</summary>
    public readonly long[] WholeLower, WholeUpper;

    /// <summary>t at the lower bound, and ln(w A b / c) − b · lower.</summary>
    public readonly double[] ServiceAtLower, LogValueAtLower;

    /// <summary>1 − ρ, E[S²] and mean tokens at the lower bounds; E[S²] and 1 − ρ at the upper bounds.</summary>
    public double IdleAtLower, MeanAtLower, SquareAtLower, TokensAtLower, SquareAtUpper, IdleAtUpper;

    /// <summary>Σ π w (p(upper) − p(lower)).</summary>
    public double AccuracyRange;

    public AllocationModel(AllocationProblem problem)
    {
        Problem = problem;
        Count = problem.TaskTypes.Count;
        Lambda = problem.Dispatch == Dispatch.Split ? MG1.SplitArrivalRate(problem.ArrivalRate, problem.Servers) : problem.ArrivalRate;
        MaxUtilization = problem.MaxUtilization ?? 1;
        (Share, Base, Cost, Rate) = (New(), New(), New(), New());
        (Gain, Floor, Weight, LogValue) = (New(), New(), New(), New());
        (Lower, Upper, ServiceAtLower, LogValueAtLower) = (New(), New(), New(), New());
        WholeLower = new long[Count];
        WholeUpper = new long[Count];
        for (var k = 0; k < Count; k++)
            Load(k, problem.TaskTypes[k]);
        if (UnreachableFloors.Count == 0)
            Refresh();
    }

    /// <summary>The types whose accuracy floor is out of reach. With any, there are no bounds and nothing else here has a meaning.</summary>
    public List<int> UnreachableFloors { get; } = [];

    /// <summary>Whether several servers share one queue, for which no exact formula is known and J is not concave.</summary>
    public bool SharedQueue => Problem is { Dispatch: Dispatch.Shared, Servers: > 1 };

    /// <summary>p of type <paramref name="k"/>.</summary>
    public double Accuracy(int k, double tokens) => Floor[k] - (Gain[k] * Elementary.ExpMinusOne(-Rate[k] * tokens));

    /// <summary>t of type <paramref name="k"/>, seconds.</summary>
    public double Service(int k, double tokens) => Base[k] + (Cost[k] * tokens);

    /// <summary>1 − ρ at some tokens, to full relative precision unless it is below 1e-25.</summary>
    public double Idle<T>(ReadOnlySpan<T> tokens, Func<T, double> real)
    {
        var mean = default(DoubleDouble);
        for (var k = 0; k < tokens.Length; k++)
            mean += (DoubleDouble.Product(Share[k], Cost[k]) * real(tokens[k])) + DoubleDouble.Product(Share[k], Base[k]);
        double servers = Problem.Servers;
        return (new DoubleDouble(servers, 0) + (mean * -Problem.ArrivalRate)).Value / servers;
    }

    /// <summary>Narrows the bounds of one type to whole tokens.</summary>
    public void SetBounds(int k, long lower, long upper)
    {
        Lower[k] = lower;
        Upper[k] = upper;
    }

    /// <summary>Recomputes what depends on the bounds.</summary>
    public void Refresh()
    {
        CompensatedSum mean = default, square = default, tokens = default, squareAtUpper = default, range = default;
        for (var k = 0; k < Count; k++)
        {
            var (low, high) = (Service(k, Lower[k]), Service(k, Upper[k]));
            ServiceAtLower[k] = low;
            LogValueAtLower[k] = LogValue[k] - (Rate[k] * Lower[k]);
            mean.Add(Share[k] * low);
            square.Add(Share[k] * low * low);
            tokens.Add(Share[k] * Lower[k]);
            squareAtUpper.Add(Share[k] * high * high);
            var rise = -Elementary.ExpMinusOne(-Rate[k] * (Upper[k] - Lower[k]));
            range.Add(Share[k] * Weight[k] * Gain[k] * Math.Exp(-Rate[k] * Lower[k]) * rise);
        }

        AccuracyRange = range.Value;
        (MeanAtLower, SquareAtLower, TokensAtLower, SquareAtUpper) = (mean.Value, square.Value, tokens.Value, squareAtUpper.Value);
        IdleAtLower = Idle<double>(Lower, static l => l);
        IdleAtUpper = Idle<double>(Upper, static l => l);
    }

    private double[] New() => new double[Count];

    private void Load(int k, TaskType type)
    {
        (Share[k], Weight[k]) = (type.Share, type.Weight);
        (Base[k], Cost[k]) = (type.Service.BaseSeconds, type.Service.SecondsPerToken);
        (Floor[k], Gain[k], Rate[k]) = (type.Accuracy.Floor, type.Accuracy.Gain, type.Accuracy.RatePerToken);
        LogValue[k] = Math.Log(Weight[k] * Gain[k]) + LogRatio(Rate[k], Cost[k] > 0 ? Cost[k] : 1);
        (Lower[k], Upper[k]) = (type.MinTokens, type.MaxTokens);
        (WholeLower[k], WholeUpper[k]) = (type.MinTokens, type.MaxTokens);
        if (type.AccuracyFloor is { } floor && floor > Floor[k])
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

    private static double LogRatio(double rate, double cost)
    {
        var ratio = rate / cost;
        return double.IsNormal(ratio) ? Math.Log(ratio) : Math.Log(rate) - Math.Log(cost);
    }
}
