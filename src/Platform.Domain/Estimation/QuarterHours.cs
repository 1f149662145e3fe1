using System.Numerics;

namespace Platform.Domain.Estimation;

/// <summary>
/// Arrivals of all task types by quarters of an hour (UTC) over days, from which the same hours of other days are
/// known. Like <see cref="WorkloadSums"/>, whose part they are: any order and any batching gives the same.
/// </summary>
internal sealed class QuarterHours
{
    /// <summary>Seconds of a quarter of an hour.</summary>
    public const int Seconds = 900;

    /// <summary>Quarters of a day.</summary>
    public const int InDay = 86_400 / Seconds;

    /// <summary>Units of 15 seconds, in which it is kept what windows cover: 60 fit into a word.</summary>
    public const int UnitSeconds = 15;

    private readonly List<QuarterHour> _quarters;

    /// <param name="firstKept">The first quarter that is kept.</param>
    /// <param name="quarters">What is known, in order.</param>
    public QuarterHours(long firstKept, List<QuarterHour> quarters) => (FirstKept, _quarters) = (firstKept, quarters);

    /// <summary>The first quarter that is kept (Unix time in seconds over <see cref="Seconds"/>, floored).</summary>
    public long FirstKept { get; private set; }

    /// <summary>Those that some window touches, oldest first.</summary>
    public IReadOnlyList<QuarterHour> Known => _quarters;

    /// <summary>The quarter of an instant.</summary>
    /// <param name="second">Unix time in seconds.</param>
    public static long IndexOf(long second) => WindowSpan.FloorDivide(second, Seconds);

    /// <summary>Age in seconds beyond which a window is in no quarter of so many days.</summary>
    public static int ReachSeconds(int days) => (days * 86_400) + Seconds;

    /// <summary>Drops what is older than so many days, now and when it comes late.</summary>
    public void KeepFrom(long asOfSecond, int days) => KeepFromIndex(IndexOf(asOfSecond) - ((long)days * InDay));

    /// <summary>
    /// Adds the arrivals of a window: dealt out in proportion to time, as <see cref="WorkloadSums"/> does.
    /// </summary>
    /// <param name="start">The window's begin, inclusive.</param>
    /// <param name="end">Its end, exclusive, after the begin.</param>
    /// <param name="arrivals">Queries of all task types.</param>
    public void Fold(DateTimeOffset start, DateTimeOffset end, UInt128 arrivals)
    {
        var span = new WindowSpan(start, end, Seconds);
        for (var index = Math.Max(span.FirstBucket, FirstKept); index <= span.LastBucket; index++)
        {
            var (from, to) = span.SecondsIn(index);
            Add(new QuarterHour(index, span.PartIn(index, arrivals), UnitsIn(from, to)));
        }
    }

    /// <summary>Adds what others know.</summary>
    public void Add(QuarterHours other)
    {
        KeepFromIndex(other.FirstKept);
        foreach (var quarter in other._quarters)
        {
            if (quarter.Index >= FirstKept)
                Add(quarter);
        }
    }

    private static ulong UnitsIn(int fromSecond, int toSecond)
    {
        var from = fromSecond / UnitSeconds;
        var to = (toSecond + UnitSeconds - 1) / UnitSeconds;
        return ulong.MaxValue << from & ulong.MaxValue >> (64 - to);
    }

    private void KeepFromIndex(long first)
    {
        FirstKept = Math.Max(FirstKept, first);
        var old = 0;
        while (old < _quarters.Count && _quarters[old].Index < FirstKept)
            old++;
        _quarters.RemoveRange(0, old);
    }

    private void Add(in QuarterHour more)
    {
        // Windows come nearly in order: the search begins at the newest.
        var at = _quarters.Count;
        while (at > 0 && _quarters[at - 1].Index > more.Index)
            at--;
        if (at == 0 || _quarters[at - 1].Index != more.Index)
            _quarters.Insert(at, more);
        else
            _quarters[at - 1] = _quarters[at - 1].Plus(more);
    }
}

/// <summary>What arrived in a quarter of an hour.</summary>
/// <param name="Index">Unix time of its begin in seconds, over 900.</param>
/// <param name="Arrivals">Queries of all task types.</param>
/// <param name="Covered">A bit for each 15 seconds that some window touches, the first in the lowest.</param>
internal readonly record struct QuarterHour(long Index, UInt128 Arrivals, ulong Covered)
{
    /// <summary>All 60 bits: the whole quarter is covered.</summary>
    public const ulong Whole = ulong.MaxValue >> 4;

    /// <summary>Seconds that some window covers, to 15.</summary>
    public int CoveredSeconds => QuarterHours.UnitSeconds * BitOperations.PopCount(Covered);

    /// <summary>Together with what another one says of the same quarter.</summary>
    public QuarterHour Plus(in QuarterHour other) =>
        new(Index, checked(Arrivals + other.Arrivals), Covered | other.Covered);
}
