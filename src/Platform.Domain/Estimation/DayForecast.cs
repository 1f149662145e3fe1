namespace Platform.Domain.Estimation;

/// <summary>
/// The rate of the coming period by the same hours of the days before: a profile by quarters of an hour, times today's
/// level where that has predicted better. Every way is tried on the quarters seen so far, each by what lay before it,
/// and against the best guess from the present alone; where none is clearly better, nothing is forecast.
/// </summary>
internal sealed class DayForecast
{
    /// <summary>Days of quarters that the ways are tried on.</summary>
    private const int TriedDays = 7;

    /// <summary>Fewest quarters that a way is judged by: those of a day.</summary>
    private const int FewestTried = QuarterHours.InDay;

    /// <summary>Fewest quarters that say anything: a day to forecast from, and one to try it on.</summary>
    private const int FewestKnown = QuarterHours.InDay + FewestTried;

    /// <summary>Quarters before a quarter that tell today's level.</summary>
    private const int LevelQuarters = 4;

    /// <summary>
    /// Arrivals that the profile's own level is worth beside today's: where hardly anybody comes, a few queries more or
    /// fewer do not say that the day is another one.
    /// </summary>
    private const double LevelArrivals = 4;

    /// <summary>Part of the time that must be covered for a quarter, or a profile's hour, to count.</summary>
    private const double LeastCovered = 0.5 * QuarterHours.Seconds;

    /// <summary>From a quarter's begin to its middle.</summary>
    private const double HalfQuarter = 0.5;

    /// <summary>Standard errors by which a way must be better than the present: six ways are tried.</summary>
    private const double Clearly = 2;

    /// <summary>Nothing is known better than this many arrivals would tell.</summary>
    private const double MostArrivals = 10_000;

    /// <summary>
    /// Quarters before a quarter whose mean rate may stand for it: the guesses from the present alone.
    /// </summary>
    private static readonly int[] PresentQuarters = [1, 4, 16];

    private readonly long _first;
    private readonly int _current;
    private readonly double[] _arrivals;
    private readonly double[] _seconds;
    private readonly DateTimeOffset _asOf;

    /// <summary>The first quarter that ways are tried on; those before it tell levels and guesses.</summary>
    private readonly int _firstTried;

    private DayForecast(WorkloadSums sums, DateTimeOffset asOf)
    {
        var now = QuarterHours.IndexOf(asOf.ToUnixTimeSeconds());
        _asOf = asOf;
        _current = sums.Reach.Days * QuarterHours.InDay;
        _first = now - _current;
        _firstTried = Math.Max(_current - (TriedDays * QuarterHours.InDay), PresentQuarters[^1]);
        _arrivals = new double[_current];
        _seconds = new double[_current];
        foreach (var quarter in sums.Quarters.Known)
        {
            if (quarter.Index < _first || quarter.Index >= now)
                continue;
            _arrivals[quarter.Index - _first] = TaskSums.Nearest(quarter.Arrivals);
            _seconds[quarter.Index - _first] = quarter.CoveredSeconds;
        }
    }

    /// <summary>What the best way says; null where none is clearly better than the present.</summary>
    /// <param name="sums">The fleet's sums.</param>
    /// <param name="asOf">The instant.</param>
    /// <param name="until">The end of the coming period.</param>
    /// <param name="probability">That with which the rate is to be below its upper one.</param>
    public static TrafficForecast? Find(
        WorkloadSums sums,
        DateTimeOffset asOf,
        DateTimeOffset until,
        double probability
    ) => sums.Quarters.Known.Count < FewestKnown ? null : new DayForecast(sums, asOf).Until(until, probability);

    private TrafficForecast? Until(DateTimeOffset until, double probability)
    {
        if (_seconds.Count(seconds => seconds >= LeastCovered) < FewestKnown)
            return null;
        var present = Array.ConvertAll(PresentQuarters, GuessesFromPresent);
        Way? best = null;
        foreach (var profile in HourProfile.All)
        {
            var rates = RatesOf(profile);
            foreach (var isScaled in (bool[])[false, true])
            {
                var way = Try(new Way(profile, rates, isScaled), present);
                if (way is not null && !(way.ErrorRatio >= best?.ErrorRatio))
                    best = way;
            }
        }

        return best is null ? null : Forecast(best, until, probability);
    }

    private TrafficForecast? Forecast(Way way, DateTimeOffset until, double probability)
    {
        if (Greatest(way.Profile, until) is not { } greatest)
            return null;
        Level? level = way.IsScaled ? LevelBefore(_current, way.Rates) : null;
        var rate = greatest.Rate * (level?.Factor ?? 1);
        if (!(rate > 0))
            return null;
        var doubt = (1 / way.Arrivals) + (1 / greatest.Arrivals) + (1 / (level?.Seen ?? double.PositiveInfinity));
        var law = new RateLaw([new RatePart(1, 1 / doubt, 1 / (doubt * rate))]);
        return new TrafficForecast
        {
            Until = until.ToUniversalTime(),
            Rate = law.Interval,
            UpperRate = law.Quantile(probability),
            Hours = way.Profile.Name,
            ErrorRatio = way.ErrorRatio,
        };
    }

    /// <summary>
    /// The way with how it has done on the quarters seen so far; null where that is not clearly better.
    /// </summary>
    private Way? Try(Way way, double[][] present)
    {
        var trial = new Trial(present);
        for (var i = _firstTried; i < _current; i++)
        {
            if (_seconds[i] < LeastCovered || double.IsNaN(way.Rates[i]))
                continue;
            var guess = way.Rates[i] * (way.IsScaled ? LevelBefore(i, way.Rates).Factor : 1);
            trial.Add(i, _arrivals[i], _seconds[i], guess);
        }

        return trial.IsClear(FewestTried, Clearly)
            ? way with
            {
                ErrorRatio = trial.ErrorRatio,
                Arrivals = Math.Min(trial.WorthInArrivals, MostArrivals),
            }
            : null;
    }

    /// <summary>
    /// A profile's rate for each quarter that is tried or tells a level; NaN where too little is covered.
    /// </summary>
    private double[] RatesOf(HourProfile profile)
    {
        var rates = new double[_current];
        for (var i = _firstTried - LevelQuarters; i < _current; i++)
            rates[i] = RateAt(profile, i)?.Rate ?? double.NaN;
        return rates;
    }

    /// <summary>Today's level beside the profile's, by the quarters before one.</summary>
    private Level LevelBefore(int quarter, double[] rates)
    {
        double seen = LevelArrivals,
            expected = LevelArrivals;
        for (var i = quarter - LevelQuarters; i < quarter; i++)
        {
            if (double.IsNaN(rates[i]))
                continue;
            seen += _arrivals[i];
            expected += rates[i] * _seconds[i];
        }

        return new Level(seen, expected);
    }

    /// <summary>The mean rate of so many quarters before each one; NaN where nothing was told.</summary>
    private double[] GuessesFromPresent(int quarters)
    {
        var guesses = new double[_current];
        double arrivals = 0,
            seconds = 0;
        for (var i = _firstTried - quarters; i < _current; i++)
        {
            guesses[i] = arrivals / seconds;
            arrivals += _arrivals[i];
            seconds += _seconds[i];
            if (i < _firstTried)
                continue;
            arrivals -= _arrivals[i - quarters];
            seconds -= _seconds[i - quarters];
        }

        return guesses;
    }

    /// <summary>
    /// The greatest rate of a profile from now to an instant, on the line between the middles of quarters. It goes half
    /// a quarter beyond: a rate that jumps has the next quarter's mean from that quarter's begin on.
    /// </summary>
    private ProfileRate? Greatest(HourProfile profile, DateTimeOffset until)
    {
        var from = MiddleAt(_asOf);
        var to = MiddleAt(until) + HalfQuarter;
        double[] middles = [from, .. WholeBetween(from, to), to];
        ProfileRate? greatest = null;
        foreach (var middle in middles)
        {
            if (RateAt(profile, middle) is not { } rate)
                return null;
            if (!(rate.Rate <= greatest?.Rate))
                greatest = rate;
        }

        return greatest;
    }

    /// <summary>Where an instant lies among the middles of quarters: a whole number at a middle.</summary>
    private double MiddleAt(DateTimeOffset instant) =>
        ((instant.ToUnixTimeSeconds() - (QuarterHours.Seconds / 2.0)) / QuarterHours.Seconds) - _first;

    private static IEnumerable<double> WholeBetween(double from, double to)
    {
        for (var whole = Math.Floor(from) + 1; whole < to; whole++)
            yield return whole;
    }

    private ProfileRate? RateAt(HourProfile profile, double middle)
    {
        var before = (int)Math.Floor(middle);
        var rest = middle - before;
        return RateAt(profile, before) is { } low && RateAt(profile, before + 1) is { } high
            ? new ProfileRate(
                low.Rate + (rest * (high.Rate - low.Rate)),
                low.Arrivals + (rest * (high.Arrivals - low.Arrivals))
            )
            : null;
    }

    /// <summary>What a profile's quarters for one of them say; null where too little of them is covered.</summary>
    private ProfileRate? RateAt(HourProfile profile, int quarter)
    {
        double arrivals = 0,
            seconds = 0;
        foreach (var back in profile.QuartersBack)
        {
            var i = quarter - back;
            if (i < 0 || i >= _current)
                continue;
            arrivals += _arrivals[i];
            seconds += _seconds[i];
        }

        return seconds >= LeastCovered ? new ProfileRate(arrivals / seconds, arrivals) : null;
    }

    /// <summary>What a profile says of a quarter.</summary>
    /// <param name="Rate">Arrivals per second.</param>
    /// <param name="Arrivals">Arrivals that it is told from.</param>
    private readonly record struct ProfileRate(double Rate, double Arrivals);

    /// <summary>Today's level beside a profile's.</summary>
    /// <param name="Seen">Arrivals that were seen.</param>
    /// <param name="Expected">Arrivals that the profile lets expect.</param>
    private readonly record struct Level(double Seen, double Expected)
    {
        public double Factor => Seen / Expected;
    }

    /// <summary>A way to forecast.</summary>
    /// <param name="Profile">Which hours.</param>
    /// <param name="Rates">What they say of each quarter.</param>
    /// <param name="IsScaled">Whether today's level counts.</param>
    private sealed record Way(HourProfile Profile, double[] Rates, bool IsScaled)
    {
        /// <summary>Root mean square error over that of the best guess from the present.</summary>
        public double ErrorRatio { get; init; }

        /// <summary>Arrivals that would tell the rate as well.</summary>
        public double Arrivals { get; init; }
    }

    /// <summary>The errors of a way beside those of the guesses from the present.</summary>
    /// <param name="present">The guesses, each by quarter.</param>
    private sealed class Trial(double[][] present)
    {
        private readonly double[] _guesses = new double[present.Length];
        private readonly double[] _present = new double[present.Length];
        private readonly double[] _better = new double[present.Length];
        private readonly double[] _betterSquared = new double[present.Length];
        private double _error;
        private double _expected;
        private double _expectedSquared;
        private double _missed;
        private int _count;

        private int Best => Array.IndexOf(_present, _present.Min());

        public double ErrorRatio => Math.Sqrt(_error / _present[Best]);

        /// <summary>
        /// The shape of the gamma distribution whose scatter, with that of Poisson counts, is the errors' (by moments):
        /// one over the square of the coefficient of variation of the rate.
        /// </summary>
        public double WorthInArrivals
        {
            get
            {
                var beyondChance = Math.Max(_missed - _expected, 0);
                return beyondChance > 0 ? _expectedSquared / beyondChance : double.PositiveInfinity;
            }
        }

        public bool IsClear(int fewest, double errors) =>
            _count >= fewest && _better[Best] > errors * Math.Sqrt(_betterSquared[Best]);

        public void Add(int quarter, double arrivals, double seconds, double guess)
        {
            // Of a sum of numbers that are one NaN it is NaN.
            double all = 0;
            for (var g = 0; g < present.Length; g++)
                all += _guesses[g] = present[g][quarter];
            if (double.IsNaN(all))
                return;
            var rate = arrivals / seconds;
            var error = (rate - guess) * (rate - guess);
            for (var g = 0; g < present.Length; g++)
            {
                var off = rate - _guesses[g];
                var better = (off * off) - error;
                _present[g] += off * off;
                _better[g] += better;
                _betterSquared[g] += better * better;
            }

            var expected = guess * seconds;
            _error += error;
            _expected += expected;
            _expectedSquared += expected * expected;
            _missed += (arrivals - expected) * (arrivals - expected);
            _count++;
        }
    }
}

/// <summary>Which quarters of an hour stand for one of another day.</summary>
/// <param name="Name">Its name on the wire.</param>
/// <param name="QuartersBack">How far before it they lie.</param>
internal sealed record HourProfile(string Name, int[] QuartersBack)
{
    private const int InWeek = 7 * QuarterHours.InDay;

    /// <summary>All that are tried.</summary>
    public static IReadOnlyList<HourProfile> All { get; } =
    [
        new("yesterday", [QuarterHours.InDay]),
        new("days", [.. Enumerable.Range(1, 7).Select(day => day * QuarterHours.InDay)]),
        new("weekday", [InWeek, 2 * InWeek]),
    ];
}
