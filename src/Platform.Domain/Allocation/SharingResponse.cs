using System.Runtime.Intrinsics;
using Platform.Domain.Queueing;

namespace Platform.Domain.Allocation;

/// <summary>The sums over the types at a charge and a part, and how these fall with both.</summary>
/// <param name="Output">E[o], output tokens.</param>
/// <param name="Work">E[w], seconds.</param>
/// <param name="Load">E[w] + E[o] α/B, seconds: what saturates a server.</param>
internal readonly record struct SharingSums(double Output, double Work, double Load)
{
    /// <summary>∂E[o]/∂ ln ν and ∂E[w]/∂ ln ν.</summary>
    public required double OutputPerCharge { get; init; }

    /// <inheritdoc cref="OutputPerCharge"/>
    public required double WorkPerCharge { get; init; }

    /// <summary>∂E[o]/∂t and ∂E[w]/∂t.</summary>
    public required double OutputPerPart { get; init; }

    /// <inheritdoc cref="OutputPerPart"/>
    public required double WorkPerPart { get; init; }
}

/// <summary>
/// The tokens that each type takes where servers share, when a token of mean cost is charged ν and the part t of that
/// is for work: a type's next token is then worth what it is charged, ν (1 − t + t ∂w/∂l ÷ δ̄).
/// </summary>
internal sealed class SharingResponse
{
    // What the logarithms may be off by, relative to them.
    private const double Rounding = 1e-15;

    private readonly AllocationModel _model;
    private readonly SharingColumns _columns;
    private readonly double[] _logValue,
        _cost,
        _logCost;
    private readonly double _perMeanCost;
    private double _part = double.NaN;

    public SharingResponse(AllocationModel model)
    {
        _model = model;
        _columns = model.Sharing!;
        _logValue = new double[model.Padded];
        _cost = new double[model.Padded];
        _logCost = new double[model.Padded];
        Tokens = new double[model.Padded];
        MeanCost = MeanOf(model);
        _perMeanCost = MeanCost > 0 ? 1 / MeanCost : 0;
        for (var k = 0; k < model.Padded; k += 4)
            PrepareValue(k);
    }

    /// <summary>
    /// δ̄, seconds: the marginal work of a token, in the mean over the types and their bounds. Where tokens cost the
    /// same whatever their type, that of each of them, which may be 0.
    /// </summary>
    public double MeanCost { get; }

    /// <summary>l of the last sweep; a multiple of four long.</summary>
    public double[] Tokens { get; }

    /// <summary>Sets t, the part of a token's charge that is for its work.</summary>
    public void SetPart(double part)
    {
        if (part == _part)
            return;
        _part = part;
        for (var k = 0; k < _model.Padded; k += 4)
        {
            var cost = Vector256.Create(1 - part) + (part * _perMeanCost * Load(_columns.PerToken, k));
            cost.CopyTo(_cost, k);
            if (AreCommon(cost))
                Elementary.Log(cost).CopyTo(_logCost, k);
            else
                LogCostOneByOne(k);
        }
    }

    /// <summary>
    /// The charges ln ν at which all types are at their upper bounds and at their lower ones; the first above the
    /// second where no charge moves any.
    /// </summary>
    public (double Least, double Most) Charges()
    {
        var least = double.PositiveInfinity;
        var most = double.NegativeInfinity;
        for (var k = 0; k < _model.Count; k++)
        {
            var isFixed = !(_model.Upper[k] > _model.Lower[k]) || _logValue[k] == double.NegativeInfinity;
            if (isFixed || _logCost[k] == double.NegativeInfinity)
                continue;
            least = Math.Min(least, WorthAt(k, _model.Upper[k]));
            most = Math.Max(most, WorthAt(k, _model.Lower[k]));
        }

        return (least, most);
    }

    /// <summary>Finds all tokens at a charge ln ν and the part that was set.</summary>
    public SharingSums Sweep(double charge) => _columns.HasSquares ? SweepOneByOne(charge) : SweepByFour(charge);

    private static double MeanOf(AllocationModel model)
    {
        var columns = model.Sharing!;
        var mean = 0.0;
        for (var k = 0; k < model.Count; k++)
            mean += model.Share[k] * (columns.PerToken[k] + (columns.Square[k] * (model.Lower[k] + model.Upper[k])));
        return mean > 0 || columns.HasCommonCost ? mean : 1;
    }

    private static Vector256<double> Load(double[] column, int k) => Vector256.Create(column, k);

    /// <summary>Whether the logarithm of all four can be had at once.</summary>
    private static bool AreCommon(Vector256<double> values)
    {
        var isAbove = Vector256.GreaterThan(values, Vector256.Create(1e-300));
        var isBelow = Vector256.LessThan(values, Vector256.Create(1e300));
        return Vector256.EqualsAll((isAbove & isBelow).AsInt64(), Vector256<long>.AllBitsSet);
    }

    /// <summary>ln(α w A b).</summary>
    private void PrepareValue(int k)
    {
        var most = Load(_model.Weight, k) * Load(_model.Gain, k);
        var value = most * Load(_model.Rate, k) * _model.Problem.AccuracyWeight;
        if (AreCommon(value))
        {
            Elementary.Log(value).CopyTo(_logValue, k);
            return;
        }

        var logWeight = Elementary.Log(_model.Problem.AccuracyWeight);
        for (var i = k; i < k + 4; i++)
        {
            var logMost = Elementary.Log(_model.Weight[i] * _model.Gain[i]);
            _logValue[i] = logWeight + logMost + Elementary.Log(_model.Rate[i]);
        }
    }

    private void LogCostOneByOne(int first)
    {
        for (var k = first; k < first + 4; k++)
        {
            // Tokens that bring nothing stay at the lower bound, even those that cost nothing.
            _logCost[k] = _logValue[k] == double.NegativeInfinity ? 0 : Elementary.Log(_cost[k]);
        }
    }

    private SharingSums SweepByFour(double charge)
    {
        LaneSum output = default,
            work = default,
            load = default;
        Vector256<double> outputPerCharge = default,
            workPerCharge = default;
        Vector256<double> outputPerPart = default,
            workPerPart = default;
        var slot = _columns.OverheadOfSlot;
        for (var k = 0; k < _model.Padded; k += 4)
        {
            var (lower, upper, share) = (Load(_model.Lower, k), Load(_model.Upper, k), Load(_model.Share, k));
            var (perToken, perRate) = (Load(_columns.PerToken, k), Vector256<double>.One / Load(_model.Rate, k));
            var tokens = TokensOfFour(k, charge, perRate);
            tokens.CopyTo(Tokens, k);
            var made = share * (Load(_columns.Answer, k) + tokens);
            var used = share * (Load(_columns.Work, k) + (tokens * perToken));
            output.Add(made);
            work.Add(used);
            if (slot > 0)
                load.Add(used + (slot * made));

            var isFree = Vector256.GreaterThan(tokens, lower) & Vector256.LessThan(tokens, upper);
            var fall = Vector256.ConditionalSelect(isFree, share * perRate, default);
            var turn = fall * ((perToken * _perMeanCost) - Vector256<double>.One) / Load(_cost, k);
            turn = Vector256.ConditionalSelect(isFree, turn, default);
            outputPerCharge += fall;
            workPerCharge += fall * perToken;
            outputPerPart += turn;
            workPerPart += turn * perToken;
        }

        var (allOutput, allWork, allLoad) = (output, work, load);
        return new SharingSums(allOutput.Value, allWork.Value, slot > 0 ? allLoad.Value : allWork.Value)
        {
            OutputPerCharge = -Vector256.Sum(outputPerCharge),
            WorkPerCharge = -Vector256.Sum(workPerCharge),
            OutputPerPart = -Vector256.Sum(outputPerPart),
            WorkPerPart = -Vector256.Sum(workPerPart),
        };
    }

    /// <summary>Tokens within the bounds, and at a bound where rounding alone says otherwise.</summary>
    private Vector256<double> TokensOfFour(int k, double charge, Vector256<double> perRate)
    {
        var (lower, upper, logValue) = (Load(_model.Lower, k), Load(_model.Upper, k), Load(_logValue, k));
        var tokens = (logValue - Load(_logCost, k) - Vector256.Create(charge)) * perRate;
        var room = Rounding * (Vector256.Abs(logValue) + Vector256.Create(1 + Math.Abs(charge))) * perRate;
        tokens = Vector256.ConditionalSelect(Vector256.GreaterThanOrEqual(tokens, upper - room), upper, tokens);
        return Vector256.ConditionalSelect(Vector256.LessThanOrEqual(tokens, lower + room), lower, tokens);
    }

    private SharingSums SweepOneByOne(double charge)
    {
        CompensatedSum output = default,
            work = default,
            load = default;
        double outputPerCharge = 0,
            workPerCharge = 0,
            outputPerPart = 0,
            workPerPart = 0;
        for (var k = 0; k < _model.Count; k++)
        {
            var (share, tokens) = (_model.Share[k], TokensAt(k, charge));
            Tokens[k] = tokens;
            var perType = _columns.WorkOf(k, tokens);
            output.Add(share * (_columns.Answer[k] + tokens));
            work.Add(share * perType);
            load.Add(share * (perType + (_columns.OverheadOfSlot * (_columns.Answer[k] + tokens))));
            if (!(tokens > _model.Lower[k] && tokens < _model.Upper[k]))
                continue;
            var perToken = _columns.WorkSlope(k, tokens);
            var fall = share / (_model.Rate[k] + CostRise(k, tokens));
            var turn = fall * ((perToken * _perMeanCost) - 1) / CostAt(k, tokens);
            outputPerCharge -= fall;
            workPerCharge -= fall * perToken;
            outputPerPart -= turn;
            workPerPart -= turn * perToken;
        }

        return new SharingSums(output.Value, work.Value, load.Value)
        {
            OutputPerCharge = outputPerCharge,
            WorkPerCharge = workPerCharge,
            OutputPerPart = outputPerPart,
            WorkPerPart = workPerPart,
        };
    }

    /// <summary>Cost of a token of a type relative to ν.</summary>
    private double CostAt(int k, double tokens) => 1 - _part + (_part * _perMeanCost * _columns.WorkSlope(k, tokens));

    /// <summary>
    /// ln of what a type's token is worth over its cost: where that is ln ν, the type has those tokens.
    /// </summary>
    private double WorthAt(int k, double tokens)
    {
        var logCost = _columns.Square[k] == 0 ? _logCost[k] : Elementary.Log(CostAt(k, tokens));
        return _logValue[k] - (_model.Rate[k] * tokens) - logCost;
    }

    /// <summary>∂ ln of a token's cost by the tokens.</summary>
    private double CostRise(int k, double tokens) =>
        _columns.Square[k] == 0 ? 0 : 2 * _part * _perMeanCost * _columns.Square[k] / CostAt(k, tokens);

    private double TokensAt(int k, double charge)
    {
        var (lower, upper) = (_model.Lower[k], _model.Upper[k]);
        if (_logValue[k] == double.NegativeInfinity)
            return lower;
        if (_columns.Square[k] == 0)
            return Snapped(k, (_logValue[k] - _logCost[k] - charge) / _model.Rate[k], charge);
        if (!(WorthAt(k, lower) > charge))
            return lower;
        return WorthAt(k, upper) >= charge ? upper : TokensBetween(k, lower, upper, charge);
    }

    private double Snapped(int k, double tokens, double charge)
    {
        var room = Rounding * (1 + Math.Abs(_logValue[k]) + Math.Abs(charge)) / _model.Rate[k];
        if (tokens <= _model.Lower[k] + room)
            return _model.Lower[k];
        return tokens >= _model.Upper[k] - room ? _model.Upper[k] : tokens;
    }

    /// <summary>
    /// Newton's method from the left: what is left of the worth falls and is convex, so that no step goes too far.
    /// </summary>
    private double TokensBetween(int k, double lower, double upper, double charge)
    {
        var tokens = lower;
        for (var step = 0; step < 100; step++)
        {
            var more = (WorthAt(k, tokens) - charge) / (_model.Rate[k] + CostRise(k, tokens));
            if (!(more > 1e-16 * tokens))
                break;
            tokens = Math.Min(tokens + more, upper);
        }

        return Snapped(k, tokens, charge);
    }
}
