namespace Platform.Cli.Benchmarks.Traffic;

/// <summary>How generated traffic goes over a day, as a multiple of a fleet's mean rate.</summary>
internal static class TrafficProfiles
{
    private const int MinutesOfHour = 60,
        MinutesOfDay = 1_440;

    /// <summary>The night's part of the day's rate, as in the report: 0.001 queries a second for 0.08.</summary>
    private const double NightPart = 0.0125;

    /// <summary>How much a ramp multiplies the rate within an hour.</summary>
    private const double RampFactor = 4;

    /// <summary>The same rate all the time.</summary>
    public static double[] Steady(int hours) => Minutes(hours, _ => 1);

    /// <summary>A quarter of the time at the mean rate, half of it a night, then a quarter at the mean rate.</summary>
    public static double[] Night(int hours)
    {
        var quarter = hours * MinutesOfHour / 4;
        return Minutes(hours, minute => minute >= quarter && minute < 3 * quarter ? NightPart : 1);
    }

    /// <summary>Six stretches, every other one at so many times the rate of those between.</summary>
    public static double[] Steps(int hours, double factor)
    {
        var stretch = hours * MinutesOfHour / 6;
        return Normalised(Minutes(hours, minute => minute / stretch % 2 == 0 ? 1 : factor));
    }

    /// <summary>An even third, an hour up to four times the rate, an even time, and an hour down.</summary>
    public static double[] Ramps(int hours)
    {
        var up = hours * MinutesOfHour / 3;
        var down = 2 * up;
        return Normalised(
            Minutes(
                hours,
                minute =>
                {
                    var risen = Math.Clamp((minute - up) / (double)MinutesOfHour, 0, 1);
                    var fallen = Math.Clamp((minute - down) / (double)MinutesOfHour, 0, 1);
                    return 1 + ((RampFactor - 1) * (risen - fallen));
                }
            )
        );
    }

    /// <summary>Days alike: a quiet night, a tenfold rise from six to eight, a dip at noon, an evening.</summary>
    public static double[] Days(int hours) => Normalised(Minutes(hours, minute => OfDay(minute % MinutesOfDay)));

    /// <summary>Days alike with ten times the night's rate from eight to six, sharp.</summary>
    public static double[] Offices(int hours) =>
        Normalised(
            Minutes(
                hours,
                minute =>
                {
                    const int Opens = 8 * MinutesOfHour,
                        Closes = 18 * MinutesOfHour;
                    return minute % MinutesOfDay is >= Opens and < Closes ? 1 : 0.1;
                }
            )
        );

    private static double OfDay(int minute)
    {
        const double Night = 0.1;
        var hour = minute / (double)MinutesOfHour;
        var morning = Smooth((hour - 6) / 2);
        var evening = Smooth((hour - 18) / 5);
        var noon = 0.25 * Math.Exp(-(hour - 13) * (hour - 13));
        return Night + ((1 - Night - noon) * (morning - evening));
    }

    /// <summary>From 0 to 1 along half a wave.</summary>
    private static double Smooth(double part) => (1 - Math.Cos(Math.PI * Math.Clamp(part, 0, 1))) / 2;

    private static double[] Minutes(int hours, Func<int, double> rate) =>
        [.. Enumerable.Range(0, hours * MinutesOfHour).Select(rate)];

    private static double[] Normalised(double[] rates)
    {
        var mean = rates.Average();
        return [.. rates.Select(rate => rate / mean)];
    }
}
