using System.Numerics;

namespace Platform.Domain.Estimation;

/// <summary>
/// Which whole seconds of a bucket some publisher has reported on: one bit a second. Marking is an OR, so it may be
/// done in any order and any number of times, and ten gateways that report the same minute cover one minute.
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
    public int Count
    {
        get
        {
            var count = 0;
            foreach (var word in _bits)
                count += BitOperations.PopCount(word);
            return count;
        }
    }

    /// <summary>Seconds covered from <paramref name="from"/>, inclusive, to <paramref name="to"/>, exclusive.</summary>
    public int CountIn(int from, int to)
    {
        var count = 0;
        for (var word = from / 64; word * 64 < to; word++)
            count += BitOperations.PopCount(_bits[word] & Mask(word, from, to));
        return count;
    }

    /// <summary>
    /// Marks the seconds from <paramref name="from"/>, inclusive, to <paramref name="to"/>, exclusive, of the bucket.
    /// </summary>
    public void Mark(int from, int to)
    {
        for (var word = from / 64; word * 64 < to; word++)
            _bits[word] |= Mask(word, from, to);
    }

    /// <summary>Marks all that another bucket of the same width has marked.</summary>
    public void Mark(CoveredSeconds other)
    {
        for (var word = 0; word < _bits.Length; word++)
            _bits[word] |= other._bits[word];
    }

    /// <summary>
    /// The end, exclusive, of the run of equal seconds that begins at <paramref name="from"/>, at most the bucket's
    /// length. Runs of uncovered and covered seconds by turns are the shortest form of the usual mask, which has one.
    /// </summary>
    public int RunEnd(int from, bool covered)
    {
        for (var second = from; second < _width; )
        {
            var word = covered ? ~_bits[second / 64] : _bits[second / 64];
            var ahead = word >> (second % 64);
            if (ahead != 0)
                return Math.Min(second + BitOperations.TrailingZeroCount(ahead), _width);
            second = (second / 64 + 1) * 64;
        }

        return _width;
    }

    private static ulong Mask(int word, int from, int to)
    {
        var low = Math.Max(from - (word * 64), 0);
        var high = Math.Min(to - (word * 64), 64);
        return ulong.MaxValue << low & ulong.MaxValue >> (64 - high);
    }
}
