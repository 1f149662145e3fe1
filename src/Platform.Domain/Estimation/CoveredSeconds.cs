using System.Numerics;

namespace Platform.Domain.Estimation;

/// <summary>
/// Which whole seconds of a bucket some publisher has reported on: one bit a second. Marking is an OR, so it may be done in any order
/// and any number of times, and ten gateways that report the same minute cover one minute.
/// </summary>
internal sealed class CoveredSeconds
{
    private readonly ulong[] _bits;
    private readonly int _width;

    /// <param name="width">Length of the bucket in seconds.</param>
    public CoveredSeconds(int width)
    {
        _width = width;
        _bits = new ulong[(width + 63) / 64];
    }

    /// <summary>Seconds covered.</summary>
    public int Count => _bits.Sum(BitOperations.PopCount);

    /// <summary>Marks the seconds from <paramref name="from"/>, inclusive, to <paramref name="to"/>, exclusive, of the bucket.</summary>
    public void Mark(int from, int to)
    {
        for (var word = from / 64; word * 64 < to; word++)
        {
            var low = Math.Max(from - (word * 64), 0);
            var high = Math.Min(to - (word * 64), 64);
            _bits[word] |= ulong.MaxValue << low & ulong.MaxValue >> (64 - high);
        }
    }

    /// <summary>
    /// Lengths of the runs of equal seconds, uncovered first, alternating, to the end of the bucket: the shortest form of the usual
    /// mask, which has one run.
    /// </summary>
    public IEnumerable<int> Runs()
    {
        var (start, covered) = (0, false);
        for (var second = 0; second < _width; second++)
        {
            if (IsCovered(second) == covered)
                continue;
            yield return second - start;
            (start, covered) = (second, !covered);
        }

        yield return _width - start;
    }

    private bool IsCovered(int second) => (_bits[second / 64] >> (second % 64) & 1) != 0;
}
