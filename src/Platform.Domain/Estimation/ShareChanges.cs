using Platform.Domain.Allocation;

namespace Platform.Domain.Estimation;

/// <summary>
/// The shares of the task types as of now, where the mix may have changed once within the horizon. When is not known:
/// each of some instants, the denser the younger, counts with the likelihood of one mix before it and another one since
/// (Dirichlet-multinomial; Gelman et al., Bayesian Data Analysis, 3rd ed., section 3.4), and so does no change at all.
/// </summary>
internal sealed class ShareChanges
{
    /// <summary>Every so many stretches the mix may have changed at one's begin.</summary>
    private const int StretchesApart = 3;

    /// <summary>How likely a change within the horizon is, beforehand.</summary>
    private const double ChangeProbability = 0.02;

    /// <summary>A share that says that nobody comes: its gamma function has no value.</summary>
    private const double LeastShare = 1e-9;

    private readonly int _types;
    private readonly List<long> _begins = [];
    private readonly double[] _arrivals;
    private readonly double[] _weights;
    private readonly double _dispersion;

    /// <summary>Looks for a change.</summary>
    /// <param name="types">Task types with π₀ₖ.</param>
    /// <param name="evidence">The fleet's sums, by the ids of these types.</param>
    /// <param name="stretches">Where arrivals were seen.</param>
    /// <param name="dispersion">φ ≥ 1 of the shares.</param>
    public ShareChanges(
        IReadOnlyList<TaskType> types,
        WorkloadEvidence evidence,
        TrafficStretches stretches,
        double dispersion
    )
    {
        (_types, _dispersion) = (types.Count, dispersion);
        _begins.Add(long.MinValue);
        for (var i = stretches.Count % StretchesApart; i < stretches.Count; i += StretchesApart)
        {
            if (i > 0)
                _begins.Add(stretches[i].Start);
        }

        _arrivals = new double[_begins.Count * _types];
        evidence.VisitKnownArrivals(Add);
        for (var c = _begins.Count - 2; c >= 0; c--)
        {
            for (var k = 0; k < _types; k++)
                _arrivals[(c * _types) + k] += _arrivals[((c + 1) * _types) + k];
        }

        _weights = Weights(types);
    }

    /// <summary>The share of a task type.</summary>
    /// <param name="type">Its index.</param>
    /// <param name="prior">π₀ₖ.</param>
    public IntervalEstimate Share(int type, double prior)
    {
        if (Total(0) == 0)
            return Interval.Proportion(prior, ArrivalEstimator.PriorShareArrivals);
        var (mean, square) = (0.0, 0.0);
        var pooled = Pooled(type, prior);
        for (var c = 0; c < _weights.Length; c++)
        {
            var trials = ArrivalEstimator.PriorShareArrivals + Total(c);
            var part = ((ArrivalEstimator.PriorShareArrivals * (c == 0 ? prior : pooled)) + Arrivals(c, type)) / trials;
            mean += _weights[c] * part;
            square += _weights[c] * ((part * part) + (part * (1 - part) / trials));
        }

        mean = Math.Clamp(mean, 0, 1);
        var variance = Math.Max(square - (mean * mean), double.Epsilon);
        return Interval.Proportion(mean, Math.Max(mean * (1 - mean) / variance, 1));
    }

    private void Add(int type, long start, double arrivals)
    {
        var c = _begins.Count - 1;
        while (_begins[c] > start)
            c--;
        _arrivals[(c * _types) + type] += arrivals;
    }

    /// <summary>Arrivals of a type since the begin of a run, or at most as many as tell as much.</summary>
    private double Arrivals(int run, int type) => _arrivals[(run * _types) + type] / _dispersion;

    private double Total(int run)
    {
        var total = 0.0;
        for (var k = 0; k < _types; k++)
            total += Arrivals(run, k);
        return total;
    }

    private double Pooled(int type, double prior) =>
        ((ArrivalEstimator.PriorShareArrivals * prior) + Arrivals(0, type))
        / (ArrivalEstimator.PriorShareArrivals + Total(0));

    private double[] Weights(IReadOnlyList<TaskType> types)
    {
        var weights = new double[_begins.Count];
        double[] defined = [.. types.Select(type => Math.Max(type.Share, LeastShare))];
        double[] pooled = [.. types.Select((type, k) => Math.Max(Pooled(k, type.Share), LeastShare))];
        var change = Elementary.Log(ChangeProbability / Math.Max(_begins.Count - 1, 1));
        weights[0] = Elementary.Log(1 - ChangeProbability) + LogLikelihood(defined, k => Arrivals(0, k));
        for (var c = 1; c < weights.Length; c++)
        {
            var run = c;
            weights[c] =
                change
                + LogLikelihood(defined, k => Arrivals(0, k) - Arrivals(run, k))
                + LogLikelihood(pooled, k => Arrivals(run, k));
        }

        var most = weights.Max();
        for (var c = 0; c < weights.Length; c++)
            weights[c] = Elementary.Exp(weights[c] - most);
        var total = weights.Sum();
        for (var c = 0; c < weights.Length; c++)
            weights[c] /= total;
        return weights;
    }

    /// <summary>Σ ln Γ(κπₖ + nₖ)/Γ(κπₖ) − ln Γ(κ + n)/Γ(κ).</summary>
    private double LogLikelihood(double[] shares, Func<int, double> arrivals)
    {
        const double Prior = ArrivalEstimator.PriorShareArrivals;
        var (log, total) = (0.0, 0.0);
        for (var k = 0; k < _types; k++)
        {
            var n = Math.Max(arrivals(k), 0);
            total += n;
            if (n > 0)
                log += GammaFunction.Log((Prior * shares[k]) + n) - GammaFunction.Log(Prior * shares[k]);
        }

        return log + GammaFunction.Log(Prior) - GammaFunction.Log(Prior + total);
    }
}
