using System.Runtime.Intrinsics;

namespace Platform.Domain.Allocation;

/// <summary>
/// Maximises J over the bounds at a given weight of accuracy and a given price of tokens. Two scalars couple the types:
/// s = λ/r with r = 1 − ρ, and κ = 1 + λ² E[S²]/(2 r²) + the price of utilization. With the tokens of
/// <see cref="TokenResponse"/>, two equations remain: f₁ = r(lower) − λ Σ π c (l − lower) − λ/s = 0 and f₂ = ln(κ − 1)
/// − 2 ln s − ln(E[S²]/2) = 0. Newton's step exists everywhere (the determinant is positive), and along f₂ = 0 the
/// function f₁ increases with s, so that signs bracket the root when Newton does not settle.
/// </summary>
internal sealed class DualNewton(TypeColumns model)
{
    private const int MaxSweeps = 2_000;

    // Plain Newton needs three to six sweeps; what has not settled by then does not.
    private const int MaxPlainSweeps = 12;

    // A step in ln s and ln(κ − 1) that is too short to matter.
    private const double Short = 1e-13;

    // One whose square is.
    private const double Linear = 3e-7;

    // ln of the least E[S²]/2 that is told from 0, and that E[S²].
    private const double LogTiny = -660;
    private const double Tiny = 4.4e-287;

    /// <summary>Tokens above the lower bound.</summary>
    public readonly double[] Excess = new double[model.Padded];

    private double _logAlpha,
        _alpha,
        _nu;
    private double _sigma,
        _y;
    private double _low,
        _high;
    private double _logSquareAtLower,
        _logSquareAtUpper;
    private double _f1,
        _f2,
        _f1Sigma,
        _f1Y,
        _f2Sigma,
        _f2Y,
        _noise;
    private bool _warm;

    /// <summary>
    /// λ/(1 − ρ), the multiplier κ of E[S], and the part of κ that is the price of the cap on utilization.
    /// </summary>
    public double S { get; private set; }

    /// <inheritdoc cref="S"/>
    public double Kappa { get; private set; } = 1;

    /// <inheritdoc cref="S"/>
    public double Theta { get; private set; }

    /// <summary>1 − ρ, to full relative precision however small.</summary>
    public double Idle { get; private set; } = 1;

    /// <summary>Sums of the last sweep.</summary>
    public SweepSums Sums { get; private set; }

    /// <summary>Sweeps over the types since the beginning.</summary>
    public int Sweeps { get; private set; }

    /// <summary>Whether every solve so far converged.</summary>
    public bool Converged { get; private set; } = true;

    /// <summary>E[S], seconds.</summary>
    public double MeanService => model.MeanAtLower + Sums.Seconds;

    /// <summary>E[T], seconds, from the solver's own 1 − ρ.</summary>
    public double MeanSystemTime => MeanService + (S * Sums.Square / 2);

    /// <summary>Σ π l.</summary>
    public double MeanTokens => model.TokensAtLower + Sums.Tokens;

    /// <summary>Forgets all solutions: the columns hold another problem.</summary>
    public void Restart()
    {
        Array.Clear(Excess);
        (_warm, Sweeps, Converged) = (false, 0, true);
    }

    /// <summary>Solves, starting from the last solution.</summary>
    /// <param name="logAlpha">ln α.</param>
    /// <param name="nu">ν ≥ 0, price of a token.</param>
    public void Solve(double logAlpha, double nu)
    {
        (_logAlpha, _alpha, _nu, Theta) = (logAlpha, Elementary.Exp(logAlpha), nu, 0);
        if (model.Lambda <= 0)
        {
            (S, Kappa, Idle) = (0, 1, 1);
            Sweep(TokenResponse.Fine);
            return;
        }

        Bracket();
        if (!Descend())
            Iterate();
        var idleAtCap = 1 - model.MaxUtilization;

        // Where no type has more than its lower bound the cap is kept, as was checked; rounding must not say otherwise.
        if (Idle < idleAtCap && Sums.Seconds > 0)
            SolveAtCap(idleAtCap);
    }

    private void Sweep(double near)
    {
        Sums = TokenResponse.Sweep(model, new(_logAlpha, _alpha, S, Kappa, _nu, near), Excess);
        Sweeps++;
    }

    // If J(l) >= J(lower) then E[T](l) <= K, and E[S²] >= E[S]² turns that into a lower bound on 1 − ρ (exp(−asinh λK),
    // without cancellation).
    private void Bracket()
    {
        var lambda = model.Lambda;
        var least = AprioriBounds.LeastIdle(model, _alpha, model.MostAccuracyRange);
        var logLambda = Elementary.Log(lambda);
        _low = logLambda - Elementary.Log(model.IdleAtLower);
        _high = Math.Max(_low, logLambda - Elementary.Log(Math.Min(least, model.IdleAtLower))) + 1e-12;
        (_logSquareAtLower, _logSquareAtUpper) = (LogHalf(model.SquareAtLower), LogHalf(model.SquareAtUpper));
        if (!_warm)
        {
            var (idle, square) = model.Count == 1 ? OneTypeStart.Find(model, _logAlpha) : Begin(least);
            _sigma = logLambda - Elementary.Log(idle);
            _y = (2 * _sigma) + LogHalf(square);
        }

        _warm = true;
        _sigma = Math.Clamp(_sigma, _low, _high);
        ClampY();
    }

    // A quarter into the bracket of ln s, with E[S²] = E[S]² + Σ π v: on the whole the fewest sweeps, whatever the
    // load.
    private (double Idle, double Square) Begin(double least)
    {
        var root = Math.Sqrt(Math.Sqrt(Math.Min(1, least / model.IdleAtLower)));
        var mean = model.MeanAtLower + (model.IdleAtLower * (1 - root) / model.Lambda);
        return (model.IdleAtLower * root, (mean * mean) + model.Scatter);
    }

    /// <summary>
    /// Newton's method without brackets: each type is brought only as near to its root as the next step needs, which is
    /// one step of the fourth order for most. Whatever does not settle is left to <see cref="Iterate"/>.
    /// </summary>
    private bool Descend()
    {
        var (near, before) = (model.Count == 1 ? TokenResponse.Fine : TokenResponse.Coarse, 1e-5);
        for (var sweep = 0; sweep < MaxPlainSweeps; sweep++)
        {
            Evaluate(near);
            var (dSigma, dY) = Step();
            var length = Math.Abs(dSigma) + Math.Abs(dY);
            if (!double.IsFinite(length) || (sweep > 1 && length > before / 2))
                return false;
            if (near == TokenResponse.Fine && length < Linear)
            {
                // Newton's error is squared at each step: by the last two lengths, the next would be this long.
                if (length < Short)
                    return true;
                if (length * (length / before) * (length / before) < Short)
                {
                    Finish(dSigma, dY);
                    return true;
                }
            }

            (near, before) = (length < 3e-3 ? TokenResponse.Fine : TokenResponse.Coarse, length);
            _sigma = Math.Clamp(_sigma + dSigma, _low, _high);
            _y += dY;
            ClampY();
        }

        return false;
    }

    /// <summary>The last step, too short for anything but its linear part to show.</summary>
    private void Finish(double dSigma, double dY)
    {
        var (dS, dKappa) = (S * dSigma, (Kappa - 1) * dY);
        Sums = TokenResponse.Shift(
            model,
            new(_logAlpha, _alpha, S, Kappa, _nu, TokenResponse.Fine),
            dS,
            dKappa,
            Excess
        );
        (_sigma, _y, S, Kappa) = (_sigma + dSigma, _y + dY, S + dS, Kappa + dKappa);
        Idle = model.Lambda / S;
    }

    private void Iterate()
    {
        Evaluate(TokenResponse.Fine);
        var (best, sinceBest) = (Merit(), 0);
        for (var first = Sweeps; Sweeps - first < MaxSweeps; )
        {
            var (dSigma, dY) = Step();
            if (Math.Abs(dSigma) + Math.Abs(dY) < Short)
                return;
            var (oldSigma, oldY) = (_sigma, _y);
            _sigma = Math.Clamp(_sigma + dSigma, _low, _high);
            _y += dY;
            ClampY();
            if (_sigma == oldSigma && _y == oldY && Merit() < 1e-11 + _noise)
                return;
            Evaluate(TokenResponse.Fine);
            Tighten();
            var merit = Merit();
            (best, sinceBest) = merit <= best / 2 ? (merit, 0) : (best, sinceBest + 1);
            if (sinceBest < 3)
                continue;
            if (merit < 1e-11 + _noise || _high - _low <= 1e-15 * Math.Max(1, Math.Abs(_sigma)))
                return;
            Halve();
            (best, sinceBest) = (Merit(), 0);
        }

        Converged = false;
    }

    /// <summary>Evaluates both equations and their derivatives in σ = ln s and y = ln(κ − 1).</summary>
    private void Evaluate(double near)
    {
        var (lambda, both) = (model.Lambda, Elementary.Exp(Vector256.Create(_sigma, _y, 0, 0)));
        var more = both[1];
        (S, Kappa) = (both[0], 1 + more);
        Sweep(near);
        var sums = Sums;
        Idle = lambda / S;
        var square = Math.Max(sums.Square, Tiny);
        _f1 = model.IdleAtLower - (lambda * sums.Seconds) - Idle;
        _f2 = _y - (2 * _sigma) - LogHalf(sums.Square);
        _f1Sigma = (lambda * sums.Slope1 * S) + Idle;
        _f1Y = more * lambda * sums.Slope0;
        _f2Sigma = Math.Min(0, -2 + (2 * S * sums.Slope2 / square));
        _f2Y = 1 + (2 * more * sums.Slope1 / square);
        _noise =
            (4e-16 * (model.IdleAtLower + (lambda * sums.Seconds)) / (_f1Sigma + _f1Y))
            + (4e-16 * (Math.Abs(_y) + (2 * Math.Abs(_sigma))));
    }

    private double Merit() => (Math.Abs(_f1) / (_f1Sigma + _f1Y)) + Math.Abs(_f2);

    private (double Sigma, double Y) Step()
    {
        var determinant = (_f1Sigma * _f2Y) - (_f1Y * _f2Sigma);
        var sigma = ((_f2 * _f1Y) - (_f1 * _f2Y)) / determinant;
        var y = ((_f1 * _f2Sigma) - (_f2 * _f1Sigma)) / determinant;

        // Where λ/s dominates f₁ the step is taken in r = λ/s, in which f₁ is then nearly linear.
        if (Idle > _f1Sigma / 2 && sigma < 1)
        {
            // −ln(1 − σ), by Padé where that is near enough for a step.
            var inIdle =
                Math.Abs(sigma) < 0.5 ? sigma * (6 - sigma) / (6 - (4 * sigma)) : -Elementary.LogOnePlus(-sigma);
            y += _f2Y > 0 ? -_f2Sigma / _f2Y * (inIdle - sigma) : 0;
            sigma = inIdle;
        }

        return (sigma, y);
    }

    private void Tighten()
    {
        if (_f1 < 0 && _f2 >= 0)
            _low = Math.Max(_low, _sigma);
        else if (_f1 >= 0 && _f2 <= 0)
            _high = Math.Min(_high, _sigma);
    }

    /// <summary>
    /// Puts σ in the middle of the bracket and moves y alone until the signs say on which side the root is.
    /// </summary>
    private void Halve()
    {
        _sigma = _low + ((_high - _low) / 2);
        var (low, high) = YBounds();
        _y = Math.Clamp(_y, low, high);
        var last = high - low;
        for (var step = 0; step < 200; step++)
        {
            Evaluate(TokenResponse.Fine);
            if (Math.Abs(_f2) <= 8e-16 * (1 + Math.Abs(_y) + Math.Abs(_sigma)))
                break;
            if ((_f1 < 0) == (_f2 >= 0))
            {
                Tighten();
                return;
            }

            (low, high) = _f2 < 0 ? (_y, high) : (low, _y);
            var next = _y - (_f2 / _f2Y);

            // A step that is not half as long as the last one may be part of a cycle.
            if (!(next > low && next < high) || Math.Abs(next - _y) > last / 2)
                next = low + ((high - low) / 2);
            if (next <= low || next >= high)
                break;
            (last, _y) = (Math.Abs(next - _y), next);
        }

        // On f₂ = 0, or as near to it as numbers are, the sign of f₁ alone decides.
        (_low, _high) = _f1 < 0 ? (_sigma, _high) : (_low, _sigma);
    }

    private (double Low, double High) YBounds() => ((2 * _sigma) + _logSquareAtLower, (2 * _sigma) + _logSquareAtUpper);

    private void ClampY()
    {
        var (low, high) = YBounds();
        _y = Math.Clamp(_y, low, Math.Max(low, high));
    }

    private static double LogHalf(double square) => Math.Max(LogTiny, Elementary.Log(square / 2));

    /// <summary>The cap on ρ binds: s is known, and κ alone is sought so that the tokens just fill the cap.</summary>
    private void SolveAtCap(double idleAtCap)
    {
        S = model.Lambda / idleAtCap;
        var room = Math.Max(0, (model.IdleAtLower - idleAtCap) / model.Lambda);
        var right = LogPriceOfNothing();
        var left = Math.Min(0, right - 1); // κ ≥ 1 where the cap binds
        double Over(double logKappa)
        {
            Kappa = Elementary.Exp(logKappa);
            Sweep(TokenResponse.Fine);
            return Sums.Seconds - room;
        }

        var over = Over(left);
        if (over > 0)
            Over(MonotoneRoot.Decreasing(Over, (left, over), (right, -room), 4e-16 * room));
        Idle = idleAtCap;
        Theta = Math.Max(0, Kappa - 1 - (S * S * Sums.Square / 2));
    }

    // ln of the least κ at which every type is at its lower bound.
    private double LogPriceOfNothing()
    {
        var most = double.Epsilon;
        for (var k = 0; k < model.Count; k++)
        {
            if (model.Cost[k] > 0)
                most = Math.Max(
                    most,
                    Elementary.Exp(model.LogValueAtLower[k] + _logAlpha)
                        - (_nu / model.Cost[k])
                        - (S * model.ServiceAtLower[k])
                );
        }

        return Elementary.Log(most);
    }
}
