namespace Platform.Domain.Queueing;

/// <summary>
/// The M/G/k FIFO queue: one queue for k identical servers. No closed form is known for k ≥ 2; this is an
/// approximation.
/// </summary>
public static class MGk
{
    /// <summary>
    /// Mean wait after Lee and Longton (1959): the M/M/k wait times (1 + cv²)/2, which is E[S²] ·
    /// <see cref="WaitFactor"/>. Exact for k = 1 and for exponential service times.
    /// </summary>
    /// <param name="arrivalRate">λ ≥ 0, per second, at the whole fleet.</param>
    /// <param name="servers">k ≥ 1.</param>
    /// <param name="service">Moments of the service time.</param>
    /// <returns>Seconds; +∞ when λ E[S] ≥ k.</returns>
    public static double MeanWaitSeconds(double arrivalRate, int servers, ServiceMoments service)
    {
        var idle = 1 - (arrivalRate * service.MeanSeconds / servers);
        return idle > 0
            ? service.MeanSecondsSquared * WaitFactor(arrivalRate, servers, service.MeanSeconds, idle)
            : double.PositiveInfinity;
    }

    /// <summary>
    /// h with mean wait = E[S²] · h: C / (2 E[S] (k − a)), where a = λ E[S] and C is Erlang's probability of waiting.
    /// </summary>
    /// <param name="arrivalRate">λ ≥ 0, per second.</param>
    /// <param name="servers">k ≥ 1.</param>
    /// <param name="meanSeconds">E[S] ≥ 0, seconds.</param>
    /// <param name="idle">1 − λ E[S] / k, above 0; taken from the caller, who may know it better than the
    /// difference.</param>
    /// <returns>Per second.</returns>
    public static double WaitFactor(double arrivalRate, int servers, double meanSeconds, double idle)
    {
        // k = 1: C = a, without a division by E[S], which may be 0.
        if (servers == 1)
            return arrivalRate / (2 * idle);
        var load = arrivalRate * meanSeconds;
        if (load <= 0)
            return 0;
        var blocked = 1.0;
        for (var i = 1; i <= servers; i++)
            blocked = load * blocked / (i + (load * blocked));
        var waits = servers * blocked / ((servers * idle) + (load * blocked));
        return waits / (2 * meanSeconds * servers * idle);
    }

    /// <summary>Derivative of <see cref="WaitFactor"/> by E[S], from Erlang B's dB/da = B (k/a − 1 + B).</summary>
    /// <param name="arrivalRate">λ > 0, per second.</param>
    /// <param name="servers">k ≥ 2.</param>
    /// <param name="meanSeconds">E[S] > 0, seconds.</param>
    /// <param name="idle">1 − λ E[S] / k, above 0.</param>
    /// <returns>Per second squared.</returns>
    public static double WaitFactorSlope(double arrivalRate, int servers, double meanSeconds, double idle)
    {
        var load = arrivalRate * meanSeconds;
        if (load <= 1e-100)
            return 0;
        var blocked = 1.0;
        for (var i = 1; i <= servers; i++)
            blocked = load * blocked / (i + (load * blocked));
        var free = servers * idle;
        var rise = (servers / load) - 1 + blocked;

        // ln C = ln B − ln(k − a + aB) + const.
        var logSlope = rise - ((-1 + blocked + (load * blocked * rise)) / (free + (load * blocked)));
        return WaitFactor(arrivalRate, servers, meanSeconds, idle)
            * ((arrivalRate * logSlope) - (1 / meanSeconds) + (arrivalRate / free));
    }
}
