using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Platform.Domain.Contracts;
using Platform.Solver.Allocation;
using Platform.Solver.Simulation;

namespace Platform.Solver.Tests.Allocation;

/// <summary>
/// Two readers, one contract: by hand, and by the serializer with reflection as the other doors have it.
/// </summary>
public sealed class ProblemReaderTests
{
    private const int Documents = 20_000;

    // What damages a document, or looks as if it did.
    private static readonly string[] Pieces =
    [
        "null",
        "true",
        "1",
        "0",
        "-1",
        "1.0",
        "1e400",
        "1e3",
        "9223372036854775808",
        "1.5",
        "\"\"",
        "\"Shared\"",
        "\" shared \"",
        "\"split,shared\"",
        "\"spl\\u0069t\"",
        "\"0\"",
        "\"NaN\"",
        "[]",
        "{}",
        "[null]",
        "[1]",
        ",",
        ":",
        "{",
        "}",
        "[",
        "]",
        "\"",
        " ",
        "/**/",
        "\"servers\":2,",
        "\"Servers\":2,",
        "\"dispatch\":\"SHARED\",",
        "\"dispatch\":null,",
        "\"minTokens\":1,",
        "\"weight\":2,",
        "\"varianceSecondsSquared\":1,",
        "\"varianceSecondsSquared\":null,",
        "\"accuracyFloor\":null,",
        "\"accuracyFloor\":0.1,",
        "\"maxUtilization\":null,",
        "\\ud800",
        "\u00e9",
        "\"sharing\"",
        "\"sharing\":null,",
        "\"sharing\":{},",
        "\"overheadSecondsPerToken\":null,",
        "\"maxInService\":7,",
        "\"maxInService\":1.5,",
        "\"answerTokens\":3,",
        "\"answerTokens\":null,",
        "\"secondsPerTokenSquared\":1e-9,",
        "\"maxInterTokenSeconds\":0.1,",
        "\"maxTimeToFirstAnswerTokenSeconds\":null,",
    ];

    // 1e400 is read as infinity, and refused by the validation.
    private static readonly JsonSerializerOptions Comparing = new(StrictJson.Options)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    [Fact]
    public void A_problem_is_read_if_and_only_if_the_serializer_reads_it_and_is_the_same() =>
        Compare(Commands.Problem().ToJsonString(), ProblemReader.TryRead);

    [Fact]
    public void So_is_a_problem_with_its_tokens() =>
        Compare(
            new JsonObject { ["problem"] = Commands.Problem(), ["tokens"] = new JsonArray(100, 0) }.ToJsonString(),
            SimulationRequestReader.TryRead
        );

    [Fact]
    public void So_is_a_problem_whose_servers_share() =>
        Compare(Commands.SharingProblem().ToJsonString(), ProblemReader.TryRead);

    private static void Compare<T>(string document, ItemReader<T> read)
        where T : class
    {
        var random = new Random(1);
        var (taken, refused) = (0, 0);
        for (var i = 0; i < Documents; i++)
        {
            var text = i == 0 ? document : Damaged(document, random);
            var utf8 = Encoding.UTF8.GetBytes(text);
            var isTaken = StrictJson.TryRead<T>(utf8, out var expected, out var fault);
            var actual = read(utf8);
            Assert.True(isTaken == actual is not null, $"{(isTaken ? "refused" : "taken")}: {text}");
            if (isTaken)
                Assert.True(Same(expected!, actual!), text);

            // The generated serializer has the words for a fault: the same ones.
            Assert.Equal(isTaken, StrictJson.TryRead(utf8, ProblemJson.Of<T>(), out _, out var words));
            Assert.Equal(fault, words);
            (taken, refused) = isTaken ? (taken + 1, refused) : (taken, refused + 1);
        }

        Assert.True(taken > Documents / 50 && refused > Documents / 2, $"{taken} taken, {refused} refused");
    }

    private static bool Same<T>(T expected, T actual) =>
        JsonSerializer.Serialize(expected, Comparing) == JsonSerializer.Serialize(actual, Comparing);

    /// <summary>A value replaced, or a piece put in or cut out anywhere.</summary>
    internal static string Damaged(string document, Random random)
    {
        var piece = Pieces[random.Next(Pieces.Length)];
        var at = random.Next(document.Length);
        var starts = Starts(
            document,
            random.Next(3) switch
            {
                0 => ':',
                1 => '{',
                _ => ',',
            }
        );
        var start = starts[random.Next(starts.Count)] + 1;
        return random.Next(4) switch
        {
            0 => document.Insert(at, piece),
            1 => document.Remove(at, Math.Min(random.Next(1, 20), document.Length - at)),
            2 => document.Insert(start, piece),
            _ => document[..start] + piece + document[ValueEnd(document, start)..],
        };
    }

    private static List<int> Starts(string document, char sign) =>
        [.. Enumerable.Range(0, document.Length).Where(i => document[i] == sign)];

    /// <summary>Where the value, array or object ends that starts there.</summary>
    private static int ValueEnd(string document, int start)
    {
        var depth = 0;
        for (var i = start; i < document.Length; i++)
        {
            if (depth == 0 && document[i] is ',' or '}' or ']')
                return i;
            depth += document[i] switch
            {
                '{' or '[' => 1,
                '}' or ']' => -1,
                _ => 0,
            };
            if (depth == 0 && document[i] is '}' or ']')
                return i + 1;
        }

        return document.Length;
    }
}
