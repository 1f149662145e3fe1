namespace Platform.Domain.Queueing;

/// <summary>E[T] of a server that batches, with its first and second derivatives by the load.</summary>
/// <param name="SystemSeconds">E[T], seconds from arrival to end.</param>
/// <param name="PerOverhead">∂E[T]/∂a, a = α E[o] being the overhead of the mean query.</param>
/// <param name="PerWork">∂E[T]/∂E[w].</param>
internal readonly record struct SharingCurvature(double SystemSeconds, double PerOverhead, double PerWork)
{
    // Products of ratios are brought down before they could overflow, and what no double could hold is left out.
    private const double Large = 1e200;
    private const double Negligible = 1e-22;

    /// <summary>∂²E[T]/∂a², per second.</summary>
    public double OverheadOverhead { get; init; }

    /// <summary>∂²E[T]/∂a ∂E[w], per second.</summary>
    public double OverheadWork { get; init; }

    /// <summary>∂²E[T]/∂E[w]², per second.</summary>
    public double WorkWork { get; init; }

    /// <summary>Without a cap: E[T] = U/r, r = 1 − λ E[w].</summary>
    /// <param name="rate">λ ≥ 0, per second, at this server.</param>
    /// <param name="load">The mean query.</param>
    /// <param name="idle">r above 0.</param>
    public static SharingCurvature Of(double rate, SharingLoad load, double idle)
    {
        var perIdle = 1 / idle;
        var time = load.LoneSeconds * perIdle;
        var busy = rate * perIdle * perIdle;
        return new SharingCurvature(time, perIdle, (1 + (rate * time)) * perIdle)
        {
            OverheadWork = busy,
            WorkWork = 2 * busy * (1 + (rate * time)),
        };
    }

    /// <summary>
    /// With at most B in service: the birth-death process of <see cref="ProcessorSharing"/>. With x the ratio of its
    /// steps, S = Σ 1/x and Q = Σ 1/x² up to a state, ∂ ln P/∂ρ is S, and n = ρ S + λ a ∂ ln P/∂(λ a): second
    /// derivatives follow from the third cumulants of n and S and the covariance of n and Q.
    /// </summary>
    /// <param name="rate">λ above 0, per second, at this server.</param>
    /// <param name="load">The mean query.</param>
    /// <param name="cap">B ≥ 1.</param>
    /// <param name="idle">1 less the utilization, above 0.</param>
    public static SharingCurvature Of(double rate, SharingLoad load, int cap, double idle)
    {
        var work = rate * load.WorkSeconds;
        var overhead = rate * load.OverheadSeconds;
        var sums = new Sums { All = 1 };
        double probability = 1,
            slope = 0,
            square = 0;
        for (var n = 1; n <= cap; n++)
        {
            var ratio = work + (overhead / n);
            if (!(ratio > 0))
                break;
            var step = 1 / ratio;
            probability *= ratio;
            slope += step;
            square += step * step;
            if (n < cap)
                sums.Add(n, probability, slope, square);
            else
                sums.AddTail(cap, probability, slope, square, idle);
            if (probability > Large)
            {
                sums.Scale(1 / probability);
                probability = 1;
            }

            if (ratio < 1 && probability < Negligible * sums.All)
                break;
        }

        return sums.Curvature(rate, work, overhead);
    }

    /// <summary>Sums over the states of products of n, S and Q, each with the state's probability.</summary>
    private struct Sums
    {
        public double All;
        private double _n,
            _nn,
            _nnn,
            _s,
            _ns,
            _nns,
            _ss,
            _nss,
            _q,
            _nq;

        public void Add(double n, double probability, double s, double q)
        {
            var number = probability * n;
            var squared = number * n;
            All += probability;
            _n += number;
            _nn += squared;
            _nnn += squared * n;
            _s += probability * s;
            _ns += number * s;
            _nns += squared * s;
            _ss += probability * s * s;
            _nss += number * s * s;
            _q += probability * q;
            _nq += number * q;
        }

        /// <summary>The states n = B + j: P falls by y from one to the next, S grows by 1/y and Q by 1/y².</summary>
        public void AddTail(double cap, double probability, double s, double q, double idle)
        {
            var y = 1 - idle;
            var d = 1 / y;

            // Σ yʲ jᵐ for m = 0 to 3.
            var zeroth = probability / idle;
            var first = zeroth * y / idle;
            var second = first * (1 + y) / idle;
            var third = first * (1 + (y * (4 + y))) / (idle * idle);
            Add(cap, zeroth, s, q);
            _n += first;
            _nn += (2 * cap * first) + second;
            _nnn += (3 * cap * ((cap * first) + second)) + third;
            _s += d * first;
            _ns += ((s + (cap * d)) * first) + (d * second);
            _nns += (cap * ((2 * s) + (cap * d)) * first) + ((s + (2 * cap * d)) * second) + (d * third);
            _ss += (2 * s * d * first) + (d * d * second);
            _nss += (s * (s + (2 * cap * d)) * first) + (d * ((2 * s) + (cap * d)) * second) + (d * d * third);
            _q += d * d * first;
            _nq += ((q + (cap * d * d)) * first) + (d * d * second);
        }

        public void Scale(double by)
        {
            All *= by;
            _n *= by;
            _nn *= by;
            _nnn *= by;
            _s *= by;
            _ns *= by;
            _nns *= by;
            _ss *= by;
            _nss *= by;
            _q *= by;
            _nq *= by;
        }

        public readonly SharingCurvature Curvature(double rate, double work, double overhead)
        {
            var per = 1 / All;
            double n = _n * per,
                nn = _nn * per,
                s = _s * per,
                ns = _ns * per,
                ss = _ss * per;
            var variance = nn - (n * n);
            var covariance = ns - (n * s);

            // κ(n, n, n), κ(n, n, S) and κ(n, S, S).
            var thrice = (_nnn * per) - (n * ((3 * nn) - (2 * n * n)));
            var twice = (_nns * per) - (2 * n * ns) - (nn * s) + (2 * n * n * s);
            var once = (_nss * per) - (2 * s * ns) - (ss * n) + (2 * n * s * s);
            var workWork = once - ((_nq * per) - (n * _q * per));
            if (!(overhead > 0))
                return new SharingCurvature(n / rate, 0, covariance) { WorkWork = rate * workWork };

            var perOverhead = (variance - (work * covariance)) / overhead;
            var overheadWork = (twice - covariance - (work * workWork)) / overhead;
            var ofVariance = (thrice - (work * twice)) / overhead;
            var overheadOverhead = (ofVariance - perOverhead - (work * overheadWork)) / overhead;
            return new SharingCurvature(n / rate, perOverhead, covariance)
            {
                OverheadOverhead = rate * overheadOverhead,
                OverheadWork = rate * overheadWork,
                WorkWork = rate * workWork,
            };
        }
    }
}
