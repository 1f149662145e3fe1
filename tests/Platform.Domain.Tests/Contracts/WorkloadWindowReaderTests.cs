using System.Text;
using System.Text.Json.Nodes;
using Platform.Domain.Contracts;

namespace Platform.Domain.Tests.Contracts;

public class WorkloadWindowReaderTests
{
    private const string Example = """
        { "fleet": "chat-eu", "windowStart": "2026-11-23T10:00:00Z", "windowEnd": "2026-11-23T10:00:10Z",
          "tasks": [ { "taskType": "math", "arrivals": 12,
            "service":  { "completions": 11, "tokens": 8800, "tokensSquared": 7216000, "tokensGranted": 8932,
                          "millis": 180400, "millisSquared": 2990000000, "tokenMillis": 146000000 },
            "system":   { "completions": 11, "millis": 231000, "millisSquared": 5100000000 },
            "accuracy": [ { "tokens": 512, "trials": 10, "correct": 7 } ] } ] }
        """;

    private const string TokensAlone = """{ "tokens": 9800 }""";
    private const string InServiceAlone = """{ "inService": 9800 }""";
    private const string NegativeTokens = """{ "tokens": -1, "inService": 0 }""";
    private const string TooManyInService = """{ "tokens": 1, "inService": 9007199254740992 }""";
    private const string FewerInServiceThanTokens = """{ "tokens": 9800, "inService": 9799 }""";
    private const string InServiceWithoutTokens = """{ "tokens": 0, "inService": 1 }""";

    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 12, TimeSpan.Zero);

    [Fact]
    public void The_contract_example_is_read()
    {
        Assert.True(WorkloadWindowReader.TryRead(Encoding.UTF8.GetBytes(Example), Now, out var window, out var errors));
        Assert.Empty(errors);
        Assert.Equal("chat-eu", window.Fleet);
        Assert.Equal(new DateTimeOffset(2026, 11, 23, 10, 0, 10, TimeSpan.Zero), window.WindowEnd);
        Assert.Equal(146_000_000, window.Tasks[0].Service!.TokenMillis);
        Assert.Equal(7, window.Tasks[0].Accuracy![0].Correct);
    }

    [Fact]
    public void What_the_serializer_writes_is_read_back_equal()
    {
        var window = Read(Example).Window!;
        var again = Read(Encoding.UTF8.GetString(StrictJson.Write(window))).Window!;
        Assert.Equal(
            Encoding.UTF8.GetString(StrictJson.Write(window)),
            Encoding.UTF8.GetString(StrictJson.Write(again))
        );
        Assert.Contains(
            "\"windowStart\":\"2026-11-23T10:00:00Z\"",
            Encoding.UTF8.GetString(StrictJson.Write(window)),
            StringComparison.Ordinal
        );
    }

    /// <summary>
    /// One fault at a time: the path that is set, what it is set to, and the pointer that must be named.
    /// </summary>
    [Theory]
    [InlineData("fleet", "\"Chat\"", "/fleet")]
    [InlineData("fleet", "\"chat-eu\\u0000\"", "/fleet")]
    [InlineData("fleet", "\"chat-eu\\n\"", "/fleet")]
    [InlineData("fleet", "null", "/fleet")]
    [InlineData("windowEnd", "\"2026-11-23T10:00:00Z\"", "/windowEnd")]
    [InlineData("windowStart", "\"2026-11-22T10:00:09.9999999Z\"", "/windowEnd")]
    [InlineData("windowEnd", "\"2026-11-23T10:05:12.0000001Z\"", "/windowEnd")]
    [InlineData("windowEnd", "\"2026-11-23T11:00:10+01:00\"", "/windowEnd")]
    [InlineData("tasks.0.arrivals", "10000001", "/tasks/0/arrivals")]
    [InlineData("tasks.0.arrivals", "9007199254740991", "/tasks/0/arrivals")]
    [InlineData("tasks.0.service.completions", "10000001", "/tasks/0/service/completions")]
    [InlineData("tasks.0.system.completions", "10000001", "/tasks/0/system/completions")]
    [InlineData("tasks.0.accuracy.0.trials", "10000001", "/tasks/0/accuracy/0/trials")]
    [InlineData("windowEnd", "\"2026-11-23T10:00:10\"", "/windowEnd")]
    [InlineData("windowEnd", "\"2026-11-23T10:00Z\"", "/windowEnd")]
    [InlineData("windowEnd", "\"2026-11-23\"", "/windowEnd")]
    [InlineData("windowEnd", "\"2026-11-23T10:00:60Z\"", "/windowEnd")]
    [InlineData("windowEnd", "\"2026-02-30T10:00:00Z\"", "/windowEnd")]
    [InlineData("windowEnd", "1", "/windowEnd")]
    [InlineData("tasks", "null", "/tasks")]
    [InlineData("tasks.0", "null", "/tasks/0")]
    [InlineData("tasks.0.taskType", "\"-math\"", "/tasks/0/taskType")]
    [InlineData("tasks.0.taskType", "\"m\\u00e4th\"", "/tasks/0/taskType")]
    [InlineData("tasks.0.arrivals", "-1", "/tasks/0/arrivals")]
    [InlineData("tasks.0.arrivals", "9007199254740992", "/tasks/0/arrivals")]
    [InlineData("tasks.0.arrivals", "12.5", "/tasks/0/arrivals")]
    [InlineData("tasks.0.arrivals", "1e400", "/tasks/0/arrivals")]
    [InlineData("tasks.0.arrivals", "\"12\"", "/tasks/0/arrivals")]
    [InlineData("tasks.0.arrivals", "99999999999999999999", "/tasks/0/arrivals")]
    [InlineData("tasks.0.service.completions", "-1", "/tasks/0/service/completions")]
    [InlineData("tasks.0.service.tokens", "9007199254740992", "/tasks/0/service/tokens")]
    [InlineData("tasks.0.service.tokensGranted", "-1", "/tasks/0/service/tokensGranted")]
    [InlineData("tasks.0.service.tokensSquared", "7039999", "/tasks/0/service/tokensSquared")]
    [InlineData("tasks.0.service.tokensSquared", "77440001", "/tasks/0/service/tokensSquared")]
    [InlineData("tasks.0.service.millisSquared", "2958559999", "/tasks/0/service/millisSquared")]
    [InlineData("tasks.0.service.tokenMillis", "141967673", "/tasks/0/service/tokenMillis")]
    [InlineData("tasks.0.service.tokenMillis", "146672327", "/tasks/0/service/tokenMillis")]
    [InlineData("tasks.0.system.completions", "9007199254740992", "/tasks/0/system/completions")]
    [InlineData("tasks.0.system.millisSquared", "4850999999", "/tasks/0/system/millisSquared")]
    [InlineData("tasks.0.system.millis", "180388", "/tasks/0/system/millis")]
    [InlineData("tasks.0.accuracy.0", "null", "/tasks/0/accuracy/0")]
    [InlineData("tasks.0.accuracy.0.tokens", "-1", "/tasks/0/accuracy/0/tokens")]
    [InlineData("tasks.0.accuracy.0.correct", "11", "/tasks/0/accuracy/0/correct")]
    [InlineData("tasks.0.accuracy.0.trials", "-1", "/tasks/0/accuracy/0/trials")]
    [InlineData("tasks.0.service.answerTokens", "-1", "/tasks/0/service/answerTokens")]
    [InlineData("tasks.0.service.concurrency", "[]", "/tasks/0/service/concurrency")]
    [InlineData("tasks.0.service.concurrency", TokensAlone, "/tasks/0/service/concurrency")]
    [InlineData("tasks.0.service.concurrency", InServiceAlone, "/tasks/0/service/concurrency")]
    [InlineData("tasks.0.service.concurrency", NegativeTokens, "/tasks/0/service/concurrency/tokens")]
    [InlineData("tasks.0.service.concurrency", TooManyInService, "/tasks/0/service/concurrency/inService")]
    [InlineData("tasks.0.service.concurrency", FewerInServiceThanTokens, "/tasks/0/service/concurrency/inService")]
    [InlineData("tasks.0.service.concurrency", InServiceWithoutTokens, "/tasks/0/service/concurrency/inService")]
    public void A_fault_is_named_by_its_pointer(string path, string json, string pointer)
    {
        var (window, errors) = Read(With(path, json));
        Assert.Null(window);
        Assert.Equal(pointer, Assert.Single(errors).Pointer);
        Assert.NotEmpty(errors[0].Detail);
    }

    [Theory]
    [InlineData("windowEnd", "\"2026-11-23T10:05:12Z\"")]
    [InlineData("windowStart", "\"2026-11-22T10:00:10Z\"")]
    [InlineData("windowStart", "\"2026-11-23T09:59:59.123456789Z\"")]
    [InlineData("windowStart", "\"2026-11-23T09:59:59+00:00\"")]
    [InlineData("tasks", "[]")]
    [InlineData("tasks.0.arrivals", "10000000")]
    [InlineData("tasks.0.accuracy.0.trials", "10000000")]
    [InlineData("tasks.0.taskType", "\"Code_Review.v2\"")]
    [InlineData("tasks.0.service", "null")]
    [InlineData("tasks.0.system", "null")]
    [InlineData("tasks.0.accuracy", "[]")]
    [InlineData("tasks.0.service.tokensGranted", "null")]
    [InlineData("tasks.0.service.concurrency", "null")]
    [InlineData("tasks.0.service.concurrency", """{ "tokens": 0, "inService": 0 }""")]
    [InlineData("tasks.0.service.concurrency", """{ "tokens": 9800, "inService": 9800 }""")]
    [InlineData("tasks.0.service.concurrency", """{ "tokens": 1, "inService": 9007199254740991 }""")]
    [InlineData("tasks.0.service.tokensSquared", "7040000")]
    [InlineData("tasks.0.service.tokenMillis", "141967674")]
    [InlineData("tasks.0.service.tokenMillis", "146672326")]
    [InlineData("tasks.0.system.millis", "180389")]
    [InlineData("tasks.0.system.millisSquared", "null")]
    [InlineData("tasks.0.accuracy.0.trials", "7")]
    public void The_edge_of_a_rule_is_accepted(string path, string json)
    {
        // Equal tokens leave no room for covariance, so the sum of products has to follow.
        var text =
            json == "7040000" ? With("tasks.0.service.tokenMillis", "144320000", With(path, json)) : With(path, json);
        Assert.Empty(Read(text).Errors);
    }

    [Theory]
    [InlineData("tokens", "/tasks/0/service/tokens")]
    [InlineData("millisSquared", "/tasks/0/service/millisSquared")]
    [InlineData("tokenMillis", "/tasks/0/service/tokenMillis")]
    [InlineData("tokensGranted", "/tasks/0/service/tokensGranted")]
    public void Without_completions_every_sum_is_zero(string sum, string pointer)
    {
        var sums =
            """{ "completions": 0, "tokens": 0, "tokensSquared": 0, "tokensGranted": 0, "millis": 0, "millisSquared": 0, "tokenMillis": 0 }""";
        var none = With("tasks.0.service", sums);
        Assert.Empty(Read(none).Errors);
        Assert.Equal(pointer, Assert.Single(Read(With($"tasks.0.service.{sum}", "1", none)).Errors).Pointer);
    }

    [Fact]
    public void Without_completions_no_token_tells_the_concurrency()
    {
        const string None = """
            { "completions": 0, "tokens": 0, "tokensSquared": 0, "concurrency": { "tokens": 0, "inService": 0 },
              "millis": 0, "millisSquared": 0, "tokenMillis": 0 }
            """;
        var none = With("tasks.0.service", None);
        Assert.Empty(Read(none).Errors);
        var some = With("tasks.0.service.concurrency", """{ "tokens": 1, "inService": 1 }""", none);
        Assert.Equal("/tasks/0/service/concurrency/tokens", Assert.Single(Read(some).Errors).Pointer);
    }

    [Fact]
    public void A_concurrency_is_read_and_written_and_a_window_without_it_is_written_as_before()
    {
        var told = Read(With("tasks.0.service.concurrency", """{ "tokens": 9800, "inService": 58800 }""")).Window!;
        Assert.Equal(new ConcurrencySums { Tokens = 9_800, InService = 58_800 }, told.Tasks[0].Service!.Concurrency);
        const string Written = "\"concurrency\":{\"tokens\":9800,\"inService\":58800}";
        Assert.Contains(Written, Encoding.UTF8.GetString(StrictJson.Write(told)), StringComparison.Ordinal);
        var untold = Encoding.UTF8.GetString(StrictJson.Write(Read(Example).Window!));
        Assert.DoesNotContain("concurrency", untold, StringComparison.Ordinal);
    }

    [Fact]
    public void Squares_of_whole_numbers_are_at_least_their_sum()
    {
        var task = """
            { "completions": 10, "tokens": 5, "tokensSquared": 3, "millis": 0, "millisSquared": 0, "tokenMillis": 0 }
            """;
        var errors = Read(With("tasks.0", $$"""{ "taskType": "math", "arrivals": 0, "service": {{task}} }""")).Errors;
        Assert.Equal("/tasks/0/service/tokensSquared", Assert.Single(errors).Pointer);
    }

    [Fact]
    public void Sums_at_the_limit_do_not_overflow_the_checks()
    {
        const long most = WorkloadWindowReader.MaxQueriesPerSecond * 86_400;
        const long root = 94_906_265;
        const long square = root * root;

        // One query of the largest size whose square is allowed, and as many of size 0 as can be counted in a day.
        var sums = $$"""
            { "completions": {{most}}, "tokens": {{root}}, "tokensSquared": {{square}}, "millis": {{root}}, "millisSquared": {{square}},
              "tokenMillis": {{square}} }
            """;
        var day = With("windowStart", "\"2026-11-22T10:00:10Z\"");
        Assert.Empty(
            Read(With("tasks.0", $$"""{ "taskType": "math", "arrivals": {{most}}, "service": {{sums}} }""", day)).Errors
        );
    }

    [Fact]
    public void More_queries_a_second_than_any_fleet_has_are_refused_with_the_rate_and_a_guess_at_the_cause()
    {
        var minute = With("windowStart", "\"2026-11-23T09:59:10Z\"", With("tasks.0.arrivals", "9007199254740991"));
        var fault = Assert.Single(Read(minute).Errors);
        Assert.Equal("/tasks/0/arrivals", fault.Pointer);
        Assert.Contains("9007199254740991 in 60 s, 150119987579017 a second", fault.Detail, StringComparison.Ordinal);
        Assert.Contains("at most 1000000 a second", fault.Detail, StringComparison.Ordinal);
        Assert.Contains("running counter", fault.Detail, StringComparison.Ordinal);
    }

    /// <summary>A burst within a few milliseconds is no fault.</summary>
    [Fact]
    public void A_window_below_a_second_may_have_the_queries_of_a_second()
    {
        var instant = With("windowStart", "\"2026-11-23T10:00:09.999Z\"", With("tasks.0.arrivals", "1000000"));
        Assert.Empty(Read(instant).Errors);
        Assert.Equal(
            "/tasks/0/arrivals",
            Assert.Single(Read(With("tasks.0.arrivals", "1000001", instant)).Errors).Pointer
        );
    }

    [Theory]
    [InlineData("1970-01-01T00:00:00Z", "1970-01-01T00:00:10Z", "20780 days ago")]
    [InlineData("2026-10-24T10:00:00Z", "2026-10-24T10:00:12Z", "30 days ago")]
    [InlineData("2026-11-15T10:00:00Z", "2026-11-15T10:00:11Z", "8 days ago")]
    public void A_window_that_counts_for_no_fleet_is_refused_with_its_age_and_the_time(
        string start,
        string end,
        string age
    )
    {
        var fault = Assert.Single(Read(With("windowEnd", $"\"{end}\"", With("windowStart", $"\"{start}\""))).Errors);
        Assert.Equal("/windowEnd", fault.Pointer);
        Assert.Contains(age, fault.Detail, StringComparison.Ordinal);
        Assert.Contains("2026-11-23T10:00:12Z", fault.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_window_that_has_waited_a_day_beyond_the_longest_horizon_is_taken() =>
        Assert.Empty(
            Read(With("windowEnd", "\"2026-11-15T10:00:12Z\"", With("windowStart", "\"2026-11-15T10:00:02Z\""))).Errors
        );

    /// <summary>
    /// Sums of real queries, rounded as the contract says, always pass: generated, also with equal or extreme queries.
    /// </summary>
    [Fact]
    public void Honest_sums_are_never_refused()
    {
        var random = new Random(2);
        for (var round = 0; round < 3_000; round++)
        {
            var most = 1 << random.Next(0, 22);
            var queries = Enumerable
                .Range(0, random.Next(1, 9))
                .Select(_ =>
                {
                    var seconds = random.NextDouble() * most;
                    var wait = random.Next(2) == 0 ? 0 : random.NextDouble();
                    return (
                        Tokens: (long)random.Next(most),
                        Millis: (long)Math.Round(seconds),
                        System: (long)Math.Round(seconds + wait)
                    );
                })
                .ToArray();
            Assert.Empty(Read(With("tasks.0", HonestTask(queries))).Errors);
        }
    }

    [Fact]
    public void A_task_type_and_a_number_of_tokens_appear_once()
    {
        var root = JsonNode.Parse(Example)!;
        root["tasks"]!.AsArray().Add(root["tasks"]![0]!.DeepClone());
        root["tasks"]![0]!["accuracy"]!.AsArray().Add(root["tasks"]![0]!["accuracy"]![0]!.DeepClone());
        Assert.Equal(
            ["/tasks/0/accuracy/1/tokens", "/tasks/1/taskType"],
            Read(root.ToJsonString()).Errors.Select(error => error.Pointer)
        );
    }

    [Fact]
    public void All_faults_are_listed_up_to_twenty()
    {
        var root = JsonNode.Parse(With("fleet", "\"X\""))!;
        root["tasks"] = new JsonArray([
            .. Enumerable.Range(0, 40).Select(i => new JsonObject { ["taskType"] = $"t{i}", ["arrivals"] = -1 }),
        ]);
        var errors = Read(root.ToJsonString()).Errors;
        Assert.Equal(20, errors.Count);
        Assert.Equal("/fleet", errors[0].Pointer);
        Assert.Equal("/tasks/18/arrivals", errors[19].Pointer);
    }

    [Fact]
    public void A_thousand_task_types_are_accepted_and_one_more_is_not()
    {
        var root = JsonNode.Parse(Example)!;
        root["tasks"] = new JsonArray([
            .. Enumerable.Range(0, 1_000).Select(i => new JsonObject { ["taskType"] = $"t{i}", ["arrivals"] = 1 }),
        ]);
        Assert.Empty(Read(root.ToJsonString()).Errors);
        root["tasks"]!.AsArray().Add(new JsonObject { ["taskType"] = "one-more", ["arrivals"] = 1 });
        Assert.Equal("/tasks", Assert.Single(Read(root.ToJsonString()).Errors).Pointer);
    }

    [Fact]
    public void A_message_of_256_KiB_is_accepted_and_one_byte_more_is_not()
    {
        Assert.Empty(Read(Example.PadRight(262_144)).Errors);
        Assert.Equal("", Assert.Single(Read(Example.PadRight(262_145)).Errors).Pointer);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{ \"fleet\": \"a\", \"fleet\": \"b\" }")]
    [InlineData("\uFEFF{}")]
    [InlineData("{ \"fleet\": \"\\ud800\" }")]
    public void What_is_not_a_window_is_refused_as_a_whole_or_by_its_place(string text) =>
        Assert.Single(Read(text).Errors);

    [Theory]
    [InlineData("extra", "1", "/extra")]
    [InlineData("tasks.0.service.extra", "1", "/tasks/0/service/extra")]
    public void Unknown_names_are_refused(string path, string json, string pointer) =>
        Assert.Equal(pointer, Assert.Single(Read(With(path, json)).Errors).Pointer);

    /// <summary>
    /// Bytes flipped, dropped, doubled, swapped and spliced: the reader answers, and what it lets in folds.
    /// </summary>
    [Fact]
    public void No_bytes_make_the_reader_throw()
    {
        var random = new Random(3);
        var seed = Encoding.UTF8.GetBytes(JsonNode.Parse(Example)!.ToJsonString());
        string[] splices =
        [
            "null",
            "-1",
            "9007199254740991",
            "1e999",
            "\"\\ud800\"",
            "[]",
            "{}",
            "\"\"",
            "\0",
            "\u00ff",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.9999999Z",
        ];
        var pieces = splices.Select(Encoding.UTF8.GetBytes).ToArray();
        var accepted = 0;
        for (var i = 0; i < 200_000; i++)
        {
            var read = WorkloadWindowReader.TryRead(Mutate(seed, pieces, random), Now, out var window, out var errors);
            Assert.Equal(read, errors.Count == 0);
            Assert.Equal(read, window is not null);
            accepted += read ? 1 : 0;
        }

        Assert.InRange(accepted, 1_000, 150_000);
    }

    private static byte[] Mutate(byte[] seed, byte[][] pieces, Random random)
    {
        var bytes = seed.ToList();
        for (var times = random.Next(1, 4); times > 0; times--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 8), bytes.Count - at));
                    break;
                case 2:
                    bytes.InsertRange(at, pieces[random.Next(pieces.Length)]);
                    break;
                case 3:
                    bytes[at] = (byte)('0' + random.Next(10));
                    break;
                default:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
            }
        }

        return [.. bytes];
    }

    private static string HonestTask((long Tokens, long Millis, long System)[] queries) =>
        $$"""
            { "taskType": "math", "arrivals": 0,
              "service": { "completions": {{queries.Length}}, "tokens": {{queries.Sum(q => q.Tokens)}},
                "tokensSquared": {{queries.Sum(q => q.Tokens * q.Tokens)}}, "millis": {{queries.Sum(q => q.Millis)}},
                "millisSquared": {{queries.Sum(q => q.Millis * q.Millis)}}, "tokenMillis": {{queries.Sum(q =>
                q.Tokens * q.Millis
            )}} },
              "system": { "completions": {{queries.Length}}, "millis": {{queries.Sum(q => q.System)}},
                "millisSquared": {{queries.Sum(q => q.System * q.System)}} } }
            """;

    private static (WorkloadWindow? Window, IReadOnlyList<InputError> Errors) Read(string text)
    {
        WorkloadWindowReader.TryRead(Encoding.UTF8.GetBytes(text), Now, out var window, out var errors);
        return (window, errors);
    }

    /// <summary>
    /// The example with one value replaced or added; the value is put in as text, so that it may be any number.
    /// </summary>
    private static string With(string path, string json, string text = Example)
    {
        var root = JsonNode.Parse(text)!;
        var steps = path.Split('.');
        var parent = steps[..^1]
            .Aggregate(root, (node, step) => int.TryParse(step, out var i) ? node[i]! : node[step]!);
        if (int.TryParse(steps[^1], out var index))
            parent[index] = "\u0001";
        else
            parent[steps[^1]] = "\u0001";
        return root.ToJsonString().Replace("\"\\u0001\"", json, StringComparison.Ordinal);
    }
}
