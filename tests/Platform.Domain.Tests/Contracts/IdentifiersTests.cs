using System.Text.RegularExpressions;
using Platform.Domain.Contracts;

namespace Platform.Domain.Tests.Contracts;

public class IdentifiersTests
{
    private static readonly string[] Alphabet =
    [
        "a",
        "z",
        "0",
        "9",
        "-",
        ".",
        "_",
        "A",
        "Z",
        "\n",
        "\0",
        " ",
        "ä",
        "İ",
        "K",
        "/",
        "é",
        "а",
    ];

    /// <summary>
    /// The hand-written checks against the patterns that the contract states, over ten thousand generated names.
    /// </summary>
    [Fact]
    public void Checks_agree_with_the_stated_patterns()
    {
        var random = new Random(1);
        for (var i = 0; i < 10_000; i++)
        {
            var most = random.Next(4) == 0 ? Alphabet.Length : 5;
            var text = string.Concat(Enumerable.Range(0, random.Next(0, 68)).Select(_ => Alphabet[random.Next(most)]));
            text = random.Next(2) == 0 ? text : "a" + text;
            Assert.Equal(Matches(Identifiers.TenantPattern, text), Identifiers.IsTenant(text));
            Assert.Equal(Matches(Identifiers.FleetPattern, text), Identifiers.IsFleet(text));
            Assert.Equal(Matches(Identifiers.TaskTypePattern, text), Identifiers.IsTaskType(text));
        }
    }

    [Theory]
    [InlineData("abc", true)]
    [InlineData("ab", false)]
    [InlineData("a-b", true)]
    [InlineData("-ab", false)]
    [InlineData("ab-", false)]
    [InlineData("abc\n", false)]
    [InlineData("Abc", false)]
    [InlineData("aКc", false)]
    public void A_tenant_is_three_to_forty_lower_case_letters_digits_and_inner_hyphens(string text, bool expected) =>
        Assert.Equal(expected, Identifiers.IsTenant(text));

    [Fact]
    public void Lengths_are_bounded_to_the_character()
    {
        Assert.True(Identifiers.IsTenant(new string('a', 40)));
        Assert.False(Identifiers.IsTenant(new string('a', 41)));
        Assert.True(Identifiers.IsFleet(new string('a', 64)));
        Assert.False(Identifiers.IsFleet(new string('a', 65)));
        Assert.True(Identifiers.IsTaskType("A"));
        Assert.False(Identifiers.IsTaskType(""));
    }

    private static bool Matches(string pattern, string text) =>
        Regex.IsMatch(text, $@"\A(?:{pattern})\z", RegexOptions.CultureInvariant);
}
