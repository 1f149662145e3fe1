using Platform.Domain.Queueing;

namespace Platform.Domain.Allocation;

/// <summary>
/// Newton's method for both numbers that describe all types where servers share, ln ν and t, no limit binding. The
/// tokens are linear in ln ν as long as no type meets a bound, and nearly so in t. So each sweep over the types gives
/// their sums and slopes, both equations are solved with the sums on these lines, and the next sweep is there. A
/// handful of sweeps is enough. What does not settle is left to brackets (<see cref="SharingSolver"/>).
/// </summary>
internal sealed class SharingNewton(AllocationModel model, SharingResponse response)
{
    // Four or so are needed.
    private const int MostSweeps = 14;

    // On the lines of one sweep.
    private const int MostSteps = 14;

    // A step whose square is too short to matter.
    private const double Short = 1e-8;

    // As near as the equations are brought: the first relative to ln ν.
    private const double Tolerance = 1e-15;
    private const double PartTolerance = 4e-15;

    // Where rounding keeps them from that, this is near enough: J errs by its square.
    private const double Enough = 1e-12;

    // Near enough to take the cap on the queries in service into account.
    private const double Rough = 3e-3;

    // Most by which one step may bring down the idle part.
    private const double LeastIdleLeft = 0.15;

    private readonly SharingColumns _columns = model.Sharing!;
    private SharingSums _sums;
    private double _idle,
        _excess,
        _partExcess;

    /// <summary>ln ν; set it with <see cref="Part"/> to begin there.</summary>
    public double Charge { get; set; }

    /// <summary>t.</summary>
    public double Part { get; set; }

    /// <summary>Sweeps over the types since the beginning.</summary>
    public int Sweeps { get; private set; }

    /// <summary>The sums of the point.</summary>
    public SharingPoint Point => new(_columns, model.Lambda, _sums.Output, _sums.Work, _idle);

    private double Merit => (Math.Abs(_excess) / (1 + Math.Abs(Charge))) + Math.Abs(_partExcess);

    /// <summary>Solves.</summary>
    /// <param name="isWarm">Whether to begin where the last solution was.</param>
    /// <returns>Whether it has settled.</returns>
    public bool TrySolve(bool isWarm)
    {
        if (!isWarm && !TryBegin())
            return false;
        if (_columns.Cap is null || !(model.Lambda > 0))
            return TryDescend(null, 0);
        return (isWarm || TryDescend(null, Rough)) && TryDescend(_columns.Cap, 0);
    }

    /// <summary>
    /// Begins with an idle part a quarter of the way, on the scale of logarithms, from that at the lower bounds to the
    /// least that a better allocation can leave: E[T] = U/r must not outweigh all accuracy.
    /// </summary>
    private bool TryBegin()
    {
        const double Most = 1e6;
        Part = 0;
        Sweep(Most, null);
        if (!(_idle > 0))
            return false;
        var lone = (_columns.Overhead * _sums.Output) + _sums.Work;
        var worth = model.Problem.AccuracyWeight * model.MostAccuracyRange;
        var least = lone > 0 ? lone / (worth + (lone / _idle)) : _idle;
        var idle = _idle * Math.Sqrt(Math.Sqrt(least / _idle));
        var hasWork = model.Lambda > 0 && response.MeanCost > 0;
        var more = hasWork ? (_idle - idle) / model.Lambda : 0;
        var tokens = hasWork ? more / response.MeanCost : 0;
        var overhead = _columns.Overhead * (_sums.Output + tokens);
        Take(SharingCurvature.Of(model.Lambda, new SharingLoad(overhead, _sums.Work + more), idle));
        return double.IsFinite(Charge);

        void Take(in SharingCurvature time)
        {
            var perOutput = _columns.Overhead * time.PerOverhead;
            var perWork = response.MeanCost * time.PerWork;
            Charge = Elementary.Log(perOutput + perWork);
            Part = _columns.HasCommonCost ? 0 : perWork / (perOutput + perWork);
        }
    }

    private bool TryDescend(int? cap, double enough)
    {
        var before = double.PositiveInfinity;
        var hasStalled = false;
        for (var sweep = 0; sweep < MostSweeps; sweep++)
        {
            Sweep(Charge, cap);
            if (!(_idle > 0))
            {
                if (!TryUnload(cap))
                    return false;
                continue;
            }

            var (charge, part) = Follow(cap);
            if (HasSettled(enough))
                return true;
            if (!double.IsFinite(charge) || !double.IsFinite(part))
                return false;
            if (Merit > before / 2)
            {
                if (Merit < Enough || hasStalled)
                    return Merit < Enough;
                hasStalled = true;
            }

            before = Merit;
            Charge += charge;
            Part = Math.Clamp(Part + part, 0, 1);
            var isLast = enough == 0 && Math.Abs(charge) + Math.Abs(part) < Short;
            if (isLast && HasSameSlopesAfterSweep(cap))
                return true;
        }

        return false;
    }

    /// <summary>
    /// Newton's error is squared at each step: after a short one nothing is left to see, unless a type has met a bound.
    /// </summary>
    private bool HasSameSlopesAfterSweep(int? cap)
    {
        const double Same = 1e-6;
        var slope = _sums.OutputPerCharge;
        Sweep(Charge, cap);
        return _idle > 0 && Math.Abs(_sums.OutputPerCharge - slope) <= Same * Math.Abs(slope);
    }

    private bool HasSettled(double enough)
    {
        if (enough > 0)
            return Merit < enough;
        return Math.Abs(_excess) <= Tolerance * (1 + Math.Abs(Charge)) && Math.Abs(_partExcess) <= PartTolerance;
    }

    private void Sweep(double charge, int? cap)
    {
        response.SetPart(Part);
        _sums = response.Sweep(charge);
        _idle = 1 - (model.Lambda * (cap is null ? _sums.Work : _sums.Load));
        Sweeps++;
    }

    /// <summary>Raises the charge to where by the lines of the last sweep some of the server is idle.</summary>
    private bool TryUnload(int? cap)
    {
        const double Idle = 0.05;
        var perCharge = IdlePer(cap, _sums.OutputPerCharge, _sums.WorkPerCharge);
        var more = (Idle - _idle) / perCharge;
        Charge += more;
        return perCharge > 0 && double.IsFinite(more);
    }

    private double IdlePer(int? cap, double output, double work)
    {
        var slot = cap is null ? 0 : _columns.OverheadOfSlot;
        return -model.Lambda * (work + (slot * output));
    }

    /// <summary>
    /// Solves both equations with the sums on their lines. With a cap the chain costs more than a sweep: there it is
    /// one step of Newton's method.
    /// </summary>
    /// <returns>By how much ln ν and t change.</returns>
    private (double Charge, double Part) Follow(int? cap)
    {
        double charge = 0,
            part = 0;
        var idle = _idle;
        for (var step = 0; step < (cap is null ? MostSteps : 1); step++)
        {
            var output = _sums.Output + (_sums.OutputPerCharge * charge) + (_sums.OutputPerPart * part);
            var work = _sums.Work + (_sums.WorkPerCharge * charge) + (_sums.WorkPerPart * part);
            var load = new SharingLoad(_columns.Overhead * output, work);
            var time = cap is { } most
                ? SharingCurvature.Of(model.Lambda, load, most, idle)
                : SharingCurvature.Of(model.Lambda, load, idle);
            var (byCharge, byPart) = Step(time, Charge + charge, Part + part, step == 0);
            var less =
                -(IdlePer(cap, _sums.OutputPerCharge, _sums.WorkPerCharge) * byCharge)
                - (IdlePer(cap, _sums.OutputPerPart, _sums.WorkPerPart) * byPart);
            var room = (1 - LeastIdleLeft) * idle;
            var scale = less > room ? room / less : 1;
            charge += scale * byCharge;
            part += scale * byPart;
            idle -= scale * less;
            if (!(Math.Abs(byCharge) + Math.Abs(byPart) > Short))
                break;
        }

        return (charge, part);
    }

    /// <summary>
    /// Newton's step for ln(φ + δ̄ ψ) = ln ν and δ̄ ψ/(φ + δ̄ ψ) = t, with φ and ψ the derivatives of E[T] by E[o] and
    /// E[w].
    /// </summary>
    private (double Charge, double Part) Step(in SharingCurvature time, double charge, double part, bool isFirst)
    {
        var overhead = _columns.Overhead;
        var cost = response.MeanCost;
        var perOutput = overhead * time.PerOverhead;
        var perWork = cost * time.PerWork;
        var all = perOutput + perWork;
        var excess = Elementary.Log(all) - charge;
        var partExcess = _columns.HasCommonCost ? 0 : (perWork / all) - part;
        if (isFirst)
        {
            _excess = excess;
            _partExcess = partExcess;
        }

        // Derivatives of φ and δ̄ ψ, relative to their sum, by E[o] and E[w].
        var outputs = overhead * overhead * time.OverheadOverhead / all;
        var mixed = overhead * time.OverheadWork / all;
        var works = cost * time.WorkWork / all;
        var outputPerCharge = (outputs * _sums.OutputPerCharge) + (mixed * _sums.WorkPerCharge);
        var workPerCharge = (cost * mixed * _sums.OutputPerCharge) + (works * _sums.WorkPerCharge);
        var byCharge = outputPerCharge + workPerCharge;
        if (_columns.HasCommonCost)
            return (excess / (1 - byCharge), 0);
        var outputPerPart = (outputs * _sums.OutputPerPart) + (mixed * _sums.WorkPerPart);
        var workPerPart = (cost * mixed * _sums.OutputPerPart) + (works * _sums.WorkPerPart);
        var byPart = outputPerPart + workPerPart;
        var share = perWork / all;
        var partByCharge = workPerCharge - (share * byCharge);
        var partByPart = workPerPart - (share * byPart);
        var determinant = ((1 - byCharge) * (1 - partByPart)) - (byPart * partByCharge);
        return (
            ((excess * (1 - partByPart)) + (partExcess * byPart)) / determinant,
            ((partExcess * (1 - byCharge)) + (excess * partByCharge)) / determinant
        );
    }
}
