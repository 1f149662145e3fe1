namespace Platform.Domain.Queueing;

/// <summary>
/// Mean and variance of the number of queries in a system, waiting ones included, as an arriving query finds it:
/// Poisson arrivals see time averages (Wolff 1982).
/// </summary>
/// <param name="Mean">E[N].</param>
/// <param name="Variance">Var[N].</param>
public readonly record struct NumberInSystem(double Mean, double Variance)
{
    // Terms below this part of the sum so far, past the largest, add nothing that a double could hold.
    private const double Negligible = 1e-22;

    // Products of ratios are brought down before they could overflow.
    private const double Large = 1e200;

    private static NumberInSystem Endless => new(double.PositiveInfinity, double.PositiveInfinity);

    /// <summary>
    /// The M/G/1 queue, exact. First in, first out, those left behind are those that came meanwhile, so that
    /// E[N (N − 1)] = λ² E[T²] (Little's law for distributions: Keilson and Servi 1988); the wait's variance is
    /// λ E[S³]/(3 (1 − ρ)) and the square of its mean (Takács 1962).
    /// </summary>
    /// <param name="arrivalRate">λ ≥ 0, per second, at this server.</param>
    /// <param name="service">Moments of the service time.</param>
    /// <param name="meanSecondsCubed">E[S³], seconds cubed.</param>
    /// <param name="idle">1 − ρ; infinite moments where it is not above 0.</param>
    public static NumberInSystem OfMG1(double arrivalRate, ServiceMoments service, double meanSecondsCubed, double idle)
    {
        if (!(idle > 0))
            return Endless;
        var wait = arrivalRate * service.MeanSecondsSquared / (2 * idle);
        var ofWait = (arrivalRate * meanSecondsCubed / (3 * idle)) + (wait * wait);
        var ofService = service.MeanSecondsSquared - (service.MeanSeconds * service.MeanSeconds);
        var mean = arrivalRate * (wait + service.MeanSeconds);
        return new NumberInSystem(mean, mean + (arrivalRate * arrivalRate * (ofWait + Math.Max(0, ofService))));
    }

    /// <summary>
    /// The M/G/k queue, whole: that of M/M/k with the queue's length stretched as Lee and Longton (1959) stretch its
    /// wait, so that the mean agrees with <see cref="MGk.MeanWaitSeconds"/>.
    /// </summary>
    /// <param name="arrivalRate">λ ≥ 0, per second, at the whole fleet.</param>
    /// <param name="servers">k ≥ 1.</param>
    /// <param name="service">Moments of the service time.</param>
    /// <param name="idle">1 − λ E[S]/k; infinite moments where it is not above 0.</param>
    public static NumberInSystem OfMGk(double arrivalRate, int servers, ServiceMoments service, double idle)
    {
        var load = arrivalRate * service.MeanSeconds;
        if (!(idle > 0))
            return Endless;
        if (!(load > 0))
            return default;
        var stretch = service.MeanSecondsSquared / (2 * service.MeanSeconds * service.MeanSeconds);
        return BirthDeath(0, load, servers, idle, (1 - idle) / idle * stretch);
    }

    /// <summary>
    /// A server that batches: negative binomial without a cap on the queries in service, a birth-death process with
    /// one, as in <see cref="ProcessorSharing"/>.
    /// </summary>
    /// <param name="arrivalRate">λ ≥ 0, per second, at this server.</param>
    /// <param name="load">The mean query.</param>
    /// <param name="maxInService">B ≥ 1, or null for no cap.</param>
    /// <param name="idle">1 less the utilization; infinite moments where it is not above 0.</param>
    public static NumberInSystem OfSharing(double arrivalRate, SharingLoad load, int? maxInService, double idle)
    {
        var work = arrivalRate * load.WorkSeconds;
        var overhead = arrivalRate * load.OverheadSeconds;
        if (!(idle > 0))
            return Endless;
        if (maxInService is { } cap)
            return BirthDeath(work, overhead, cap, idle, (1 - idle) / idle);
        var mean = (work + overhead) / idle;
        return new NumberInSystem(mean, mean / idle);
    }

    /// <summary>
    /// P(n) = P(n − 1) · (work + overhead/n) up to the cap; beyond it a geometric number more, of a given mean.
    /// </summary>
    private static NumberInSystem BirthDeath(double work, double overhead, int cap, double idle, double beyond)
    {
        var sums = default(StateSums);
        var probability = 1.0;
        sums.Add(0, 0, probability);
        for (var n = 1; n <= cap; n++)
        {
            var ratio = work + (overhead / n);
            probability *= ratio;
            if (n < cap)
                sums.Add(n, 0, probability);
            else
                sums.Add(n, beyond, probability / idle);
            if (probability > Large)
            {
                sums.Scale(1 / probability);
                probability = 1;
            }

            if (ratio < 1 && probability < Negligible * sums.Total)
                break;
        }

        return sums.Moments;
    }

    /// <summary>Sums over the states, each with its weight.</summary>
    private struct StateSums
    {
        private double _number,
            _square;

        public double Total { get; private set; }

        public readonly NumberInSystem Moments
        {
            get
            {
                var mean = _number / Total;
                return new NumberInSystem(mean, Math.Max(0, (_square / Total) - (mean * mean)));
            }
        }

        /// <summary>States of a number and a geometric one beyond it: E[G²] = g + 2 g².</summary>
        public void Add(double number, double beyond, double weight)
        {
            Total += weight;
            _number += weight * (number + beyond);
            var square = (number * number) + (2 * number * beyond) + beyond + (2 * beyond * beyond);
            _square += weight * square;
        }

        public void Scale(double by)
        {
            Total *= by;
            _number *= by;
            _square *= by;
        }
    }
}
