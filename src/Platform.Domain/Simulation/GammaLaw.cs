namespace Platform.Domain.Simulation;

/// <summary>
/// The gamma law with a given mean and variance, for service times that scatter: never negative, and the exponential
/// law among them. Sampled by Marsaglia and Tsang (2000, "A simple method for generating gamma variables").
/// </summary>
internal readonly struct GammaLaw
{
    private readonly double _d,
        _c,
        _scale,
        _boost;

    /// <param name="mean">Mean, at least 0; at 0 every sample is 0.</param>
    /// <param name="variance">Variance, at least 0; at 0 every sample is the mean.</param>
    public GammaLaw(double mean, double variance)
    {
        if (!(variance > 0) || !(mean > 0))
        {
            (_d, _scale) = (0, mean);
            return;
        }

        // A shape below 1 is sampled one higher, and the sample times U^(1/shape) has the law.
        var shape = mean / variance * mean;
        _boost = shape < 1 ? 1 / shape : 0;
        _d = (shape < 1 ? shape + 1 : shape) - (1.0 / 3);
        _c = 1 / Math.Sqrt(9 * _d);
        _scale = variance / mean;
    }

    /// <summary>The next sample.</summary>
    public double Next(ref Xoshiro256 random)
    {
        if (_d == 0)
            return _scale;
        while (true)
        {
            var x = random.NextNormal();
            var v = 1 + (_c * x);
            if (v <= 0)
                continue;
            v = v * v * v;
            if (-random.NextExponential() >= (x * x / 2) + _d - (_d * v) + (_d * Math.Log(v)))
                continue;
            return _d * v * _scale * (_boost > 0 ? Math.Exp(-random.NextExponential() * _boost) : 1);
        }
    }
}
