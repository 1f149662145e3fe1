namespace Platform.Cli.Traces;

/// <summary>Draws from distributions.</summary>
internal static class Draws
{
    /// <summary>A standard normal number (Box and Muller 1958).</summary>
    public static double Normal(Random random)
    {
        var radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
        return radius * Math.Cos(2 * Math.PI * random.NextDouble());
    }

    /// <summary>A gamma-distributed number of mean 1.</summary>
    /// <param name="random">The source.</param>
    /// <param name="variation">Its coefficient of variation; at 0 it is always 1.</param>
    public static double Gamma(Random random, double variation)
    {
        if (variation == 0)
            return 1;
        var shape = 1 / (variation * variation);
        return GammaOfShape(random, shape) / shape;
    }

    /// <summary>Marsaglia and Tsang (2000); below 1 by a power of a uniform number.</summary>
    private static double GammaOfShape(Random random, double shape)
    {
        if (shape < 1)
            return GammaOfShape(random, shape + 1) * Math.Pow(1 - random.NextDouble(), 1 / shape);
        var d = shape - (1.0 / 3);
        var c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            var normal = Normal(random);
            var root = 1 + (c * normal);
            if (root <= 0)
                continue;
            var cube = root * root * root;
            var bound = (0.5 * normal * normal) + d - (d * cube) + (d * Math.Log(cube));
            if (Math.Log(1 - random.NextDouble()) < bound)
                return d * cube;
        }
    }
}
