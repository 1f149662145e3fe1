using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Platform.Domain.Allocation;

namespace Platform.Domain.Estimation;

/// <summary>
/// The arrival rate as of now, of a rate that holds for a while and then is another one. Nobody says when it changed:
/// every way to cut the stretches into runs of one rate counts with its likelihood (a product partition model: Barry
/// and Hartigan, Annals of Statistics 20, 1992; the recursion is that of Fearnhead, Statistics and Computing 16, 2006,
/// and of Adams and MacKay, arXiv 0710.3742), and so does how often a rate changes. What is known of the rate now is
/// then the mixture over the begin of the last run.
/// </summary>
internal sealed class RateChanges
{
    /// <summary>
    /// Arrivals that the prior of a rate after a change is worth (Jeffreys'): a new rate may be any up to the greatest
    /// that was seen, and be told from a single window.
    /// </summary>
    private const double ChangedArrivals = 0.5;

    /// <summary>The same of a prior that says that nobody comes: no gamma distribution has none.</summary>
    public const double LeastArrivals = 0.01;

    /// <summary>
    /// The probability beforehand that the rate was another one than the definition's before anybody told anything: its
    /// prior alone would pull the first windows of a fleet that has a hundred times as many queries.
    /// </summary>
    public const double DoubtOfDefinition = 0.01;

    /// <summary>Runs of an even rate that are presumed: one or two tell little of how a rate moves.</summary>
    private const double PresumedRuns = 3;

    /// <summary>
    /// What the square of the difference of a run's halves beyond chance adds to the variance of its mean. Of an even
    /// rise the rate at the end is as far from the mean as the halves are apart, whose variance is four times the
    /// mean's; twice that, as the rise goes on until the next solve.
    /// </summary>
    private const double DriftPart = 8;

    /// <summary>Mean seconds between changes that are held possible, and how likely each is beforehand.</summary>
    private static readonly (double Seconds, double Probability)[] Paces = [(86_400, 0.9), (7_200, 0.08), (900, 0.02)];

    private readonly TrafficStretches _stretches;
    private readonly int _stride;
    private readonly double[] _count;
    private readonly double[] _seconds;
    private readonly double _doubtOfDefinition;
    private readonly Gamma _first;
    private readonly Gamma _later;

    /// <summary>Logarithms of the likelihood of a run: its end in rows, its begin in columns.</summary>
    private readonly double[] _likelihood;

    /// <summary>Looks for changes.</summary>
    /// <param name="prior">λ₀ ≥ 0 of the definition, per second.</param>
    /// <param name="stretches">What was seen, at least one stretch.</param>
    /// <param name="dispersion">φ ≥ 1: arrivals and seconds count for this part of themselves.</param>
    /// <param name="horizon">The horizon in seconds.</param>
    /// <param name="doubtOfDefinition">
    /// The probability that the rate was not the definition's from the first stretch on, 0 or
    /// <see cref="DoubtOfDefinition"/>.
    /// </param>
    public RateChanges(
        double prior,
        TrafficStretches stretches,
        double dispersion,
        int horizon,
        double doubtOfDefinition
    )
    {
        _doubtOfDefinition = doubtOfDefinition;
        var n = stretches.Count;
        _stretches = stretches;
        _stride = (n + Vector256<double>.Count - 1) / Vector256<double>.Count * Vector256<double>.Count;
        _count = new double[n + 1];
        _seconds = new double[n + 1];
        for (var i = 0; i < n; i++)
        {
            _count[i + 1] = _count[i] + (stretches[i].Arrivals / dispersion);
            _seconds[i + 1] = _seconds[i] + (stretches[i].Covered / dispersion);
        }

        var exposure = ArrivalEstimator.PriorExposure(prior, horizon);
        var expected = Math.Max(prior * exposure, LeastArrivals);
        _first = new Gamma(expected, exposure);
        _later = new Gamma(ChangedArrivals, ChangedArrivals / GreatestRate(expected / exposure));
        _likelihood = new double[n * _stride];
        for (var end = 1; end <= n; end++)
        {
            for (var begin = 0; begin < end; begin++)
                _likelihood[((end - 1) * _stride) + begin] = LogLikelihood(begin, end);
        }
    }

    /// <summary>What is known of the rate some time after the last stretch.</summary>
    /// <param name="silence">Seconds since then in which nobody told anything.</param>
    public RateLaw Now(double silence)
    {
        var laws = new LastRun[Paces.Length];
        for (var pace = 0; pace < Paces.Length; pace++)
            laws[pace] = LastRunAt(Paces[pace].Seconds, Elementary.Log(Paces[pace].Probability));
        var likeliest = laws.MaxBy(law => law.Evidence)!;
        var total = laws.Sum(law => Elementary.Exp(law.Evidence - likeliest.Evidence));
        var weights = new double[_stretches.Count];
        var changed = 0.0;
        foreach (var law in laws)
        {
            var weight = Elementary.Exp(law.Evidence - likeliest.Evidence) / total;
            var held = Elementary.Exp(-silence / law.Pace);
            changed += weight * (1 - held);
            for (var i = 0; i < weights.Length; i++)
                weights[i] += weight * held * law.Begins[i];
        }

        var doubt = DriftWithinRuns(likeliest.Pace);
        var parts = new List<RatePart> { new(changed, _later.Count, _later.Seconds) };
        var asDefined = weights[0] * PartAsDefined();
        Add(_first, 0, asDefined);
        Add(_later, 0, weights[0] - asDefined);
        for (var i = 1; i < weights.Length; i++)
            Add(_later, i, weights[i]);
        return new RateLaw(parts);

        void Add(Gamma prior, int begin, double weight)
        {
            var known = Known(prior, begin, _stretches.Count);
            parts.Add(new RatePart(weight, known.Count / doubt, known.Seconds / doubt));
        }
    }

    /// <summary>How likely it is that the definition's prior holds of a run that began with the first stretch.</summary>
    private double PartAsDefined()
    {
        var n = _stretches.Count;
        return Elementary.Exp(LogLikelihood(_first, 0, n) + LogOfTrust - LogLikelihood(0, n));
    }

    private double GreatestRate(double prior)
    {
        var greatest = prior;
        for (var i = 0; i < _stretches.Count; i++)
            greatest = Math.Max(greatest, (_stretches[i].Arrivals + ChangedArrivals) / _stretches[i].Covered);
        return greatest;
    }

    /// <summary>How likely the last run began with each stretch.</summary>
    /// <param name="pace">Mean seconds between changes.</param>
    /// <param name="prior">Logarithm of the probability of this pace, beforehand.</param>
    private LastRun LastRunAt(double pace, double prior)
    {
        var n = _stretches.Count;
        var begun = new double[_stride];
        var runs = new double[_stride];
        var stayed = 0.0;
        for (var end = 1; end <= n; end++)
        {
            // Runs that begin with each stretch and reach at least to this end; beyond it there are none.
            var most = double.NegativeInfinity;
            for (var begin = 0; begin < end; begin++)
            {
                runs[begin] = begun[begin] + stayed + _likelihood[((end - 1) * _stride) + begin];
                most = Math.Max(most, runs[begin]);
            }

            for (var begin = end; begin < _stride; begin++)
                runs[begin] = double.NegativeInfinity;
            var log = most + Elementary.Log(SumOfExponentials(runs, most));
            if (end == n)
                return new LastRun(pace, log + prior, [.. runs.Take(n).Select(run => Elementary.Exp(run - log))]);

            var apart = MiddleOf(end) - MiddleOf(end - 1);
            stayed -= apart / pace;
            begun[end] = log - stayed + Elementary.Log(-Elementary.ExpMinusOne(-apart / pace));
        }

        throw new InvalidOperationException("There is at least one stretch.");
    }

    private static double SumOfExponentials(double[] logarithms, double most)
    {
        var sum = Vector256<double>.Zero;
        foreach (var four in MemoryMarshal.Cast<double, Vector256<double>>(logarithms))
            sum += Elementary.Exp(four - Vector256.Create(most));
        return Vector256.Sum(sum);
    }

    /// <summary>
    /// How many times the variance of a run's mean its error as the rate at its end is: a rate that rises steadily is
    /// cut into runs each of which rises. The halves of the runs of the likeliest partition tell.
    /// </summary>
    private double DriftWithinRuns(double pace)
    {
        var seen = 0.0;
        var runs = 0;
        var begins = LikeliestRuns(pace);
        for (var end = _stretches.Count; end > 0; end = begins[end])
        {
            if (HalvesOf(begins[end], end) is not { } square)
                continue;
            seen += square;
            runs++;
        }

        var ratio = (seen + PresumedRuns) / (runs + PresumedRuns);
        return 1 + (DriftPart * Math.Max(ratio - 1, 0));
    }

    /// <summary>
    /// The square of the difference of a run's halves over what chance makes of it; null of a single stretch.
    /// </summary>
    private double? HalvesOf(int begin, int end)
    {
        var middle = begin + 1;
        while (middle < end && _seconds[middle] - _seconds[begin] < (_seconds[end] - _seconds[begin]) / 2)
            middle++;
        if (middle >= end || !(_count[end] > _count[begin]))
            return null;
        var (e1, e2) = (_seconds[middle] - _seconds[begin], _seconds[end] - _seconds[middle]);
        var (n1, n2) = (_count[middle] - _count[begin], _count[end] - _count[middle]);
        var contrast = (n1 * e2) - (n2 * e1);
        return contrast * contrast / (e1 * e2 * (n1 + n2));
    }

    /// <summary>
    /// The begin of the run that ends at each stretch, exclusive, in the likeliest partition up to there.
    /// </summary>
    private int[] LikeliestRuns(double pace)
    {
        var n = _stretches.Count;
        var begun = new double[n + 1];
        var begins = new int[n + 1];
        for (var end = 1; end <= n; end++)
        {
            var best = double.NegativeInfinity;
            for (var begin = 0; begin < end; begin++)
            {
                var log = begun[begin] + _likelihood[((end - 1) * _stride) + begin];
                if (!(log > best))
                    continue;
                best = log;
                begins[end] = begin;
            }

            if (end < n)
                begun[end] =
                    best + Elementary.Log(-Elementary.ExpMinusOne(-(MiddleOf(end) - MiddleOf(end - 1)) / pace));
        }

        return begins;
    }

    private double MiddleOf(int i) => (_stretches[i].Start + _stretches[i].End) / 2.0;

    private double LogOfTrust => _doubtOfDefinition > 0 ? Elementary.Log(1 - _doubtOfDefinition) : 0;

    /// <summary>What is known of the rate of a run.</summary>
    private (double Count, double Seconds) Known(Gamma prior, int begin, int end) =>
        (prior.Count + _count[end] - _count[begin], prior.Seconds + _seconds[end] - _seconds[begin]);

    /// <summary>
    /// Of the stretches of a run with one rate of which nothing else is known; of the first run it may be the definition's.
    /// </summary>
    private double LogLikelihood(int begin, int end)
    {
        if (begin > 0)
            return LogLikelihood(_later, begin, end);
        var asDefined = LogLikelihood(_first, begin, end) + LogOfTrust;
        if (_doubtOfDefinition == 0)
            return asDefined;
        var another = LogLikelihood(_later, begin, end) + Elementary.Log(_doubtOfDefinition);
        return Math.Max(asDefined, another) + Elementary.LogOnePlus(Elementary.Exp(-Math.Abs(asDefined - another)));
    }

    /// <summary>
    /// Of the stretches of a run whose rate has a prior, with what no partition changes left out:
    /// Γ(a + N)/Γ(a) · bᵃ/(b + E)^(a + N).
    /// </summary>
    private double LogLikelihood(Gamma prior, int begin, int end)
    {
        var (count, seconds) = Known(prior, begin, end);
        return prior.Norm + GammaFunction.Log(count) - (count * Elementary.Log(seconds));
    }

    /// <summary>A gamma distribution with the logarithm of its norm.</summary>
    private sealed record Gamma(double Count, double Seconds)
    {
        public double Norm { get; } = (Count * Elementary.Log(Seconds)) - GammaFunction.Log(Count);
    }

    /// <summary>How likely the last run began with each stretch, where the rate changes at a pace.</summary>
    /// <param name="Pace">Mean seconds between changes.</param>
    /// <param name="Evidence">Logarithm of the likelihood of everything seen, and of the pace.</param>
    /// <param name="Begins">Probabilities by stretch.</param>
    private sealed record LastRun(double Pace, double Evidence, double[] Begins);
}
