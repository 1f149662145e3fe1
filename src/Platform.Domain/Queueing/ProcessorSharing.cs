namespace Platform.Domain.Queueing;

/// <summary>What the mean query asks of a server that batches.</summary>
/// <param name="OverheadSeconds">
/// α E[o] ≥ 0, seconds: the output tokens at the part of an iteration that all queries in service share.
/// </param>
/// <param name="WorkSeconds">E[w] ≥ 0, seconds: the marginal work, by which a query slows the others.</param>
public readonly record struct SharingLoad(double OverheadSeconds, double WorkSeconds)
{
    /// <summary>U, seconds: the mean time of a query alone on the server.</summary>
    public double LoneSeconds => OverheadSeconds + WorkSeconds;
}

/// <summary>Means of a server that batches, and their derivatives by its load.</summary>
/// <param name="SystemSeconds">E[T], from arrival to end.</param>
/// <param name="WaitSeconds">E[Wq] of that, the wait for a slot in service; 0 without a cap.</param>
/// <param name="SystemPerOverhead">∂E[T]/∂(α E[o]).</param>
/// <param name="SystemPerWork">∂E[T]/∂E[w].</param>
/// <param name="WaitPerOverhead">∂E[Wq]/∂(α E[o]).</param>
/// <param name="WaitPerWork">∂E[Wq]/∂E[w].</param>
public readonly record struct SharingMeans(
    double SystemSeconds,
    double WaitSeconds,
    double SystemPerOverhead,
    double SystemPerWork,
    double WaitPerOverhead,
    double WaitPerWork
);

/// <summary>
/// A server that serves n queries at once, a token for each an iteration of α + δ n seconds: all in service advance at
/// the rate 1/(α + δ n). That is processor sharing with the capacity n/(α + δ n), a symmetric queue (Kelly 1979; Cohen
/// 1979): with Poisson arrivals the number in system does not depend on the law of the lengths, only on the mean. With
/// at most B in service the others wait in order of arrival, and the number in system is taken as a birth-death
/// process: exact for exponential lengths, within 3 % for fixed ones. Formulas: docs/concepts.md.
/// </summary>
public static class ProcessorSharing
{
    // Terms below this part of the sum so far, past the largest, add nothing that a double could hold.
    private const double Negligible = 1e-22;

    // Products of ratios are brought down before they could overflow.
    private const double Large = 1e200;

    /// <summary>
    /// The part of the greatest arrival rate that a server can carry: λ E[w], and with a cap λ (E[w] + α E[o]/B).
    /// </summary>
    /// <param name="arrivalRate">λ ≥ 0, per second, at this server.</param>
    /// <param name="load">The mean query.</param>
    /// <param name="maxInService">B ≥ 1, or null for no cap.</param>
    public static double Utilization(double arrivalRate, SharingLoad load, int? maxInService = null) =>
        arrivalRate * (load.WorkSeconds + (maxInService is { } cap ? load.OverheadSeconds / cap : 0));

    /// <summary>Mean time from arrival to end; without a cap U/(1 − λ E[w]).</summary>
    /// <param name="arrivalRate">λ ≥ 0, per second, at this server.</param>
    /// <param name="load">The mean query.</param>
    /// <param name="maxInService">B ≥ 1, or null for no cap.</param>
    /// <returns>Seconds; +∞ where the utilization is 1 or more.</returns>
    public static double MeanSystemTimeSeconds(double arrivalRate, SharingLoad load, int? maxInService = null) =>
        Means(arrivalRate, load, maxInService).SystemSeconds;

    /// <inheritdoc cref="MeanSystemTimeSeconds(double, SharingLoad, int?)"/>
    /// <remarks>The same to the bit as that of <see cref="Means(double, SharingLoad, int?, double)"/>.</remarks>
    /// <param name="arrivalRate">λ ≥ 0, per second, at this server.</param>
    /// <param name="load">The mean query.</param>
    /// <param name="maxInService">B ≥ 1, or null for no cap.</param>
    /// <param name="idle">1 less the utilization, from a caller who may know it better than the difference.</param>
    public static double MeanSystemTimeSeconds(double arrivalRate, SharingLoad load, int? maxInService, double idle)
    {
        if (!(idle > 0))
            return double.PositiveInfinity;
        return maxInService is { } cap && arrivalRate > 0
            ? CappedSystemTime(arrivalRate, load, cap, idle)
            : load.LoneSeconds / idle;
    }

    /// <summary>Mean number of queries at the server, waiting ones included: λ E[T] (Little 1961).</summary>
    /// <inheritdoc cref="MeanSystemTimeSeconds(double, SharingLoad, int?)" path="/param"/>
    public static double MeanInSystem(double arrivalRate, SharingLoad load, int? maxInService = null) =>
        arrivalRate * MeanSystemTimeSeconds(arrivalRate, load, maxInService);

    /// <summary>Mean wait for a slot in service.</summary>
    /// <inheritdoc cref="MeanSystemTimeSeconds(double, SharingLoad, int?)" path="/param"/>
    /// <returns>Seconds; 0 without a cap, +∞ where the utilization is 1 or more.</returns>
    public static double MeanWaitSeconds(double arrivalRate, SharingLoad load, int? maxInService = null) =>
        Means(arrivalRate, load, maxInService).WaitSeconds;

    /// <summary>All means and their derivatives.</summary>
    /// <inheritdoc cref="MeanSystemTimeSeconds(double, SharingLoad, int?)" path="/param"/>
    public static SharingMeans Means(double arrivalRate, SharingLoad load, int? maxInService = null) =>
        Means(arrivalRate, load, maxInService, 1 - Utilization(arrivalRate, load, maxInService));

    /// <inheritdoc cref="Means(double, SharingLoad, int?)"/>
    /// <param name="arrivalRate">λ ≥ 0, per second, at this server.</param>
    /// <param name="load">The mean query.</param>
    /// <param name="maxInService">B ≥ 1, or null for no cap.</param>
    /// <param name="idle">1 less the utilization, from a caller who may know it better than the difference.</param>
    public static SharingMeans Means(double arrivalRate, SharingLoad load, int? maxInService, double idle)
    {
        if (!(idle > 0))
            return Unstable;
        if (maxInService is { } cap && arrivalRate > 0)
            return Capped(arrivalRate, load, cap, idle);
        var time = load.LoneSeconds / idle;
        return new SharingMeans(time, 0, 1 / idle, (1 + (arrivalRate * time)) / idle, 0, 0);
    }

    /// <summary>
    /// At most so many times as long as alone do queries in service take: Σ ρⁱ over i below the cap, ρ = λ E[w], and
    /// 1/(1 − ρ) without one, which is then exact. With a cap the true stretch may fall as tokens are added, for
    /// overhead holds slots that work would have; this one rises with the work alone, and is convex.
    /// </summary>
    /// <param name="work">λ E[w] at this server.</param>
    /// <param name="maxInService">B ≥ 1, or null for no cap.</param>
    /// <returns>The bound and its derivative by λ E[w]; +∞ where the work alone saturates the server.</returns>
    public static (double Value, double Slope) LongestStretch(double work, int? maxInService)
    {
        if (!(work < 1))
            return (double.PositiveInfinity, double.PositiveInfinity);
        if (maxInService is not { } cap)
            return (1 / (1 - work), 1 / ((1 - work) * (1 - work)));
        double value = 1,
            slope = 0,
            power = 1;
        for (var i = 1; i < cap && power > Negligible * value; i++)
        {
            slope += i * power;
            power *= work;
            value += power;
        }

        return (value, slope);
    }

    /// <summary>
    /// Probabilities of 0, 1, … queries at a server without a cap: negative binomial,
    /// (1 − ρ)^(1 + a) C(n + a, n) ρ^n with a = α/δ.
    /// </summary>
    /// <param name="arrivalRate">λ ≥ 0, per second, at this server.</param>
    /// <param name="load">The mean query.</param>
    /// <param name="count">How many probabilities.</param>
    public static double[] InSystemProbabilities(double arrivalRate, SharingLoad load, int count)
    {
        var (work, overhead) = (arrivalRate * load.WorkSeconds, arrivalRate * load.OverheadSeconds);
        var order = work > 0 ? overhead / work : 0;
        var none = work > 0 ? Math.Pow(1 - work, 1 + order) : Math.Exp(-overhead);
        var probabilities = new double[count];
        for (var n = 0; n < count; n++)
            probabilities[n] = n == 0 ? none : probabilities[n - 1] * (work + (overhead / n));
        return probabilities;
    }

    private static SharingMeans Unstable =>
        new(
            double.PositiveInfinity,
            double.PositiveInfinity,
            double.PositiveInfinity,
            double.PositiveInfinity,
            double.PositiveInfinity,
            double.PositiveInfinity
        );

    /// <summary>
    /// The birth-death process: P(n) is a product of ratios x(i) = λ E[w] + λ α E[o]/min(i, B), a sum up to B and a
    /// geometric tail. A derivative of a mean is the covariance with the derivative of ln P.
    /// </summary>
    private static SharingMeans Capped(double arrivalRate, SharingLoad load, int cap, double idle)
    {
        var (work, overhead) = (arrivalRate * load.WorkSeconds, arrivalRate * load.OverheadSeconds);
        var sums = new BirthDeathSums();
        var (probability, perWork, perOverhead) = (1.0, 0.0, 0.0);
        sums.Add(0, 0, 1, 0, 0);
        for (var n = 1; n <= cap; n++)
        {
            var ratio = work + (overhead / n);
            if (!(ratio > 0))
                break;
            probability *= ratio;
            perWork += 1 / ratio;
            perOverhead += 1 / (n * ratio);
            if (n < cap)
                sums.Add(n, 0, probability, perWork, perOverhead);
            else
                sums.AddTail(cap, probability, perWork, perOverhead, idle);
            if (probability > Large)
            {
                sums.Scale(1 / probability);
                probability = 1;
            }

            if (ratio < 1 && probability < Negligible * sums.Total)
                break;
        }

        return sums.Means(arrivalRate);
    }

    /// <summary>E[N]/λ of the same process, without derivatives.</summary>
    private static double CappedSystemTime(double arrivalRate, SharingLoad load, int cap, double idle)
    {
        var work = arrivalRate * load.WorkSeconds;
        var overhead = arrivalRate * load.OverheadSeconds;
        double probability = 1,
            total = 1,
            number = 0;
        for (var n = 1; n <= cap; n++)
        {
            var ratio = work + (overhead / n);
            if (!(ratio > 0))
                break;
            probability *= ratio;
            if (n < cap)
            {
                total += probability;
                number += probability * n;
            }
            else
            {
                var all = probability / idle;
                total += all;
                number += (cap * all) + (all * (1 - idle) / idle);
            }

            if (probability > Large)
            {
                var scale = 1 / probability;
                total *= scale;
                number *= scale;
                probability = 1;
            }

            if (ratio < 1 && probability < Negligible * total)
                break;
        }

        return number / total / arrivalRate;
    }

    /// <summary>Sums over the states, each with its probability: what means and covariances are made of.</summary>
    private struct BirthDeathSums
    {
        private double _number,
            _waiting,
            _perWork,
            _perOverhead;
        private double _numberPerWork,
            _numberPerOverhead,
            _waitingPerWork,
            _waitingPerOverhead;

        public double Total { get; private set; }

        /// <summary>
        /// A state: queries there, those of them that wait, its probability, and ∂ ln P by ρ and by λ α E[o].
        /// </summary>
        public void Add(double number, double waiting, double probability, double perWork, double perOverhead)
        {
            Total += probability;
            _number += probability * number;
            _waiting += probability * waiting;
            _perWork += probability * perWork;
            _perOverhead += probability * perOverhead;
            _numberPerWork += probability * number * perWork;
            _numberPerOverhead += probability * number * perOverhead;
            _waitingPerWork += probability * waiting * perWork;
            _waitingPerOverhead += probability * waiting * perOverhead;
        }

        /// <summary>The states from the cap on: P falls by the ratio y = 1 − idle from one to the next.</summary>
        public void AddTail(int cap, double probability, double perWork, double perOverhead, double idle)
        {
            var ratio = 1 - idle;
            var (stepWork, stepOverhead) = (1 / ratio, 1 / (cap * ratio));

            // Σ yʲ, Σ j yʲ and Σ j² yʲ.
            var all = probability / idle;
            var first = all * ratio / idle;
            var second = first * (1 + ratio) / idle;
            Total += all;
            _number += (cap * all) + first;
            _waiting += first;
            _perWork += (perWork * all) + (stepWork * first);
            _perOverhead += (perOverhead * all) + (stepOverhead * first);
            var waitingPerWork = (perWork * first) + (stepWork * second);
            var waitingPerOverhead = (perOverhead * first) + (stepOverhead * second);
            _waitingPerWork += waitingPerWork;
            _waitingPerOverhead += waitingPerOverhead;
            _numberPerWork += (cap * ((perWork * all) + (stepWork * first))) + waitingPerWork;
            _numberPerOverhead += (cap * ((perOverhead * all) + (stepOverhead * first))) + waitingPerOverhead;
        }

        public void Scale(double by)
        {
            Total *= by;
            _number *= by;
            _waiting *= by;
            _perWork *= by;
            _perOverhead *= by;
            _numberPerWork *= by;
            _numberPerOverhead *= by;
            _waitingPerWork *= by;
            _waitingPerOverhead *= by;
        }

        // E[T] = E[N]/λ, and both loads are λ times their seconds, so that λ falls out of the derivatives.
        public readonly SharingMeans Means(double arrivalRate)
        {
            var (number, waiting) = (_number / Total, _waiting / Total);
            var (perWork, perOverhead) = (_perWork / Total, _perOverhead / Total);
            return new SharingMeans(
                number / arrivalRate,
                waiting / arrivalRate,
                (_numberPerOverhead / Total) - (number * perOverhead),
                (_numberPerWork / Total) - (number * perWork),
                (_waitingPerOverhead / Total) - (waiting * perOverhead),
                (_waitingPerWork / Total) - (waiting * perWork)
            );
        }
    }
}
