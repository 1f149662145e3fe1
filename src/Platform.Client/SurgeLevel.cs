namespace Platform.Client;

/// <summary>
/// How many queries in flight count, so that tokens do not go to and fro with every query: up at once, down with a
/// delay. A rung is reached at its number, and left when fewer than a part of that number are in flight. May be called
/// by many threads at once.
/// </summary>
public sealed class SurgeLevel
{
    /// <summary>The part where none is given: a rung is left below three quarters of its number.</summary>
    public const double DefaultDescent = 0.75;

    private readonly double _descent;
    private double _level;

    /// <summary>Starts at nothing in flight.</summary>
    /// <param name="descent">The part of a rung's number below which it is left, above 0 and at most 1.</param>
    public SurgeLevel(double descent = DefaultDescent)
    {
        if (!(descent is > 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(descent), descent, "The part is above 0 and at most 1.");
        _descent = descent;
    }

    /// <summary>Takes a number of queries in flight.</summary>
    /// <param name="inFlightPerServer">Queries in flight at the fleet over its servers, at least 0.</param>
    /// <returns>The number that counts: at least the one given, and no more than that over the part.</returns>
    public double Observe(double inFlightPerServer)
    {
        var known = Volatile.Read(ref _level);
        while (true)
        {
            var level = Math.Clamp(known, inFlightPerServer, inFlightPerServer / _descent);
            var found = Interlocked.CompareExchange(ref _level, level, known);
            if (found == known)
                return level;
            known = found;
        }
    }
}
