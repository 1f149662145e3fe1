using System.Runtime.Intrinsics;
using Platform.Domain.Queueing;

namespace Platform.Domain.Allocation;

/// <summary>
/// The numbers of an M/G/1 problem as arrays, one for each symbol of Ozbas and Bastopcu (arXiv 2601.10274), with what
/// does not change while it is solved. Arrays are a multiple of four long; beyond <see cref="Count"/> stand types
/// without a share, which change no sum. Bounds are real numbers and may be narrowed; <see cref="Refresh"/> then
/// recomputes what depends on them.
/// </summary>
internal class TypeColumns
{
    /// <summary>λ at one server: all of it in a shared queue, λ / k in a split one.</summary>
    public double Lambda;

    /// <summary>
    /// λ of the fleet, and the number k of its servers: 1 − ρ is formed from λ E[S] / k, not from a rounded λ / k.
    /// </summary>
    public double ArrivalRate,
        Servers = 1;

    /// <summary>Whether the mean tokens matter: where there is a budget for them.</summary>
    public bool CountsTokens;

    /// <summary>Whether a curve counts below 0 as well, as it did up to dual-newton/4.</summary>
    public bool TakesRawCurves;

    /// <summary>Most that ρ may be, 1 where nothing is said.</summary>
    public double MaxUtilization = 1;

    /// <summary>
    /// π, share; t⁰, base seconds; c, seconds a token; v, variance around the line; b, rate a token; A, gain; w,
    /// weight.
    /// </summary>
    public readonly double[] Share,
        Base,
        Cost,
        Variance,
        Rate,
        Gain,
        Floor,
        Weight;

    /// <summary>ln(w A b / c), or ln(w A b) where c = 0; −∞ where tokens bring nothing.</summary>
    public readonly double[] LogValue;

    /// <summary>Bounds on the tokens, the lower one raised to what the accuracy floor needs.</summary>
    public readonly double[] Lower,
        Upper;

    /// <summary>t at the lower bound; ln(w A b / c) − b · lower, and e to that power; c/b.</summary>
    public readonly double[] ServiceAtLower,
        LogValueAtLower,
        ValueAtLower,
        CostOverRate;

    /// <summary>
    /// Σ π v, the part of E[S²] = Σ π (t² + v) that no tokens change. The optimality conditions, the convexity of the
    /// mean wait and every bound that uses E[S²] ≥ E[S]² hold with it as without.
    /// </summary>
    public double Scatter;

    /// <summary>
    /// 1 − ρ, E[S], E[S²] and mean tokens at the lower bounds; E[S²] at the upper bounds, and what 1 − ρ is there at
    /// least.
    /// </summary>
    public double IdleAtLower,
        MeanAtLower,
        SquareAtLower,
        TokensAtLower,
        SquareAtUpper,
        LeastIdleAtUpper;

    /// <summary>No less than Σ π w (p(upper) − p(lower)).</summary>
    public double MostAccuracyRange;

    /// <summary>Makes room for some types.</summary>
    public TypeColumns(int capacity)
    {
        var length = (capacity + 3) & ~3;
        double[] New() => new double[length];
        (Share, Base, Cost, Rate) = (New(), New(), New(), New());
        (Gain, Floor, Weight, LogValue) = (New(), New(), New(), New());
        (Lower, Upper, ServiceAtLower, LogValueAtLower) = (New(), New(), New(), New());
        (ValueAtLower, CostOverRate, Variance) = (New(), New(), New());
        Resize(capacity);
    }

    /// <summary>Number of types, and the same rounded up to a multiple of four.</summary>
    public int Count { get; private set; }

    /// <inheritdoc cref="Count"/>
    public int Padded => (Count + 3) & ~3;

    /// <summary>Sets the number of types, within the capacity.</summary>
    public void Resize(int count)
    {
        Count = count;
        for (var k = count; k < Padded; k++)
        {
            // Worth too little to want a token at any weight, and with no number that would need care of its own.
            (Share[k], Base[k], Floor[k], Lower[k], Upper[k], Variance[k]) = (0, 0, 0, 0, 0, 0);
            (Cost[k], Rate[k], Weight[k], Gain[k]) = (1, 1, 1, 1e-250);
        }
    }

    /// <summary>p of type <paramref name="k"/>, a probability: 0 where its curve is below 0.</summary>
    public double Accuracy(int k, double tokens)
    {
        var curve = Curve(k, tokens);
        return TakesRawCurves ? curve : Math.Clamp(curve, 0, 1);
    }

    /// <summary>The exponential curve of type <paramref name="k"/>, which may lie below 0.</summary>
    public double Curve(int k, double tokens) => Floor[k] - (Gain[k] * Elementary.ExpMinusOne(-Rate[k] * tokens));

    /// <summary>t of type <paramref name="k"/>, seconds.</summary>
    public double Service(int k, double tokens) => Base[k] + (Cost[k] * tokens);

    /// <summary>Recomputes what depends on the bounds.</summary>
    public void Refresh() => Prepare(valued: true);

    /// <summary>Computes all that does not change while it is solved; needed once the columns are filled.</summary>
    protected void Prepare() => Prepare(valued: false);

    /// <summary>1 − ρ for a given E[S], to full relative precision unless it is below 1e-25.</summary>
    protected double IdleOf(DoubleDouble meanService) =>
        (new DoubleDouble(Servers, 0) + (meanService * -ArrivalRate)).Value / Servers;

    private void Prepare(bool valued)
    {
        LaneSum square = default,
            tokens = default,
            squareAtUpper = default,
            scatter = default;
        var (rise, range) = (Vector256<double>.Zero, Vector256<double>.Zero);
        LaneDoubleDoubleSum mean = default;
        for (var k = 0; k < Padded; k += 4)
        {
            var (share, start, cost, rate) = (Load(Share, k), Load(Base, k), Load(Cost, k), Load(Rate, k));
            var (lower, upper) = (Load(Lower, k), Load(Upper, k));
            var (low, high) = (start + (cost * lower), start + (cost * upper));
            var raised = lower != Vector256<double>.Zero;
            low.CopyTo(ServiceAtLower, k);
            (cost / rate).CopyTo(CostOverRate, k);
            PrepareValue(k, valued, raised);
            square.Add(share * low * low);
            squareAtUpper.Add(share * high * high);
            scatter.Add(share * Load(Variance, k));
            rise += share * cost * (upper - lower);
            range +=
                share
                * Load(Weight, k)
                * Load(Gain, k)
                * Vector256.MinNative(Vector256<double>.One, rate * (upper - lower));
            mean.AddProduct(share, start);
            if (!raised)
                continue;
            tokens.Add(share * lower);
            mean.AddProduct(share, cost, lower);
        }

        var exact = mean.Value;
        (MeanAtLower, TokensAtLower, Scatter) = (exact.Value, tokens.Value, scatter.Value);
        (SquareAtLower, SquareAtUpper) = (square.Value + Scatter, squareAtUpper.Value + Scatter);
        IdleAtLower = IdleOf(exact);

        // Plain sums: what rounding may have lost of them, at most a part of N 2⁻⁵³, is taken off and put on.
        var (loss, used) = (1.2e-16 * (Padded + 8), Lambda * Vector256.Sum(rise));
        LeastIdleAtUpper = IdleAtLower - used - (loss * (1 + used));
        MostAccuracyRange = Vector256.Sum(range) * (1 + loss);
    }

    // ln(w A b / c), the same at the lower bound, and its exponential.
    private void PrepareValue(int k, bool valued, bool raised)
    {
        if (!valued)
        {
            var cost = Load(Cost, k);
            var value = Load(Weight, k) * Load(Gain, k) * (Load(Rate, k) / cost);
            var common =
                Vector256.GreaterThan(cost, Vector256<double>.Zero)
                & Vector256.GreaterThan(value, Vector256.Create(1e-300))
                & Vector256.LessThan(value, Vector256.Create(1e300));
            if (Vector256.EqualsAll(common.AsInt64(), Vector256<long>.AllBitsSet))
                Elementary.Log(value).CopyTo(LogValue, k);
            else
                ValueOneByOne(k);
        }

        var logValue = Load(LogValue, k);
        if (raised)
            logValue -= Load(Rate, k) * Load(Lower, k);
        logValue.CopyTo(LogValueAtLower, k);
        Elementary.Exp(logValue).CopyTo(ValueAtLower, k);
    }

    private void ValueOneByOne(int first)
    {
        for (var k = first; k < first + 4; k++)
        {
            var (cost, rate) = (Cost[k] > 0 ? Cost[k] : 1, Rate[k]);
            var logRatio = double.IsNormal(rate / cost)
                ? Elementary.Log(rate / cost)
                : Elementary.Log(rate) - Elementary.Log(cost);
            LogValue[k] = Elementary.Log(Weight[k] * Gain[k]) + logRatio;
        }
    }

    private static Vector256<double> Load(double[] column, int k) => Vector256.Create(column, k);
}
