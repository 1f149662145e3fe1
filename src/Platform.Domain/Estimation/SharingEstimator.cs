using Platform.Domain.Allocation;
using Platform.Domain.Fleets;

namespace Platform.Domain.Estimation;

/// <summary>
/// Learns the lone service lines and the common overhead of servers that share from how long queries take at the loads
/// that were seen: one regression for the fleet. Formulas: docs/estimation.md.
/// </summary>
internal sealed class SharingEstimator
{
    /// <summary>Fits in which each task type's residual variance is found from the fit before.</summary>
    private const int Passes = 3;

    /// <summary>Unknowns that a bucket's residuals are fitted by, of each task type.</summary>
    private const int Parameters = 2;

    /// <summary>The prior's part of what is known of α above which the prior holds it.</summary>
    private const double MostDoubt = 0.5;

    private readonly FleetDefinition _definition;
    private readonly InService _inService;
    private readonly LoadsSeen _loads;
    private readonly ServiceCell[][] _cells;
    private readonly SharingTypePrior[] _priors;
    private readonly PositivePrior _overheadPrior;
    private readonly SharingRegression _regression;
    private readonly double[] _variance;
    private readonly double[] _seenVariance;
    private readonly double[] _freedom;
    private readonly LoadView[] _views;

    private SharingEstimator(FleetDefinition definition, WorkloadEvidence evidence)
    {
        _definition = definition;
        _inService = new InService(definition, evidence);
        var count = definition.TaskTypes.Count;
        var server = ProblemBuilder.Completed(definition.Sharing, definition.TaskTypes);
        var overhead = server.OverheadSecondsPerToken!.Value;
        var deviation = Math.Max(SharingTypePrior.OverheadDeviation * overhead, SharingTypePrior.LeastWorkDeviation);
        _overheadPrior = new PositivePrior(overhead, deviation);
        _cells = new ServiceCell[count][];
        _priors = new SharingTypePrior[count];
        for (var k = 0; k < count; k++)
        {
            _cells[k] = ServiceCell.Of(evidence.Of(k), evidence.Weight);
            var answer = AnswerTokensSeen.Of(evidence.Of(k), evidence.Weight);
            _priors[k] = new SharingTypePrior(definition.TaskTypes[k], overhead, answer);
        }

        _loads = new LoadsSeen(_inService, _cells);
        _variance = new double[count];
        _seenVariance = new double[count];
        _freedom = new double[count];
        _views = Views(_inService);
        _regression = new SharingRegression(_overheadPrior, _priors);
    }

    /// <summary>Fits a fleet.</summary>
    /// <param name="definition">A definition whose dispatch is sharing.</param>
    /// <param name="evidence">The fleet's sums.</param>
    public static SharingFit Fit(FleetDefinition definition, WorkloadEvidence evidence) =>
        new SharingEstimator(definition, evidence).Fit();

    private SharingFit Fit()
    {
        for (var k = 0; k < _cells.Length; k++)
            _variance[k] = Presumed(_cells[k]);
        var equations = new ArrowEquations[_cells.Length];
        for (var pass = 0; pass < Passes; pass++)
        {
            for (var k = 0; k < _cells.Length; k++)
            {
                equations[k] = default;
                equations[k].Add(1 / _variance[k], Equations(k, static cell => cell.Weight));
            }

            _regression.Solve(equations);
            for (var k = 0; pass < Passes - 1 && k < _cells.Length; k++)
                FindVariance(k);
        }

        return Fitted(equations);
    }

    /// <summary>
    /// At what load a query counts: at that of its stretch, as far as the load moved beyond chance, and for the rest at
    /// the mean of all.
    /// </summary>
    private static LoadView[] Views(InService inService)
    {
        var part = inService.PartBeyondChance;
        if (part == 0)
            return [new LoadView(1, false)];
        return [new LoadView(part, true), new LoadView(1 - part, false)];
    }

    private double LoadOf(int k, LoadView view, ServiceCell cell) =>
        view.IsOfStretch ? _loads.At(cell) : _loads.MeanFor(k, cell);

    private static double Presumed(ServiceCell[] cells)
    {
        var (count, seconds) = (0.0, 0.0);
        foreach (var cell in cells)
        {
            count += cell.Weight * cell.Count;
            seconds += cell.Weight * cell.Count * cell.MeanSeconds;
        }

        var deviation = count > 0 ? ServiceLineEstimator.PresumedVariation * seconds / count : 1;
        return Math.Max(deviation * deviation, ServiceLineEstimator.RoundingVariance);
    }

    /// <summary>The sums of a task type's rows: one for each bucket's mean, one for its spread of tokens.</summary>
    private ArrowEquations Equations(int k, Func<ServiceCell, double> weight)
    {
        var sums = default(ArrowEquations);
        foreach (var cell in _cells[k])
        {
            foreach (var view in _views)
            {
                var row = new LoadRow(cell, LoadOf(k, view, cell), _priors[k].Line);
                row.AddTo(ref sums, weight(cell) * view.Part);
            }
        }

        return sums;
    }

    private void FindVariance(int k)
    {
        var (count, squares, residual) = (0.0, 0.0, 0.0);
        foreach (var cell in _cells[k])
        {
            count += cell.Weight * cell.Count;
            squares += cell.Weight * cell.Weight * cell.Count;
            foreach (var view in _views)
            {
                var row = new LoadRow(cell, LoadOf(k, view, cell), _priors[k].Line);
                residual += cell.Weight * view.Part * row.Residual(_regression.Inner(k), _regression.Overhead);
            }
        }

        if (count == 0)
            return;
        _freedom[k] = Math.Max((count * count / squares) - Parameters, 0);
        _seenVariance[k] = _freedom[k] == 0 ? 0 : residual / (count - (Parameters * squares / count));
        _variance[k] = ServiceLineEstimator.Variance(Presumed(_cells[k]), _seenVariance[k], _freedom[k]);
    }

    private SharingFit Fitted(ArrowEquations[] equations)
    {
        var information = 0.0;
        foreach (var equation in equations)
            information += equation.SharedInformation;
        var uncertainty = new SharingUncertainty(_regression, _inService, _priors.Length);
        for (var k = 0; k < _cells.Length; k++)
        {
            var squared = Equations(k, static cell => cell.Weight * cell.Weight);
            uncertainty.Add(k, Scores(k), Scaled(1 / _variance[k], squared));
        }

        uncertainty.Weigh(EffectiveStretches());
        return new SharingFit
        {
            Sharing = Sharing(information / uncertainty.Inflation, uncertainty.OverheadError),
            Services = [.. _definition.TaskTypes.Select((type, k) => Service(type, k, uncertainty))],
            AnswerTokens = [.. _definition.TaskTypes.Select((_, k) => AnswerTokens(k, uncertainty))],
            InService = _inService,
            Loads = _loads,
            Cells = _cells,
            Variances = _seenVariance,
            Regression = _regression,
            Lines = [.. _definition.TaskTypes.Select(type => type.Service)],
        };
    }

    private static ArrowEquations Scaled(double factor, in ArrowEquations equations)
    {
        var scaled = default(ArrowEquations);
        scaled.Add(factor, equations);
        return scaled;
    }

    /// <summary>A type's score by stretch: what each one's residuals pull the unknowns by.</summary>
    private StretchScore[] Scores(int k)
    {
        var scores = new StretchScore[_inService.Stretches];
        foreach (var cell in _cells[k])
        {
            ref var score = ref scores[_inService.StretchOf(cell.Bucket)];
            foreach (var view in _views)
            {
                var row = new LoadRow(cell, LoadOf(k, view, cell), _priors[k].Line);
                var weight = cell.Weight * view.Part / _variance[k];
                score = row.AddScore(score, weight, _regression.Inner(k), _regression.Overhead);
            }
        }

        return scores;
    }

    /// <summary>(Σn)²/Σn² over the stretches' weighted completions.</summary>
    private double EffectiveStretches()
    {
        var counts = new double[_inService.Stretches];
        foreach (var cells in _cells)
        {
            foreach (var cell in cells)
                counts[_inService.StretchOf(cell.Bucket)] += cell.Weight * cell.Count;
        }

        var (sum, squares) = (0.0, 0.0);
        foreach (var count in counts)
        {
            sum += count;
            squares += count * count;
        }

        return squares > 0 ? sum * sum / squares : 0;
    }

    private SharingEstimate Sharing(double information, double error)
    {
        var hasCompletions = _cells.Any(cells => cells.Length > 0);
        var prior = _overheadPrior.Precision;
        var doubtLeft = prior / (prior + information);
        var hasLoads = _inService.PartBeyondChance > 0;
        return new SharingEstimate
        {
            OverheadSecondsPerToken = hasCompletions
                ? Interval.Normal(_regression.Overhead, error, 0)
                : Interval.Normal(_overheadPrior.Mode, Math.Sqrt(1 / prior), 0),
            Identifiable = hasLoads && doubtLeft <= MostDoubt,
            DoubtLeft = hasCompletions ? doubtLeft : null,
            MeanInService = hasCompletions ? _loads.Mean : null,
            LoadVariation = _inService.Variation is { } seen ? seen.ChiSquared / seen.Freedom : null,
        };
    }

    private ServiceEstimate Service(TaskType type, int k, SharingUncertainty uncertainty)
    {
        if (_cells.All(cells => cells.Length == 0))
            return ServiceLineEstimator.Estimate(type.Service, default);
        var (inner, overhead) = (_regression.Inner(k), _regression.Overhead);
        var atZero = _regression.Figure(k, new Vector3(1, 1, 0), 0);
        var perToken = _regression.Figure(k, new Vector3(0, 0, 1), 1);
        var slopeError = uncertainty.Error(k, perToken);
        var priorVariance = (1 / _overheadPrior.Precision) + (1 / _priors[k].WorkPerToken.Precision);
        var line = type.Service with { BaseSeconds = inner.X + inner.Y, SecondsPerToken = inner.Z + overhead };
        return new ServiceEstimate
        {
            Line = line,
            BaseSeconds = Interval.Normal(line.BaseSeconds, uncertainty.Error(k, atZero), 0),
            SecondsPerToken = Interval.Normal(line.SecondsPerToken, slopeError, 0),
            Covariance = uncertainty.Covariance(k, atZero, perToken),
            ResidualDegreesOfFreedom = _freedom[k],
            Identifiable = _cells[k].Length > 0 && 2 * slopeError * slopeError < priorVariance,
            Pace = Pace(k, uncertainty),
        };
    }

    private ServicePace Pace(int k, SharingUncertainty uncertainty)
    {
        var load = _loads.MeanOf(k);
        var stretch = 1 + load;
        var ofBase = _regression.Figure(k, new Vector3(stretch, 1, 0), 0);
        var ofToken = _regression.Figure(k, new Vector3(0, 0, stretch), 1);
        return new ServicePace(
            load,
            uncertainty.Error(k, ofBase),
            uncertainty.Error(k, ofToken),
            uncertainty.Covariance(k, ofBase, ofToken)
        );
    }

    private IntervalEstimate AnswerTokens(int k, SharingUncertainty uncertainty)
    {
        var overhead = _regression.Overhead;
        var defined = _priors[k].DefinedAnswerTokens;
        var hasNoOverhead = _overheadPrior.Mode == 0 && _inService.PartBeyondChance == 0;
        if (hasNoOverhead || _cells.All(cells => cells.Length == 0))
            return Interval.Normal(defined, SharingTypePrior.ToldAnswerDeviation * defined, 0);
        var tokens = Math.Min(_regression.Inner(k).Y / overhead, ProblemValidation.MaxTokens);
        var figure = _regression.Figure(k, new Vector3(0, 1 / overhead, 0), -tokens / overhead);
        return Interval.Normal(tokens, uncertainty.Error(k, figure), 0);
    }
}

/// <summary>At what load the queries of a bucket count, for a part of them.</summary>
/// <param name="Part">The part, above 0, at most 1.</param>
/// <param name="IsOfStretch">At the load of their stretch of time; else at the mean of all.</param>
internal readonly record struct LoadView(double Part, bool IsOfStretch);

/// <summary>What the regression made of a fleet.</summary>
internal sealed class SharingFit
{
    /// <summary>The overhead.</summary>
    public required SharingEstimate Sharing { get; init; }

    /// <summary>Lone service lines by task type.</summary>
    public required ServiceEstimate[] Services { get; init; }

    /// <summary>Answer tokens by task type.</summary>
    public required IntervalEstimate[] AnswerTokens { get; init; }

    /// <summary>Queries in service by stretch.</summary>
    public required InService InService { get; init; }

    /// <summary>N by task type and bucket: as windows told it, or that of the stretch.</summary>
    public required LoadsSeen Loads { get; init; }

    /// <summary>What ended, by task type and bucket.</summary>
    public required ServiceCell[][] Cells { get; init; }

    /// <summary>Variance around the fit by task type, seconds²; 0 without degrees of freedom.</summary>
    public required double[] Variances { get; init; }

    /// <summary>The regression, solved.</summary>
    public required SharingRegression Regression { get; init; }

    /// <summary>The definition's lines.</summary>
    public required ServiceLine[] Lines { get; init; }

    /// <summary>Σ of the times that the fit gives the queries of a bucket at its load, seconds.</summary>
    public double Expected(int k, ServiceCell cell)
    {
        var row = new LoadRow(cell, Loads.At(cell), Lines[k]);
        return cell.Count * (cell.MeanSeconds - row.LevelResidual(Regression.Inner(k), Regression.Overhead));
    }
}
