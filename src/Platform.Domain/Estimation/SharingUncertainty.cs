namespace Platform.Domain.Estimation;

/// <summary>
/// Covariances of what a regression of servers that share has found: H⁻¹JH⁻¹. J is the prior's doubt, and of the data's
/// scores what one variance at all loads gives and what the stretches of time show, weighed by their number: queries
/// of one stretch share its load, and what is wrong with it they have in common (Liang and Zeger, Biometrika 73, 1986).
/// </summary>
internal sealed class SharingUncertainty
{
    private readonly SharingRegression _regression;
    private readonly StretchScore[][] _scores;
    private readonly ArrowEquations[] _presumed;
    private readonly double[] _overheadMoves;
    private double _presumedPart = 1;
    private double _seenPart;
    private double _presumedVariance;
    private double _priorVariance;
    private double _seenVariance;

    /// <param name="regression">The regression, solved.</param>
    /// <param name="inService">The stretches.</param>
    /// <param name="types">Number of task types.</param>
    public SharingUncertainty(SharingRegression regression, InService inService, int types)
    {
        _regression = regression;
        _scores = new StretchScore[types][];
        _presumed = new ArrowEquations[types];
        _overheadMoves = new double[inService.Stretches];
        _priorVariance = regression.OverheadVarianceOfPrior();
    }

    /// <summary>How many times the data's presumed variance of α the stretches show, at least 1.</summary>
    public double Inflation
    {
        get
        {
            var shown = (_presumedPart * _presumedVariance) + (_seenPart * _seenVariance);
            return _presumedVariance > 0 ? Math.Max(shown / _presumedVariance, 1) : 1;
        }
    }

    /// <summary>Standard error of α.</summary>
    public double OverheadError =>
        Math.Sqrt(_priorVariance + (_presumedPart * _presumedVariance) + (_seenPart * _seenVariance));

    /// <summary>Takes in a task type.</summary>
    /// <param name="k">Which.</param>
    /// <param name="scores">Its score by stretch.</param>
    /// <param name="presumed">Covariances of its score by one variance at all loads.</param>
    public void Add(int k, StretchScore[] scores, in ArrowEquations presumed)
    {
        _scores[k] = scores;
        _presumed[k] = presumed;
        _presumedVariance += _regression.OverheadVarianceOf(k, presumed);
        _priorVariance += _regression.OverheadVarianceOf(k, _regression.PriorScores(k));
        for (var j = 0; j < scores.Length; j++)
            _overheadMoves[j] += _regression.OverheadOf(k, scores[j].Inner, scores[j].Outer);
    }

    /// <summary>Weighs what is presumed against what the stretches show; after all task types were added.</summary>
    /// <param name="stretches">Their effective number.</param>
    public void Weigh(double stretches)
    {
        const int Fitted = 2;
        var free = Math.Max(stretches - Fitted, 0);
        _presumedPart = ServiceMoments.PresumedBuckets / (ServiceMoments.PresumedBuckets + free);

        // The fitted lines pass nearer to the stretches than the true ones: G of them show G − 2.
        _seenPart = free == 0 ? 0 : stretches / (ServiceMoments.PresumedBuckets + free);
        foreach (var move in _overheadMoves)
            _seenVariance += move * move;
    }

    /// <summary>Standard error of a figure of a task type.</summary>
    public double Error(int k, LinearFigure figure) => Math.Sqrt(Math.Max(Covariance(k, figure, figure), 0));

    /// <summary>Covariance of two figures of a task type.</summary>
    public double Covariance(int k, LinearFigure one, LinearFigure other)
    {
        var prior = Presumed(k, _regression.PriorScores(k), _priorVariance, one, other);
        var presumed = Presumed(k, _presumed[k], _presumedVariance, one, other);
        var seen = 0.0;
        for (var j = 0; j < _overheadMoves.Length; j++)
        {
            var inner = _scores[k][j].Inner;
            seen += one.Moved(inner, _overheadMoves[j]) * other.Moved(inner, _overheadMoves[j]);
        }

        return prior + (_presumedPart * presumed) + (_seenPart * seen);
    }

    private double Presumed(
        int k,
        in ArrowEquations scores,
        double overheadVariance,
        LinearFigure one,
        LinearFigure other
    ) => one.Covariance(other, scores.Inner, _regression.ScoreWithOverhead(k, scores), overheadVariance);
}
