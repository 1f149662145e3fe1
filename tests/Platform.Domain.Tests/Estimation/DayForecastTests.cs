using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;

namespace Platform.Domain.Tests.Estimation;

public class DayForecastTests
{
    private const int InDay = 1_440;
    private const int PeriodMinutes = 5;

    /// <summary>Half a quarter of an hour beyond the period counts.</summary>
    private const int MinutesBeyond = 7;

    private static readonly FleetDefinition Definition = new()
    {
        DisplayName = "chat",
        Servers = 1,
        ArrivalRate = 1,
        Objective = new FleetObjective { AccuracyWeight = 10 },
        TaskTypes =
        [
            new TaskType
            {
                Id = "chat",
                Share = 1,
                MaxTokens = 1_000,
                Service = new ServiceLine(0.1, 0.001),
                Accuracy = new AccuracyCurve(0.2, 0.5, 0.01),
            },
        ],
    };

    [Fact]
    public void A_rise_at_the_same_hour_is_carried_before_it_comes()
    {
        // The rate goes up at eight. Three minutes before, nothing in the present tells.
        var days = new Days(1, minute => IsWorkingHour(minute) ? 2 : 0.05);
        var estimate = days.EstimateAt((4 * InDay) + 477);
        Assert.InRange(estimate.ArrivalRate.Value, 0.03, 0.07);
        Assert.InRange(estimate.Traffic!.Forecast!.Rate.Value, 1.8, 2.2);
        Assert.InRange(estimate.Traffic.UpperRate, 2, 3);
        Assert.Equal(estimate.Traffic.Forecast.UpperRate, estimate.Traffic.UpperRate);
        Assert.Equal("days", estimate.Traffic.Forecast.Hours);
        Assert.Equal(estimate.AsOf.AddMinutes(PeriodMinutes), estimate.Traffic.Forecast.Until);
        Assert.InRange(estimate.Traffic.Forecast.ErrorRatio, 0.01, 0.5);

        var before = days.EstimateAt((4 * InDay) + 477, "estimator/6");
        Assert.Null(before.Traffic!.Forecast);
        Assert.InRange(before.Traffic.UpperRate, 0.03, 0.09);
    }

    [Fact]
    public void A_fall_that_is_forecast_has_not_come_yet()
    {
        var days = new Days(2, minute => IsWorkingHour(minute) ? 2 : 0.05);
        var traffic = days.EstimateAt((4 * InDay) + 1_079).Traffic!;
        Assert.InRange(traffic.UpperRate, 1.8, 2.5);
        Assert.InRange(traffic.Forecast!.Rate.Value, 0.8, 1.8);
    }

    [Fact]
    public void The_weekend_is_told_from_the_week()
    {
        var days = new Days(3, minute => IsWorkingHour(minute) && minute / InDay % 7 < 5 ? 2 : 0.4);
        var friday = days.EstimateAt((18 * InDay) + 477).Traffic!;
        var saturday = days.EstimateAt((19 * InDay) + 477).Traffic!;
        Assert.Equal("weekday", friday.Forecast!.Hours);
        Assert.InRange(friday.UpperRate, 0.9, 2.5);
        Assert.InRange(saturday.UpperRate, 0.3, 0.6);
    }

    [Fact]
    public void Todays_level_counts_where_days_are_of_different_sizes()
    {
        var days = new Days(4, minute => (minute / InDay % 2 == 0 ? 0.5 : 2) * Rise(minute % InDay));
        var middle = (6 * InDay) + (7 * 60);
        Assert.InRange(days.EstimateAt(middle).Traffic!.Forecast!.Rate.Value / days.GreatestRate(middle), 0.85, 1.15);
        Assert.InRange(
            days.EstimateAt(middle + InDay).Traffic!.Forecast!.Rate.Value / days.GreatestRate(middle + InDay),
            0.85,
            1.15
        );
    }

    /// <summary>Traffic without hours: alike all the time, wandering, jumping, in bursts.</summary>
    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0.1, 0, 0)]
    [InlineData(0, 0.004, 0)]
    [InlineData(0, 0, 0.01)]
    public void Nothing_is_forecast_of_traffic_without_hours(double wandering, double jumps, double bursts)
    {
        var forecasts = 0;
        for (var seed = 0; seed < 8; seed++)
        {
            var rates = WithoutHours(new Random(1_000 + seed), 6 * InDay, (wandering, jumps, bursts));
            var days = new Days(seed, minute => rates[minute]);
            for (var minute = 3 * InDay; minute < 6 * InDay; minute += 240)
                forecasts += days.EstimateAt(minute).Traffic!.Forecast is null ? 0 : 1;
        }

        Assert.Equal(0, forecasts);
    }

    [Fact]
    public void Nothing_is_forecast_before_two_days_are_seen_or_where_the_definition_wants_none()
    {
        var days = new Days(5, minute => Rise(minute % InDay));
        Assert.Null(days.EstimateAt(InDay + (7 * 60)).Traffic!.Forecast);
        var without = new Days(5, minute => Rise(minute % InDay)) { ForecastDays = 0 };
        var withThem = days.EstimateAt((4 * InDay) + (7 * 60));
        var withoutThem = without.EstimateAt((4 * InDay) + (7 * 60));
        Assert.NotNull(withThem.Traffic!.Forecast);
        Assert.Null(withoutThem.Traffic!.Forecast);
        Assert.Equal(withoutThem.ArrivalRate, withThem.ArrivalRate);
    }

    [Fact]
    public void A_day_without_windows_is_no_day_without_arrivals()
    {
        var days = new Days(6, minute => IsWorkingHour(minute) ? 2 : 0.05) { Silent = minute => minute / InDay == 3 };
        var traffic = days.EstimateAt((4 * InDay) + 477).Traffic!;
        Assert.InRange(traffic.UpperRate, 0.8, 3);
    }

    /// <summary>
    /// The greatest rate of the coming period lies in the interval, over a day; days differ by a fifth.
    /// </summary>
    [Theory]
    [InlineData(0.5, 0, 0.93)]
    [InlineData(0.5, 0.2, 0.93)]
    [InlineData(5, 0, 0.93)]
    [InlineData(5, 0.2, 0.9)]
    public void Intervals_hold_the_coming_rate(double rate, double spread, double least)
    {
        var (held, all) = (0, 0);
        for (var seed = 0; seed < 3; seed++)
        {
            var random = new Random(seed);
            double[] levels = [.. Enumerable.Range(0, 5).Select(_ => 1 + (spread * ((2 * random.NextDouble()) - 1)))];
            var days = new Days(seed, minute => rate * levels[minute / InDay] * Rise(minute % InDay));
            for (var minute = 4 * InDay; minute < (5 * InDay) - PeriodMinutes - MinutesBeyond; minute += 15)
            {
                if (days.EstimateAt(minute).Traffic!.Forecast is not { Rate: var coming })
                    continue;
                var greatest = days.GreatestRate(minute);
                held += coming.Lower <= greatest && greatest <= coming.Upper ? 1 : 0;
                all++;
            }
        }

        Assert.InRange(all, 200, 3 * 96);
        Assert.InRange((double)held / all, least, 1);
    }

    private static bool IsWorkingHour(int minute) => minute % InDay is >= 480 and < 1_080;

    /// <summary>Ten times as much from eight to six as in the night, and up to it within two hours.</summary>
    private static double Rise(int minute)
    {
        var hour = minute / 60.0;
        return 0.1 + (0.9 * (Smooth((hour - 6) / 2) - Smooth((hour - 18) / 5)));
    }

    private static double Smooth(double part) => (1 - Math.Cos(Math.PI * Math.Clamp(part, 0, 1))) / 2;

    private static double[] WithoutHours(
        Random random,
        int minutes,
        (double Wandering, double Jumps, double Bursts) kind
    )
    {
        var rates = new double[minutes];
        var level = 0.0;
        for (var minute = 0; minute < minutes; minute++)
        {
            if (minute % 15 == 0)
                level = (0.99 * level) + (kind.Wandering * ((2 * random.NextDouble()) - 1));
            if (random.NextDouble() < kind.Jumps)
                level = 1.5 * ((2 * random.NextDouble()) - 1);
            rates[minute] = 0.5 * Math.Exp(random.NextDouble() < kind.Bursts ? 2 : level);
        }

        return rates;
    }

    /// <summary>Days of windows of a minute each.</summary>
    private sealed class Days(int seed, Func<int, double> rateAt)
    {
        private static readonly DateTimeOffset Start = new(2026, 11, 23, 0, 0, 0, TimeSpan.Zero);

        private readonly Random _random = new(seed);
        private WorkloadSums? _sums;
        private int _folded;

        public int? ForecastDays { get; init; }

        public Func<int, bool> Silent { get; init; } = _ => false;

        /// <summary>The estimate at the begin of a minute; not before one that was asked for.</summary>
        public FleetEstimate EstimateAt(int minute, string? version = null)
        {
            var solving = new SolvingPolicy { ForecastDays = ForecastDays };
            _sums ??= new WorkloadSums(solving.Reach);
            for (; _folded < minute; _folded++)
            {
                if (!Silent(_folded))
                    _sums.Fold(Window(_folded));
            }

            var arithmetic = version is null ? EstimatorArithmetic.Current : EstimatorArithmetic.Versions[version];
            return Estimator.Estimate(
                Definition with
                {
                    Solving = solving,
                },
                _sums,
                Start.AddMinutes(minute),
                arithmetic
            );
        }

        /// <summary>The greatest true rate of the period after a minute, and of what counts beyond.</summary>
        public double GreatestRate(int minute) =>
            Enumerable.Range(minute, PeriodMinutes + MinutesBeyond + 1).Max(rateAt);

        private WorkloadWindow Window(int minute) =>
            new()
            {
                Fleet = "chat",
                WindowStart = Start.AddMinutes(minute),
                WindowEnd = Start.AddMinutes(minute + 1),
                Tasks =
                [
                    new TaskWindow { TaskType = "chat", Arrivals = Windows.Poisson(_random, 60 * rateAt(minute)) },
                ],
            };
    }
}
