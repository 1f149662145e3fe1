using System.Text;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;

namespace Platform.Domain.Tests.Contracts;

/// <summary>
/// A million damaged windows: each is taken or refused with a reason, and what is taken can be added up.
/// </summary>
public class WorkloadWindowFuzzTests
{
    private const int Inputs = 1_000_000;
    private const int Chunks = 64;

    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 12, TimeSpan.Zero);

    private static readonly byte[][] Seeds =
    [
        .. new[]
        {
            """
                {"fleet":"chat-eu","windowStart":"2026-11-23T10:00:00Z","windowEnd":"2026-11-23T10:00:10Z","tasks":[{"taskType":"math","arrivals":12,
                "service":{"completions":11,"tokens":8800,"tokensSquared":7216000,"tokensGranted":8932,"millis":180400,"millisSquared":2990000000,
                "tokenMillis":146000000},"system":{"completions":11,"millis":231000,"millisSquared":5100000000},
                "accuracy":[{"tokens":512,"trials":10,"correct":7}]}]}
                """,
            """{"fleet":"f","windowStart":"2026-11-22T10:00:11.5Z","windowEnd":"2026-11-23T10:00:11.5Z","tasks":[]}""",
            """
                {"tasks":[{"arrivals":1000000,"taskType":"a"},{"taskType":"b","arrivals":0,"accuracy":[{"tokens":0,"trials":1,"correct":0},
                {"tokens":9007199254740991,"trials":1000000,"correct":1000000}]}],"windowEnd":"2026-11-23T10:05:12Z",
                "windowStart":"2026-11-23T10:05:11.9999999Z","fleet":"a-0"}
                """,
        }.Select(Encoding.UTF8.GetBytes),
    ];

    /// <summary>
    /// What breaks readers: numbers at the ends of ranges, text that is no text, structure out of place.
    /// </summary>
    private static readonly byte[][] Fragments =
    [
        .. new[]
        {
            "0",
            "-0",
            "-1",
            "1e400",
            "-1e400",
            "1e-400",
            "0.5",
            "1e3",
            "9007199254740991",
            "9007199254740992",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551616",
            "NaN",
            "Infinity",
            "null",
            "true",
            "\"\"",
            "\"1\"",
            "[]",
            "{}",
            "[[[[[[[[",
            "{\"a\":{\"a\":{\"a\":",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "\"\\",
            "\u202e",
            "\ufeff",
            "/*",
            "//",
            ",",
            ":",
            "\"",
            "}",
            "]",
            "\"fleet\":\"b\",",
            "\"arrivals\":1,",
            "\"tasks\":null,",
            "\"2026-02-30T10:00:00Z\"",
            "\"9999-12-31T23:59:59.9999999Z\"",
            "\"0001-01-01T00:00:00Z\"",
            "\"2026-11-23T10:00:10+14:00\"",
        }.Select(Encoding.UTF8.GetBytes),
        [0xff],
        [0xc0, 0x80],
        [0xed, 0xa0, 0x80],
        [0],
    ];

    [Fact]
    public void No_damage_to_a_window_makes_the_reader_throw_and_what_it_takes_adds_up()
    {
        var (taken, refused) = (0, 0);
        Parallel.For(
            0,
            Chunks,
            chunk =>
            {
                var damage = new Damage(chunk);
                for (var i = 0; i < Inputs / Chunks; i++)
                    Interlocked.Increment(ref Read(damage.Next()) ? ref taken : ref refused);
            }
        );
        Assert.Equal(Inputs, taken + refused);
        Assert.True(
            taken > Inputs / 100 && refused > Inputs / 2,
            $"the inputs must reach both sides of the door: {taken} taken, {refused} refused"
        );
    }

    private static bool Read(byte[] input)
    {
        if (!WorkloadWindowReader.TryRead(input, Now, out var window, out var errors))
        {
            var areTold = errors.Count is > 0 and <= WorkloadWindowReader.MaxFaults && errors.All(IsTold);
            if (!areTold)
                Assert.Fail($"{string.Join("; ", errors)} for {Shown(input)}");
            return false;
        }

        Assert.Empty(errors);
        var sums = new WorkloadSums(60);
        sums.Fold(window);
        if (!WorkloadWindowReader.TryRead(StrictJson.Write(window), Now, out _, out _))
            Assert.Fail(Shown(input));
        return true;
    }

    private static bool IsTold(InputError error)
    {
        var pointsIntoIt = error.Pointer.Length == 0 || error.Pointer[0] == '/';
        return error.Detail.Length > 0 && pointsIntoIt;
    }

    private static string Shown(byte[] input) => Convert.ToHexString(input);

    /// <summary>A seeded source of damaged windows.</summary>
    private sealed class Damage(int seed)
    {
        private readonly Random _random = new(seed);

        public byte[] Next()
        {
            var text = new List<byte>(Seeds[_random.Next(Seeds.Length)]);
            for (var times = 1 + _random.Next(3); times > 0 && text.Count > 0; times--)
                Once(text);
            return [.. text];
        }

        private void Once(List<byte> text)
        {
            var (at, length) = (_random.Next(text.Count), 1 + _random.Next(12));
            switch (_random.Next(6))
            {
                case 0:
                    text[at] ^= (byte)(1 << _random.Next(8));
                    break;
                case 1:
                    text.RemoveRange(at, Math.Min(length, text.Count - at));
                    break;
                case 2:
                    text.InsertRange(_random.Next(text.Count), text.GetRange(at, Math.Min(length, text.Count - at)));
                    break;
                case 3:
                    text.InsertRange(at, Fragments[_random.Next(Fragments.Length)]);
                    break;
                case 4:
                    ReplaceNumber(text, at);
                    break;
                default:
                    var other = Seeds[_random.Next(Seeds.Length)];
                    text.RemoveRange(at, text.Count - at);
                    text.AddRange(other[_random.Next(other.Length)..]);
                    break;
            }
        }

        /// <summary>
        /// Puts a fragment, or another number, in the place of the next run of digits: damage that leaves the syntax
        /// whole.
        /// </summary>
        private void ReplaceNumber(List<byte> text, int from)
        {
            var start = text.FindIndex(from, digit => char.IsAsciiDigit((char)digit));
            if (start < 0)
                return;
            var end = text.FindIndex(start, digit => !char.IsAsciiDigit((char)digit));
            text.RemoveRange(start, (end < 0 ? text.Count : end) - start);
            var with =
                _random.Next(2) == 0
                    ? Fragments[_random.Next(Fragments.Length)]
                    : Encoding.UTF8.GetBytes(
                        _random
                            .NextInt64(1L << _random.Next(1, 63))
                            .ToString(System.Globalization.CultureInfo.InvariantCulture)
                    );
            text.InsertRange(start, with);
        }
    }
}
