using Platform.Domain.Estimation;

namespace Platform.Cli.Benchmarks.Traffic;

/// <summary>Adds up what a method does to a fleet, moment by moment.</summary>
/// <param name="stepSeconds">Seconds that a moment stands for.</param>
/// <param name="windowSeconds">Length of a window.</param>
internal sealed class TrafficScore(int stepSeconds, int windowSeconds)
{
    /// <summary>Windows at the begin, and of each overload, that count against no method.</summary>
    public const int FirstWindows = 3;

    /// <summary>Seconds beside these windows for the solve.</summary>
    public const int SolveSeconds = 10;

    /// <summary>Servers that are overloaded again within these seconds have one overload, not two.</summary>
    private const int SameOverloadSeconds = 600;

    private readonly List<double> _errors = [];
    private readonly List<double> _widths = [];
    private int _held;
    private double _queries,
        _objective,
        _best,
        _single;
    private int _overload,
        _stable = SameOverloadSeconds;

    /// <summary>Seconds at a true utilization above 0.95.</summary>
    public int Above95 { get; private set; }

    /// <summary>Seconds at a true utilization above 1.</summary>
    public int Above1 { get; private set; }

    /// <summary>Of these the ones that a clairvoyant avoids, after the first windows of the run.</summary>
    public int Avoidable { get; private set; }

    /// <summary>Of these the ones after the first windows of their overload.</summary>
    public int Late { get; private set; }

    /// <summary>The longest overload that a clairvoyant avoids, in seconds.</summary>
    public int Longest { get; private set; }

    /// <summary>What the method gains over the best single budget, over the clairvoyant's gain.</summary>
    public double? PartOfGain => _best > _single ? (_objective - _single) / (_best - _single) : null;

    /// <summary>Mean objective of a query, seconds.</summary>
    public (double Method, double Best, double Single) Objectives =>
        (_objective / _queries, _best / _queries, _single / _queries);

    /// <summary>Part of the moments at which the rate's interval holds the true rate; null without moments.</summary>
    public double? Coverage => _errors.Count == 0 ? null : (double)_held / _errors.Count;

    /// <summary>Median of the interval's width over the true rate.</summary>
    public double? Width => _widths.Count == 0 ? null : Median.Of(_widths);

    /// <summary>Median of the estimate's distance from the true rate, over it.</summary>
    public double? Error => _errors.Count == 0 ? null : Median.Of(_errors);

    /// <summary>Takes a moment's load into account.</summary>
    /// <param name="second">Since the begin.</param>
    /// <param name="utilization">The true utilization.</param>
    /// <param name="isAvoidable">Whether some allocation is stable.</param>
    public void AddLoad(int second, double utilization, bool isAvoidable)
    {
        if (utilization > 0.95)
            Above95 += stepSeconds;
        if (utilization > 1)
            Above1 += stepSeconds;
        if (second < FirstWindows * windowSeconds)
            return;
        if (utilization > 1 && isAvoidable)
            AddOverload();
        else
            EndOverload();
    }

    /// <summary>Takes a moment's objective into account, by the queries that come.</summary>
    public void AddObjective(int second, double rate, double method, double best, double single)
    {
        if (second < FirstWindows * windowSeconds)
            return;
        _queries += rate;
        _objective += rate * method;
        _best += rate * best;
        _single += rate * single;
    }

    /// <summary>Takes an estimate of the rate into account.</summary>
    public void AddRate(IntervalEstimate estimate, double rate)
    {
        if (!(rate > 0))
            return;
        _errors.Add(Math.Abs(estimate.Value - rate) / rate);
        _widths.Add((estimate.Upper - estimate.Lower) / rate);
        if (estimate.Lower <= rate && rate <= estimate.Upper)
            _held++;
    }

    private void AddOverload()
    {
        _stable = 0;
        _overload += stepSeconds;
        Avoidable += stepSeconds;
        if (_overload > (FirstWindows * windowSeconds) + SolveSeconds)
            Late += stepSeconds;
        Longest = Math.Max(Longest, _overload);
    }

    private void EndOverload()
    {
        _stable += stepSeconds;
        if (_stable >= SameOverloadSeconds)
            _overload = 0;
    }
}
