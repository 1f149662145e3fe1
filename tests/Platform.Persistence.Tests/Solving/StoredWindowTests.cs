using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Platform.Domain.Contracts;
using Platform.Domain.Ingestion;
using Platform.Domain.Snapshots;
using Platform.Persistence.Solving;

namespace Platform.Persistence.Tests.Solving;

/// <summary>A stored window is read as the serializer reads it.</summary>
public sealed class StoredWindowTests
{
    private static readonly JsonSerializerOptions Camel = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    private static WorkloadWindowRecorded Full { get; } =
        new()
        {
            MessageId = new Guid("1a0c466f-5d75-44d8-ad67-65d5f519dbc8"),
            TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            Window = new WorkloadWindow
            {
                Fleet = "chat \"eu\" ü",
                WindowStart = TestStore.At,
                WindowEnd = TestStore.At.AddTicks(1_234_567),
                Tasks =
                [
                    new TaskWindow
                    {
                        TaskType = "math",
                        Arrivals = long.MaxValue,
                        Service = new ServiceSums
                        {
                            Completions = 1,
                            Tokens = 2,
                            TokensSquared = 3,
                            TokensGranted = 4,
                            AnswerTokens = 8,
                            Millis = 5,
                            MillisSquared = 6,
                            TokenMillis = 7,
                            Concurrency = new ConcurrencySums { Tokens = 9, InService = 10 },
                        },
                        System = new SystemSums
                        {
                            Completions = 8,
                            Millis = 9,
                            MillisSquared = 10,
                        },
                        Accuracy =
                        [
                            new AccuracyCount
                            {
                                Tokens = 11,
                                Trials = 12,
                                Correct = 13,
                            },
                            new AccuracyCount
                            {
                                Tokens = 14,
                                Trials = 15,
                                Correct = 0,
                            },
                        ],
                    },
                    new TaskWindow
                    {
                        TaskType = "code",
                        Arrivals = 0,
                        Service = new ServiceSums
                        {
                            Completions = 0,
                            Tokens = 0,
                            TokensSquared = 0,
                            Millis = 0,
                            MillisSquared = 0,
                            TokenMillis = 0,
                        },
                    },
                    new TaskWindow
                    {
                        TaskType = "chat",
                        Arrivals = 3,
                        Accuracy = [],
                    },
                    new TaskWindow
                    {
                        TaskType = "page",
                        Arrivals = 2,
                        System = new SystemSums { Completions = 1, Millis = 900 },
                    },
                ],
            },
        };

    [Fact]
    public void What_was_written_is_read()
    {
        var written = JsonSerializer.SerializeToUtf8Bytes(Full, Camel);
        Assert.Contains("null", Encoding.UTF8.GetString(written), StringComparison.Ordinal);
        Assert.Equal(CanonicalJson.Write(Full), CanonicalJson.Write(StoredWindow.Read(written)));
        Assert.Null(
            StoredWindow.Read(JsonSerializer.SerializeToUtf8Bytes(Full with { TraceParent = null }, Camel)).TraceParent
        );
    }

    /// <summary>
    /// Every member by turns: gone, null, of another kind, and with a member beside it that this version does not know.
    /// </summary>
    [Fact]
    public void Whatever_is_changed_the_serializer_reads_the_same_or_refuses_too()
    {
        var paths = new List<string>();
        Collect(JsonSerializer.SerializeToNode(Full, Camel)!, paths);
        Assert.True(paths.Count > 30);
        foreach (var path in paths)
        {
            foreach (var change in (string[])["gone", "null", "\"x\"", "1.5", "[]", "{}", "[{}]", "true", "more"])
                Same(Changed(path, change), $"{path}: {change}");
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    public void What_is_no_window_is_refused(string text) =>
        Assert.ThrowsAny<JsonException>(() => StoredWindow.Read(Encoding.UTF8.GetBytes(text)));

    private static void Same(byte[] text, string what)
    {
        WorkloadWindowRecorded? expected = null;
        try
        {
            expected = JsonSerializer.Deserialize<WorkloadWindowRecorded>(text, Camel);
        }
        catch (JsonException)
        {
            Assert.True(Record.Exception(() => StoredWindow.Read(text)) is JsonException, what);
            return;
        }

        // A null where a value is required: the serializer lets it through, and the first use of it fails.
        if (
            what.EndsWith(": null", StringComparison.Ordinal)
            && Record.Exception(() => StoredWindow.Read(text)) is JsonException
        )
            return;
        Assert.True(
            CanonicalJson.Write(expected).AsSpan().SequenceEqual(CanonicalJson.Write(StoredWindow.Read(text))),
            what
        );
    }

    private static byte[] Changed(string path, string change)
    {
        var root = JsonSerializer.SerializeToNode(Full, Camel)!;
        var parts = path.Split('/');
        var parent = parts[..^1]
            .Aggregate(root, (node, part) => node is JsonArray array ? array[int.Parse(part)]! : node[part]!);
        if (parent is JsonObject within)
        {
            if (change == "gone")
                within.Remove(parts[^1]);
            else if (change == "more")
                within["later"] = JsonNode.Parse("""{ "a": [1, { "b": null }] }""");
            else
                within[parts[^1]] = JsonNode.Parse(change);
        }
        else if (change is not ("gone" or "more"))
        {
            ((JsonArray)parent)[int.Parse(parts[^1])] = JsonNode.Parse(change);
        }

        return Encoding.UTF8.GetBytes(root.ToJsonString());
    }

    private static void Collect(JsonNode node, List<string> paths, string at = "")
    {
        var children = node switch
        {
            JsonObject members => members.Select(member => (member.Key, member.Value)),
            JsonArray items => items.Select((item, i) => ($"{i}", item)),
            _ => [],
        };
        foreach (var (name, child) in children)
        {
            var path = at.Length == 0 ? name : $"{at}/{name}";
            paths.Add(path);
            if (child is not null)
                Collect(child, paths, path);
        }
    }
}
