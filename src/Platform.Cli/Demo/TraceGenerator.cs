using Platform.Cli.Traces;

namespace Platform.Cli.Demo;

/// <summary>
/// A trace for those who have none at hand, of the shape of the Azure conversation trace: Poisson arrivals whose rate
/// swells and ebbs once, gently, as within an hour, and log-normal lengths of prompt and answer.
/// </summary>
internal static class TraceGenerator
{
    /// <summary>Mean requests a second, that of the Azure conversation trace.</summary>
    public const double MeanRate = 5.5;

    /// <summary>How far the rate swings about its mean, as a fraction of it.</summary>
    private const double Swell = 0.15;

    /// <summary>Generates a trace; the same seed and length give the same one.</summary>
    public static IEnumerable<TraceRequest> Generate(TimeSpan length, int seed)
    {
        var random = new Random(seed);
        TimeSpan? first = null;
        for (var at = NextCandidate(random); at < length.TotalSeconds; at += NextCandidate(random))
        {
            // Thinning (Lewis and Shedler 1979): candidates at the highest rate, each kept with the ratio of the rate
            // at its time to it.
            var rate = MeanRate * (1 + (Swell * Math.Sin((2 * Math.PI * at / length.TotalSeconds) - (Math.PI / 2))));
            var kept = random.NextDouble() * PeakRate < rate;
            var context = TraceTokens.DrawContext(random);
            var generated = TraceTokens.DrawGenerated(random);
            if (kept)
                yield return new TraceRequest(
                    TimeSpan.FromSeconds(at) - (first ??= TimeSpan.FromSeconds(at)),
                    context,
                    generated
                );
        }
    }

    private const double PeakRate = MeanRate * (1 + Swell);

    private static double NextCandidate(Random random) => -Math.Log(1 - random.NextDouble()) / PeakRate;
}
