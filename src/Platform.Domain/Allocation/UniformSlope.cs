using System.Runtime.Intrinsics;

namespace Platform.Domain.Allocation;

/// <summary>
/// What a step of a single budget does, seen from its slope and from plain sums, in a tenth of the time that figures in
/// twice the precision take. Where rounding could have a say there is no answer.
/// </summary>
internal class UniformSlope
{
    // Of 1 − ρ: sums in plain doubles leave more digits above it than are asked for here.
    protected const double LeastIdle = 1e-6;
    protected const double Doubt = 1e-7;

    private readonly AllocationModel _model;
    private readonly double[] _lower,
        _upper;
    private readonly double _size;

    /// <summary>Prepares for a problem with servers that share no queue.</summary>
    protected UniformSlope(AllocationModel model)
    {
        _model = model;
        (_lower, _upper) = (new double[model.Padded], new double[model.Padded]);
        var size = 0.0;
        for (var k = 0; k < model.Count; k++)
        {
            (_lower[k], _upper[k]) = (model.WholeLower[k], model.WholeUpper[k]);
            size += model.Share[k] * model.Weight[k] * (Math.Abs(model.Floor[k]) + model.Gain[k]);
        }

        _size = 1 + (model.Problem.AccuracyWeight * size);
    }

    /// <summary>The slopes of a problem's discipline.</summary>
    /// <param name="model">A problem with servers that share no queue.</param>
    public static UniformSlope Of(AllocationModel model) =>
        model.Sharing is null ? new UniformSlope(model) : new SharingUniformSlope(model);

    /// <summary>More than rounding takes from J, seconds, where 1 − ρ is had in twice the precision.</summary>
    public double NoiseAt(double meanSystemTime) => 1e-12 * (_size + meanSystemTime);

    /// <summary>
    /// Whether J rises from a budget to the next. Between them no type meets a bound: there J is concave, and the slope
    /// at one end can tell.
    /// </summary>
    public bool? Rises(long budget)
    {
        if (Sign(budget, budget + 1) > 0)
            return true;
        return Sign(budget, budget) < 0 ? false : null;
    }

    /// <summary>Whether a budget keeps within the limits.</summary>
    public virtual bool? Keeps(long budget)
    {
        var (mean, square, tokens) = (Vector256<double>.Zero, Vector256<double>.Zero, Vector256<double>.Zero);
        for (var k = 0; k < _model.Padded; k += 4)
        {
            var (share, granted) = (Load(_model.Share, k), Granted(k, budget));
            var time = Load(_model.Base, k) + (Load(_model.Cost, k) * granted);
            mean += share * time;
            square += share * time * time;
            tokens += share * granted;
        }

        var (problem, idle) = (_model.Problem, 1 - (_model.Lambda * Vector256.Sum(mean)));
        if (!(Math.Abs(idle) > LeastIdle))
            return null;
        if (idle < 0)
            return false;
        var wait = _model.Lambda * (Vector256.Sum(square) + _model.Scatter) / (2 * idle);
        return All(
            Below(1 - idle, problem.MaxUtilization),
            Below(Vector256.Sum(tokens), problem.MeanTokenBudget),
            Below(Vector256.Sum(mean) + wait, problem.MaxMeanSystemTimeSeconds)
        );
    }

    private static bool? All(bool? a, bool? b, bool? c) => a & b & c;

    protected static bool? Below(double value, double? limit) =>
        limit is not { } most || value < most * (1 - Doubt) ? true
        : value > most * (1 + Doubt) ? false
        : null;

    /// <summary>
    /// The sign of the slope of J at a budget, of those types that move from <paramref name="from"/> to the next; 0 in
    /// doubt.
    /// </summary>
    protected virtual int Sign(long from, double budget)
    {
        var (mean, square, gain) = (Vector256<double>.Zero, Vector256<double>.Zero, Vector256<double>.Zero);
        var (used, usedTime) = (Vector256<double>.Zero, Vector256<double>.Zero);
        for (var k = 0; k < _model.Padded; k += 4)
        {
            var (share, cost, rate, granted) = (
                Load(_model.Share, k),
                Load(_model.Cost, k),
                Load(_model.Rate, k),
                Granted(k, budget)
            );
            var time = Load(_model.Base, k) + (cost * granted);
            mean += share * time;
            square += share * time * time;
            var moving = Moving(k, from);
            used += moving * cost;
            usedTime += moving * cost * time;
            gain += moving * Load(_model.Weight, k) * Load(_model.Gain, k) * rate * Elementary.Exp(-rate * granted);
        }

        var idle = 1 - (_model.Lambda * Vector256.Sum(mean));
        if (!(idle > LeastIdle))
            return 0;
        var (perSecondSquared, whole) = (_model.Lambda / idle, Vector256.Sum(square) + _model.Scatter);
        var gained = _model.Problem.AccuracyWeight * Vector256.Sum(gain);
        var paid =
            (Vector256.Sum(used) * (1 + (perSecondSquared * perSecondSquared * whole / 2)))
            + (perSecondSquared * Vector256.Sum(usedTime));
        return SignOf(gained, paid, Vector256.Sum(mean) + (perSecondSquared * whole / 2));
    }

    /// <summary>The sign of what a token more brings less what it costs; 0 in doubt.</summary>
    protected int SignOf(double gained, double paid, double meanSystemTime)
    {
        var doubt = (Doubt * (gained + paid)) + NoiseAt(meanSystemTime);
        if (gained - paid > doubt)
            return 1;
        return gained - paid < -doubt ? -1 : 0;
    }

    /// <summary>π of those types that move from a budget to the next, 0 of the others.</summary>
    protected Vector256<double> Moving(int k, long from)
    {
        var moves =
            Vector256.LessThanOrEqual(Load(_lower, k), Vector256.Create((double)from))
            & Vector256.GreaterThan(Load(_upper, k), Vector256.Create((double)from));
        return Vector256.ConditionalSelect(moves, Load(_model.Share, k), Vector256<double>.Zero);
    }

    protected Vector256<double> Granted(int k, double budget) =>
        Vector256.Min(Vector256.Max(Vector256.Create(budget), Load(_lower, k)), Load(_upper, k));

    protected static Vector256<double> Load(double[] column, int k) => Vector256.Create(column, k);
}
