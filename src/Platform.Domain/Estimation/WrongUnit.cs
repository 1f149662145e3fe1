namespace Platform.Domain.Estimation;

/// <summary>A figure so far off what it is held against that a wrong unit is more likely than a wrong guess.</summary>
public static class WrongUnit
{
    // Half an order of magnitude either way.
    private const double Near = 3.1622776601683795;

    /// <summary>Whether a ratio is ten times off, either way.</summary>
    /// <param name="ratio">What was seen over what was said, at least 0.</param>
    public static bool Suspects(double ratio) =>
        ratio >= ValidityThresholds.WrongUnitRatio || ratio <= 1 / ValidityThresholds.WrongUnitRatio;

    /// <summary>What a ratio suggests, as a question to whoever publishes times.</summary>
    /// <param name="ratio">Times seen over times said, above 0.</param>
    public static string GuessOfTimes(double ratio) =>
        ratio switch
        {
            _ when IsNear(ratio, 1e-3) => "a thousandth: were seconds sent for milliseconds?",
            _ when IsNear(ratio, 1e3) =>
                "a thousand times: were microseconds sent for milliseconds, or are the definition's seconds milliseconds?",
            _ when IsNear(ratio, 1e-6) => "a millionth: were seconds sent for microseconds?",
            _ when IsNear(ratio, 60) => "some sixty times: are the definition's seconds minutes?",
            < 1 => "is the definition's service line that of these servers?",
            _ =>
                "is the definition's service line that of these servers, or was the wait counted as time on the server?",
        };

    private static bool IsNear(double ratio, double unit) => ratio > unit / Near && ratio < unit * Near;
}
