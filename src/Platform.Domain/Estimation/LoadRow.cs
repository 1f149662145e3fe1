using Platform.Domain.Allocation;

namespace Platform.Domain.Estimation;

/// <summary>
/// The rows of the regression that one bucket of a task type makes at a load: that of its mean, and that of its spread
/// of tokens. What the definition says of the square of the tokens is taken off what was seen.
/// </summary>
internal readonly struct LoadRow
{
    private readonly ServiceCell _cell;
    private readonly double _slowdown;
    private readonly double _squares;
    private readonly double _squareSlope;

    /// <param name="cell">The bucket.</param>
    /// <param name="load">N, queries in service at a server.</param>
    /// <param name="line">The definition's line.</param>
    public LoadRow(ServiceCell cell, double load, ServiceLine line)
    {
        _cell = cell;
        _slowdown = 1 + load;
        var perSquare = line.SecondsPerTokenSquared * _slowdown;
        var meanSquare = (cell.TokensSquared / cell.Count) + (cell.MeanTokens * cell.MeanTokens);
        _squares = perSquare * meanSquare;
        _squareSlope = 2 * perSquare * cell.MeanTokens;
    }

    private Vector3 Level => new(_slowdown, 1, _cell.MeanTokens * _slowdown);

    private Vector3 Tilt => new(0, 0, _slowdown);

    /// <summary>Adds both rows.</summary>
    public void AddTo(ref ArrowEquations sums, double weight)
    {
        sums.AddRow(weight * _cell.Count, Level, _cell.MeanTokens, _cell.MeanSeconds - _squares);
        if (!(_cell.TokensSquared > 0))
            return;
        var slope = (_cell.TokenSeconds / _cell.TokensSquared) - _squareSlope;
        sums.AddRow(weight * _cell.TokensSquared, Tilt, 1, slope);
    }

    /// <summary>Σ(y − fit)² of the bucket.</summary>
    public double Residual(Vector3 inner, double overhead)
    {
        var level = LevelResidual(inner, overhead);
        var slope = SlopeOf(inner, overhead) + _squareSlope;
        var within = _cell.SecondsSquared - (2 * slope * _cell.TokenSeconds) + (slope * slope * _cell.TokensSquared);
        return Math.Max(within, 0) + (_cell.Count * level * level);
    }

    /// <summary>ȳ less the fit at the bucket's mean.</summary>
    public double LevelResidual(Vector3 inner, double overhead) =>
        _cell.MeanSeconds - _squares - Level.Dot(inner) - (_cell.MeanTokens * overhead);

    /// <summary>A score with that of this bucket added.</summary>
    public StretchScore AddScore(StretchScore sum, double weight, Vector3 inner, double overhead)
    {
        var level = weight * _cell.Count * LevelResidual(inner, overhead);
        var slope = SlopeOf(inner, overhead) + _squareSlope;
        var tilt = weight * (_cell.TokenSeconds - (slope * _cell.TokensSquared));
        return new StretchScore(
            sum.Inner.Plus(level, Level).Plus(tilt, Tilt),
            sum.Outer + (level * _cell.MeanTokens) + tilt
        );
    }

    private double SlopeOf(Vector3 inner, double overhead) => (inner.Z * _slowdown) + overhead;
}

/// <summary>What the residuals of a stretch of time pull the unknowns by.</summary>
/// <param name="Inner">The type's own.</param>
/// <param name="Outer">α.</param>
internal readonly record struct StretchScore(Vector3 Inner, double Outer);
