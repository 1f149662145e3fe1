using System.Globalization;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Xunit;
using Platform.Domain.Contracts;
using Platform.Domain.Snapshots;

namespace Platform.Domain.Tests.Snapshots;

/// <summary>RFC 8785, JSON Canonicalization Scheme; the examples and the table are the RFC's own.</summary>
public sealed class CanonicalJsonTests
{
    /// <summary>Appendix B: IEEE 754 bits and the text.</summary>
    [Theory]
    [InlineData("0000000000000000", "0")]
    [InlineData("8000000000000000", "0")]
    [InlineData("0000000000000001", "5e-324")]
    [InlineData("8000000000000001", "-5e-324")]
    [InlineData("7fefffffffffffff", "1.7976931348623157e+308")]
    [InlineData("ffefffffffffffff", "-1.7976931348623157e+308")]
    [InlineData("4340000000000000", "9007199254740992")]
    [InlineData("c340000000000000", "-9007199254740992")]
    [InlineData("4430000000000000", "295147905179352830000")]
    [InlineData("44b52d02c7e14af5", "9.999999999999997e+22")]
    [InlineData("44b52d02c7e14af6", "1e+23")]
    [InlineData("44b52d02c7e14af7", "1.0000000000000001e+23")]
    [InlineData("444b1ae4d6e2ef4e", "999999999999999700000")]
    [InlineData("444b1ae4d6e2ef4f", "999999999999999900000")]
    [InlineData("444b1ae4d6e2ef50", "1e+21")]
    [InlineData("3eb0c6f7a0b5ed8c", "9.999999999999997e-7")]
    [InlineData("3eb0c6f7a0b5ed8d", "0.000001")]
    [InlineData("41b3de4355555553", "333333333.3333332")]
    [InlineData("41b3de4355555554", "333333333.33333325")]
    [InlineData("41b3de4355555555", "333333333.3333333")]
    [InlineData("41b3de4355555556", "333333333.3333334")]
    [InlineData("41b3de4355555557", "333333333.33333343")]
    [InlineData("becbf647612f3696", "-0.0000033333333333333333")]
    [InlineData("43143ff3c1cb0959", "1424953923781206.2")]
    [InlineData("3e7ad7f29abcaf48", "1e-7")]
    [InlineData("3ff0000000000000", "1")]
    [InlineData("405edd2f1a9fbe77", "123.456")]
    public void A_number_is_written_as_the_table_says(string bits, string expected) =>
        Assert.Equal(expected, CanonicalJson.Number(BitConverter.UInt64BitsToDouble(Convert.ToUInt64(bits, 16))));

    [Theory]
    [InlineData("7fffffffffffffff")]
    [InlineData("7ff0000000000000")]
    [InlineData("fff0000000000000")]
    public void What_is_no_number_is_refused(string bits) =>
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            CanonicalJson.Number(BitConverter.UInt64BitsToDouble(Convert.ToUInt64(bits, 16)))
        );

    [Property(MaxTest = 10_000, Replay = "(1,3)")]
    public bool A_number_reads_back_to_the_same_double(NormalFloat value) => ReadsBack(value.Get);

    /// <summary>FsCheck's numbers are those that people write; these are spread over all bits.</summary>
    [Fact]
    public void Numbers_of_every_magnitude_read_back_to_the_same_double()
    {
        var random = new Random(5);
        for (var i = 0; i < 100_000; i++)
        {
            var value = BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue));
            Assert.True(!double.IsFinite(value) || ReadsBack(value), value.ToString("R", CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Section 3.2.2.</summary>
    [Fact]
    public void Strings_numbers_and_literals_are_written_as_in_the_example() =>
        Canonical(
            """
            {
              "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
              "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
              "literals": [null, true, false]
            }
            """,
            """{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"""
        );

    /// <summary>
    /// Section 3.2.3: by UTF-16 code units, so that the emoji's surrogate comes before the Hebrew letter of a higher
    /// code unit.
    /// </summary>
    [Fact]
    public void Members_are_sorted_by_their_utf16_code_units() =>
        Canonical(
            """
            {
              "\u20ac": "Euro Sign",
              "\r": "Carriage Return",
              "\ufb33": "Hebrew Letter Dalet With Dagesh",
              "1": "One",
              "\ud83d\ude00": "Emoji: Grinning Face",
              "\u0080": "Control",
              "\u00f6": "Latin Small Letter O With Diaeresis"
            }
            """,
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\","
                + "\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}"
        );

    /// <summary>Section 3.2.2.2, over every code unit below the surrogates: names and values alike.</summary>
    [Fact]
    public void Only_quotation_mark_backslash_and_controls_below_space_are_escaped()
    {
        for (var c = '\0'; c < '\ud800'; c++)
        {
            var text = c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\b' => "\\b",
                '\t' => "\\t",
                '\n' => "\\n",
                '\f' => "\\f",
                '\r' => "\\r",
                < ' ' => $"\\u{(int)c:x4}",
                _ => c.ToString(),
            };
            Canonical($$"""{"\u{{(int)c:x4}}":"\u{{(int)c:x4}}"}""", $$"""{"{{text}}":"{{text}}"}""");
        }
    }

    [Fact]
    public void White_space_and_the_order_of_arrays_are_as_the_standard_has_them() =>
        Canonical("[ { \"b\" : [ 3 , 1 , 2 ] , \"a\" : { } } , [ ] ]", """[{"a":{},"b":[3,1,2]},[]]""");

    [Fact]
    public void What_is_canonical_stays_as_it_is()
    {
        const string text = """{"\n":[1,1e+21,{"":null}],"z":"€😀"}""";
        Canonical(text, text);
    }

    /// <summary>
    /// A value is written at once; an element goes the long way, which the tests above hold against the standard.
    /// </summary>
    [Fact]
    public void Values_are_written_as_their_elements_are()
    {
        var random = new Random(9);
        for (var i = 0; i < 20_000; i++)
        {
            var bits = random.NextInt64(long.MinValue, long.MaxValue);
            var number =
                i % 2 == 0
                    ? BitConverter.Int64BitsToDouble(bits)
                    : Math.Round(random.NextDouble() * Math.Pow(10, random.Next(20)), random.Next(15));
            var text = new string([
                .. Enumerable.Range(0, random.Next(4)).Select(_ => (char)random.Next(i % 3 == 0 ? 0x80 : 0xd800)),
            ]);
            WrittenAsItsElement(
                new Written(
                    text,
                    double.IsFinite(number) ? number : -0.0,
                    bits >> random.Next(64),
                    i % 5 == 0 ? null : (int)bits
                )
                {
                    Members = new Dictionary<string, IReadOnlyList<double>>
                    {
                        ["b"] = [1, -0.0],
                        [text] = [],
                        ["B"] = [1e21, 1e-7],
                    },
                    At = DateTimeOffset.UnixEpoch.AddTicks(random.NextInt64(long.MaxValue / 10)),
                }
            );
        }
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void A_value_with_what_is_no_number_is_refused(double value) =>
        Assert.ThrowsAny<ArgumentException>(() => CanonicalJson.Write(new { value }));

    [Fact]
    public void A_type_that_would_not_be_written_canonically_is_refused()
    {
        Assert.Throws<NotSupportedException>(() => CanonicalJson.Write(new { value = 1.5f }));
        Assert.Throws<NotSupportedException>(() => CanonicalJson.Write(new { value = 1.50m }));
        Assert.Throws<NotSupportedException>(() => CanonicalJson.Write(new { value = ulong.MaxValue }));
    }

    private static void WrittenAsItsElement<T>(T value) =>
        Assert.Equal(
            Encoding.UTF8.GetString(CanonicalJson.Write(JsonSerializer.SerializeToElement(value, StrictJson.Options))),
            Encoding.UTF8.GetString(CanonicalJson.Write(value))
        );

    private static bool ReadsBack(double value) =>
        BitConverter.DoubleToInt64Bits(double.Parse(CanonicalJson.Number(value), CultureInfo.InvariantCulture))
        == BitConverter.DoubleToInt64Bits(value == 0 ? 0.0 : value);

    private static void Canonical(string json, string expected)
    {
        using var document = JsonDocument.Parse(json);
        Assert.Equal(expected, Encoding.UTF8.GetString(CanonicalJson.Write(document.RootElement)));
        Assert.Equal(expected, Encoding.UTF8.GetString(CanonicalJson.Write(new { document.RootElement }))[15..^1]);
    }

    private sealed record Written(string Text, double Number, long Whole, int? Optional)
    {
        public required IReadOnlyDictionary<string, IReadOnlyList<double>> Members { get; init; }

        public required DateTimeOffset At { get; init; }
    }
}
