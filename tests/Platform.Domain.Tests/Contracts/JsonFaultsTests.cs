using System.Text;
using Platform.Domain.Contracts;
using Platform.Domain.Fleets;

namespace Platform.Domain.Tests.Contracts;

/// <summary>What the sender of a faulty JSON text reads.</summary>
public class JsonFaultsTests
{
    private const string Window = """
        { "fleet": "chat", "windowStart": "2026-11-23T10:00:00Z", "windowEnd": "2026-11-23T10:00:10Z",
          "tasks": [ { "taskType": "math", "arrivals": 12 } ] }
        """;

    private static readonly string[] Insides =
    [
        "System.",
        "Platform.",
        "Nullable",
        "Exception",
        "Path:",
        "LineNumber",
        "BytePositionInLine",
        ".NET",
    ];

    [Theory]
    [InlineData("", "", "is empty: there is no JSON value")]
    [InlineData("{", "", "ends before it is complete: an object or array is not closed")]
    [InlineData("[]", "", "must be an object")]
    [InlineData("7", "", "must be an object")]
    [InlineData("\"x\"", "", "must be an object")]
    [InlineData("null", "", "must be an object, not null")]
    [InlineData("{ \"fleet\": 'x' }", "/fleet", "is no valid JSON: ''' is an invalid start of a value")]
    [InlineData("{} {}", "", "lacks fleet, windowStart, windowEnd, tasks")]
    [InlineData("{ \"fleet\": \"a\", \"fleet\": \"b\" }", "/fleet", "appears more than once in its object")]
    public void A_text_that_is_no_window_is_described_in_words_of_JSON(string text, string pointer, string words) =>
        Faulty(text, pointer, words);

    [Theory]
    [InlineData(
        "12",
        "\"12\"",
        "/tasks/0/arrivals",
        "must be a whole number of at most 9223372036854775807, not in quotes"
    )]
    [InlineData(
        "12",
        "12.5",
        "/tasks/0/arrivals",
        "must be a whole number of at most 9223372036854775807, not in quotes"
    )]
    [InlineData(
        "12",
        "null",
        "/tasks/0/arrivals",
        "must be a whole number of at most 9223372036854775807, not in quotes"
    )]
    [InlineData(
        "12",
        "99999999999999999999",
        "/tasks/0/arrivals",
        "must be a whole number of at most 9223372036854775807, not in quotes"
    )]
    [InlineData("\"chat\"", "5", "/fleet", "must be a text in quotes, of valid Unicode")]
    [InlineData("\"chat\"", "null", "/fleet", "must not be null")]
    [InlineData("\"chat\"", "\"\\ud800\"", "/fleet", "must be a text in quotes, of valid Unicode")]
    [InlineData("\"2026-11-23T10:00:10Z\"", "\"yesterday\"", "/windowEnd", "must be an instant in RFC 3339")]
    [InlineData("\"2026-11-23T10:00:10Z\"", "17", "/windowEnd", "must be an instant in RFC 3339")]
    [InlineData("[ { \"taskType\": \"math\", \"arrivals\": 12 } ]", "{}", "/tasks", "must be an array")]
    [InlineData("[ { \"taskType\": \"math\", \"arrivals\": 12 } ]", "[ 3 ]", "/tasks/0", "must be an object")]
    [InlineData(
        "\"arrivals\"",
        "\"arrival\"",
        "/tasks/0/arrival",
        "is no name that belongs here; those that do are accuracy, arrivals, service, system, taskType"
    )]
    [InlineData(", \"arrivals\": 12", "", "/tasks/0", "lacks arrivals")]
    public void A_value_that_does_not_fit_is_named_with_what_belongs_there(
        string old,
        string value,
        string pointer,
        string words
    ) => Faulty(Window.Replace(old, value, StringComparison.Ordinal), pointer, words);

    [Fact]
    public void The_names_that_a_value_may_have_are_listed()
    {
        Assert.False(StrictJson.TryRead<FleetDefinition>("""{ "dispatch": "round-robin" }"""u8, out _, out var fault));
        Assert.Equal("/dispatch", fault.Pointer);
        Assert.StartsWith("must be one of \"split\", \"shared\"", fault.Detail, StringComparison.Ordinal);
    }

    private static void Faulty(string text, string pointer, string words)
    {
        Assert.False(StrictJson.TryRead<WorkloadWindow>(Encoding.UTF8.GetBytes(text), out _, out var fault));
        Assert.True(fault.Detail.StartsWith(words, StringComparison.Ordinal), fault.Detail);
        Assert.True(fault.Pointer == pointer, $"{fault.Pointer}: {fault.Detail}");
        foreach (var name in Insides)
            Assert.DoesNotContain(name, fault.Detail, StringComparison.Ordinal);
    }
}
