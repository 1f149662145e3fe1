using System.Runtime.Intrinsics;

namespace Platform.Domain.Allocation;

/// <summary>
/// The same where servers share: E[T] is convex along a single budget, which raises output and work together.
/// </summary>
internal sealed class SharingUniformSlope : UniformSlope
{
    private readonly AllocationModel _model;
    private readonly SharingColumns _columns;
    private readonly SharingLimits _limits;

    public SharingUniformSlope(AllocationModel model)
        : base(model)
    {
        _model = model;
        _columns = model.Sharing!;
        _limits = new SharingLimits(model.Problem);
    }

    /// <inheritdoc/>
    public override bool? Keeps(long budget)
    {
        var (output, work) = Sums(budget);
        var idle = Idle(output, work);
        if (!(Math.Abs(idle) > LeastIdle))
            return null;
        if (idle < 0)
            return false;
        var point = new SharingPoint(_columns, _model.Lambda, output, work, idle);
        bool? keeps = true;
        for (var i = 0; i < _limits.Count; i++)
            keeps &= Below(_limits.Use(i, point).Value, _limits.Most(i));
        return keeps;
    }

    /// <inheritdoc/>
    protected override int Sign(long from, double budget)
    {
        Vector256<double> moving = default,
            used = default,
            gain = default;
        for (var k = 0; k < _model.Padded; k += 4)
        {
            var (share, granted, rate) = (Moving(k, from), Granted(k, budget), Load(_model.Rate, k));
            var perToken = Load(_columns.PerToken, k) + (2 * Load(_columns.Square, k) * granted);
            moving += share;
            used += share * perToken;
            gain += share * Load(_model.Weight, k) * Load(_model.Gain, k) * rate * Elementary.Exp(-rate * granted);
        }

        var (output, work) = Sums(budget);
        var idle = Idle(output, work);
        if (!(idle > LeastIdle))
            return 0;
        var time = new SharingPoint(_columns, _model.Lambda, output, work, idle).SystemTime;
        var gained = _model.Problem.AccuracyWeight * Vector256.Sum(gain);
        var paid = (Vector256.Sum(moving) * time.PerOutput) + (Vector256.Sum(used) * time.PerWork);
        return SignOf(gained, paid, time.Value);
    }

    private (double Output, double Work) Sums(double budget)
    {
        Vector256<double> output = default,
            work = default;
        for (var k = 0; k < _model.Padded; k += 4)
        {
            var (share, granted) = (Load(_model.Share, k), Granted(k, budget));
            var perToken = Load(_columns.PerToken, k) + (Load(_columns.Square, k) * granted);
            output += share * (Load(_columns.Answer, k) + granted);
            work += share * (Load(_columns.Work, k) + (granted * perToken));
        }

        return (Vector256.Sum(output), Vector256.Sum(work));
    }

    private double Idle(double output, double work) =>
        1 - (_model.Lambda * (work + (_columns.OverheadOfSlot * output)));
}
