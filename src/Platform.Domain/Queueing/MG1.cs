namespace Platform.Domain.Queueing;

/// <summary>First two moments of the service time.</summary>
/// <param name="MeanSeconds">E[S] ≥ 0, seconds.</param>
/// <param name="MeanSecondsSquared">E[S²] ≥ E[S]², seconds squared.</param>
public readonly record struct ServiceMoments(double MeanSeconds, double MeanSecondsSquared)
{
    /// <summary>Moments of a mixture: E[S] = Σ π t, E[S²] = Σ π (t² + v).</summary>
    /// <param name="shares">π, probabilities that sum to 1.</param>
    /// <param name="seconds">t ≥ 0, the mean service time of each part, seconds.</param>
    /// <param name="variances">v ≥ 0, the variance of each part's service time, seconds squared; empty where all are
    /// fixed.</param>
    public static ServiceMoments OfMixture(
        ReadOnlySpan<double> shares,
        ReadOnlySpan<double> seconds,
        ReadOnlySpan<double> variances = default
    )
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(seconds.Length, shares.Length);
        if (variances.Length > 0)
            ArgumentOutOfRangeException.ThrowIfNotEqual(variances.Length, shares.Length);
        CompensatedSum mean = default,
            square = default;
        for (var i = 0; i < shares.Length; i++)
        {
            mean.Add(shares[i] * seconds[i]);
            square.Add(shares[i] * ((seconds[i] * seconds[i]) + (variances.Length > 0 ? variances[i] : 0)));
        }

        return new(mean.Value, square.Value);
    }
}

/// <summary>The M/G/1 FIFO queue: Poisson arrivals, independent service times of any law, one server.</summary>
public static class MG1
{
    /// <summary>ρ = λ E[S].</summary>
    /// <param name="arrivalRate">λ ≥ 0, per second, at this server.</param>
    /// <param name="service">Moments of the service time.</param>
    public static double Utilization(double arrivalRate, ServiceMoments service) => arrivalRate * service.MeanSeconds;

    /// <summary>Mean wait before service, λ E[S²] / (2 (1 − ρ)): Pollaczek (1930), Khinchine (1932).</summary>
    /// <param name="arrivalRate">λ ≥ 0, per second, at this server.</param>
    /// <param name="service">Moments of the service time.</param>
    /// <returns>Seconds; +∞ when ρ ≥ 1.</returns>
    public static double MeanWaitSeconds(double arrivalRate, ServiceMoments service)
    {
        var idle = 1 - Utilization(arrivalRate, service);
        return idle > 0 ? arrivalRate * service.MeanSecondsSquared / (2 * idle) : double.PositiveInfinity;
    }

    /// <summary>Mean time from arrival to end, E[S] plus the mean wait.</summary>
    /// <param name="arrivalRate">λ ≥ 0, per second, at this server.</param>
    /// <param name="service">Moments of the service time.</param>
    /// <returns>Seconds; +∞ when ρ ≥ 1.</returns>
    public static double MeanSystemTimeSeconds(double arrivalRate, ServiceMoments service) =>
        service.MeanSeconds + MeanWaitSeconds(arrivalRate, service);

    /// <summary>
    /// Arrivals at one of several servers when each query is sent to one at random: still Poisson, with λ / k.
    /// </summary>
    /// <param name="arrivalRate">λ ≥ 0, per second, at the whole fleet.</param>
    /// <param name="servers">k ≥ 1.</param>
    public static double SplitArrivalRate(double arrivalRate, int servers) => arrivalRate / servers;
}
