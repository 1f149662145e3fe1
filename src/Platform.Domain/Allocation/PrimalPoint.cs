using Platform.Domain.Queueing;

namespace Platform.Domain.Allocation;

/// <summary>
/// J, its gradient and its certificate at tokens that a method moves about: the plain formulas of the M/G/1 problem.
/// </summary>
internal sealed class PrimalPoint(AllocationModel model)
{
    /// <summary>l, set by the method.</summary>
    public readonly double[] Tokens = model.Lower[..model.Count];

    /// <summary>∂J/∂l, seconds a token.</summary>
    public readonly double[] Gradient = new double[model.Count];

    /// <summary>1 − ρ; the point has no other figures where it is not above 0.</summary>
    public double Idle { get; private set; }

    /// <summary>E[S].</summary>
    public double MeanService { get; private set; }

    /// <summary>Σ π w p.</summary>
    public double WeightedAccuracy { get; private set; }

    /// <summary>E[S²].</summary>
    public double Square { get; private set; }

    /// <summary>J, −∞ where the queue is unstable.</summary>
    public double Objective { get; private set; }

    /// <summary>x = λ/(1 − ρ).</summary>
    public double X { get; private set; }

    /// <summary>κ = 1 + x² E[S²]/2.</summary>
    public double Kappa { get; private set; }

    /// <summary>Upper bound on J* − J: the gap of Frank and Wolfe.</summary>
    public double Gap { get; private set; }

    /// <summary>
    /// Largest violation of the optimality conditions, relative to the larger of the two terms that balance.
    /// </summary>
    public double Residual { get; private set; }

    /// <summary>Forms J.</summary>
    public void Evaluate()
    {
        CompensatedSum mean = default,
            square = default,
            weighted = default;
        for (var k = 0; k < Tokens.Length; k++)
        {
            var time = model.Service(k, Tokens[k]);
            mean.Add(model.Share[k] * time);
            square.Add(model.Share[k] * ((time * time) + model.Variance[k]));
            weighted.Add(model.Share[k] * model.Weight[k] * model.Accuracy(k, Tokens[k]));
        }

        Idle = model.Idle<double>(Tokens, static l => l);
        X = model.Lambda / Idle;
        (MeanService, Square, WeightedAccuracy) = (mean.Value, square.Value, weighted.Value);
        Kappa = 1 + (X * X * Square / 2);
        var objective = (model.Problem.AccuracyWeight * WeightedAccuracy) - MeanService - (X * Square / 2);
        Objective = Idle > 0 ? objective : double.NegativeInfinity;
    }

    /// <summary>Forms the gradient and the certificate of an evaluated, stable point.</summary>
    public void Differentiate()
    {
        var (gap, residual) = (default(CompensatedSum), 0.0);
        for (var k = 0; k < Tokens.Length; k++)
        {
            var (l, lower, upper) = (Tokens[k], model.Lower[k], model.Upper[k]);
            var gain =
                model.Problem.AccuracyWeight
                * model.Weight[k]
                * model.Gain[k]
                * model.Rate[k]
                * Elementary.Exp(-model.Rate[k] * l);
            var price = model.Cost[k] * (Kappa + (X * model.Service(k, l)));
            var slope = gain - price;
            Gradient[k] = model.Share[k] * slope;
            gap.Add(Math.Max(Gradient[k] * (upper - l), Gradient[k] * (lower - l)));
            if ((l > lower || slope > 0) && (l < upper || slope < 0) && slope != 0)
                residual = Math.Max(residual, Math.Abs(slope) / Math.Max(gain, price));
        }

        (Gap, Residual) = (gap.Value, residual);
    }

    /// <summary>Whether the certificate is within the tolerance.</summary>
    public bool Satisfies(double tolerance) => Gap <= tolerance * (1 + Math.Abs(Objective));

    /// <summary>The point as an answer.</summary>
    public ContinuousPoint ToContinuous() =>
        new()
        {
            Tokens = Tokens,
            Idle = Idle,
            MeanService = MeanService,
            Square = Square,
            WeightedAccuracy = WeightedAccuracy,
            Objective = Objective,
            KktResidual = Residual,
            Gap = Gap,
            Prices = new(0, 0, 0),
        };
}
