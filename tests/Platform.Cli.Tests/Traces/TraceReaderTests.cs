using Platform.Cli.Traces;

namespace Platform.Cli.Tests.Traces;

public sealed class TraceReaderTests
{
    private const string Header = "TIMESTAMP,ContextTokens,GeneratedTokens\n";

    private const string Formats =
        "a trace has TIMESTAMP, ContextTokens and GeneratedTokens (Azure), Timestamp, Request tokens and Response tokens (BurstGPT), or window_start_s and rate_rps (ServeGen)";

    [Fact]
    public void Requests_are_read_with_times_since_the_first()
    {
        var requests = Read(
            Header + "2023-11-16 18:15:46.6805900,374,44\r\n2023-11-16 18:15:50.9951690,396,109"
        ).Requests;

        Assert.Equal(
            [new TraceRequest(TimeSpan.Zero, 374, 44), new TraceRequest(TimeSpan.FromTicks(43_145_790), 396, 109)],
            requests
        );
    }

    [Theory]
    [InlineData("2024-05-10 00:00:00.009930+00:00,1,2\n2024-05-10 00:00:01+00:00,1,2\n", 9_900_700)]
    [InlineData("2023-11-16 18:15:46,1,2\n\n2023-11-16 18:15:46.5,1,2\n\n", 5_000_000)]
    [InlineData("2024-05-10T00:00:00.000Z,1,2\n2024-05-10T00:00:01.001Z,1,2\n", 10_010_000)]
    [InlineData("2024-05-10T02:00:00+02:00,1,2\n2024-05-10T00:00:00.123456789,1,2\n", 1_234_567)]
    [InlineData("5,1,2\n7.5,1,2\n", 25_000_000)]
    public void A_time_may_be_written_in_the_usual_ways(string rows, long ticks) =>
        Assert.Equal(ticks, Read(Header + rows).Requests[1].At.Ticks);

    [Theory]
    [InlineData("timestamp,contexttokens,generatedtokens\n2023-11-16 18:15:00,374,44\n")]
    [InlineData("\ufeffGeneratedTokens,Model,TIMESTAMP,ContextTokens\n44,gpt,2023-11-16 18:15:00,374\n")]
    [InlineData("TIMESTAMP, ContextTokens, GeneratedTokens, Note\n2023-11-16 18:15:00, 374, 44, \"a, \"\"b\"\"\"\n")]
    public void Columns_may_be_in_any_order_and_case_and_others_beside_them(string text) =>
        Assert.Equal([new TraceRequest(TimeSpan.Zero, 374, 44)], Read(text).Requests);

    [Fact]
    public void Rows_in_no_order_are_sorted_and_that_is_said()
    {
        var trace = Read(Header + "2023-11-16 18:15:49,3,1\n2023-11-16 18:15:47,1,1\n2023-11-16 18:15:48,2,1\n");
        Assert.Equal([1, 2, 3], trace.Requests.Select(it => it.ContextTokens));
        Assert.Equal([0, 1, 2], trace.Requests.Select(it => it.At.TotalSeconds));
        Assert.Equal("its rows were not in order of time, and were sorted", trace.Note);
    }

    [Fact]
    public void BurstGPT_is_read_with_the_column_that_tells_task_types_apart()
    {
        var trace = Read(
            "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,,2.5,ChatGPT,472,18,490,Conversation log\n10,,,GPT-4,473,19,492,API log\n",
            "log type"
        );
        Assert.Equal(("BurstGPT", null), (trace.Format, trace.Note));
        Assert.Equal(
            [
                new TraceRequest(TimeSpan.Zero, 472, 18)
                {
                    Kind = "Conversation log",
                    Duration = TimeSpan.FromSeconds(2.5),
                },
                new TraceRequest(TimeSpan.FromSeconds(5), 473, 19) { Kind = "API log" },
            ],
            trace.Requests
        );
    }

    [Fact]
    public void Mooncake_is_read()
    {
        var trace = Read(
            "{\"timestamp\": 0, \"input_length\": 6758, \"output_length\": 500, \"hash_ids\": [0, 1]}\n{\"timestamp\": 1500, \"input_length\": 7, \"output_length\": 5}\n"
        );
        Assert.Equal("Mooncake", trace.Format);
        Assert.Equal(
            [new TraceRequest(TimeSpan.Zero, 6758, 500), new TraceRequest(TimeSpan.FromSeconds(1.5), 7, 5)],
            trace.Requests
        );
    }

    [Fact]
    public void A_result_of_vLLMs_benchmark_is_read_with_durations_where_they_are_told()
    {
        var trace = Read(
            """
            { "model_id": "m", "input_lens": [374, 374, 9], "output_lens": [3, 1, 2], "start_times": [100.5, 100.25, 101],
              "ttfts": [0.1, 0.2, 0.3], "itls": [[0.25, 0.5], [], null] }
            """,
            "model_id"
        );
        Assert.Equal("vLLM benchmark", trace.Format);
        Assert.Equal(
            [
                new TraceRequest(TimeSpan.Zero, 374, 1) { Duration = TimeSpan.FromSeconds(0.2), Kind = "m" },
                new TraceRequest(TimeSpan.FromSeconds(0.25), 374, 3)
                {
                    Duration = TimeSpan.FromSeconds(0.85),
                    Kind = "m",
                },
                new TraceRequest(TimeSpan.FromSeconds(0.75), 9, 2) { Kind = "m" },
            ],
            trace.Requests
        );
    }

    [Fact]
    public void Rates_of_ServeGen_become_requests_by_a_seeded_law_and_that_is_said()
    {
        const string text =
            "client,window_start_s,rate_rps,cv,pattern,arg1,arg2\n0,0,5,2,Gamma,0.25,0.8\n0,600,0,0,,0,0\n0,1200,1,0,,0,0\n7,0,1,1,Weibull,1,1\n";
        var trace = Read(text, "client");
        Assert.Equal(trace.Requests, Read(text, "client").Requests);
        Assert.NotEqual(trace.Requests, Read(text, "client", seed: 2).Requests);
        Assert.Contains("it tells rates instead of requests", trace.Note, StringComparison.Ordinal);
        Assert.Contains("seed 1", trace.Note, StringComparison.Ordinal);

        var first = trace.Requests.Where(it => it.Kind == "0").Select(it => it.At.TotalSeconds).ToList();
        // 3,000 requests with a deviation of cv * sqrt(3000) = 110 in the first ten minutes, none in the second, 600 at
        // equal distances in the third.
        Assert.InRange(first.Count(at => at < 600), 2_500, 3_500);
        Assert.DoesNotContain(first, at => at is > 601 and < 1_199);
        Assert.InRange(first.Count(at => at > 1_199), 598, 601);
        var gaps = first.Where(at => at < 600).Zip(first.Skip(1), (a, b) => b - a).SkipLast(1).ToList();
        var mean = gaps.Average();
        Assert.InRange(Math.Sqrt(gaps.Average(gap => (gap - mean) * (gap - mean))) / mean, 1.6, 2.4);
        Assert.InRange(trace.Requests.Count(it => it.Kind == "7"), 480, 720);
    }

    [Theory]
    [InlineData("", "line 1: is empty: a trace begins with a header, or with an object in JSON")]
    [InlineData(
        "time,context,generated\n",
        "line 1: there is no column TIMESTAMP: " + Formats + "; the header is 'time,context,generated'"
    )]
    [InlineData(
        "TIMESTAMP,generated\n",
        "line 1: there is no column ContextTokens: " + Formats + "; the header is 'TIMESTAMP,generated'"
    )]
    [InlineData(Header, "line 1: the header is followed by no request")]
    [InlineData(Header + "2023-11-16 18:15:46,374\n", "line 2: must have 3 fields, not 2")]
    [InlineData(
        Header + "2023-11-16 18:15:46,374,44\n2023-11-16 18:15:46,1,2,3\n",
        "line 3: must have 3 fields, not 4"
    )]
    [InlineData(
        Header + "yesterday,374,44\n",
        "line 2: column TIMESTAMP: must be a time such as 2023-11-16 18:15:46.6805900, or seconds such as 12.5, not 'yesterday'"
    )]
    [InlineData(
        Header + "2023-11-16 18:15:46,-1,44\n",
        "line 2: column ContextTokens: must be a whole number from 0 to 10000000, not '-1'"
    )]
    [InlineData(
        Header + "2023-11-16 18:15:46,1e3,44\n",
        "line 2: column ContextTokens: must be a whole number from 0 to 10000000, not '1e3'"
    )]
    [InlineData(
        Header + "2023-11-16 18:15:46,1,\n",
        "line 2: column GeneratedTokens: must be a whole number from 0 to 10000000, not ''"
    )]
    [InlineData(
        Header + "2023-11-16 18:15:46,1,10000001\n",
        "line 2: column GeneratedTokens: must be a whole number from 0 to 10000000, not '10000001'"
    )]
    [InlineData(
        Header + "2023-11-16 18:15:46,1,\u0007\u001b[1m\n",
        "line 2: column GeneratedTokens: must be a whole number from 0 to 10000000, not '??[1m'"
    )]
    [InlineData(
        "window_start_s,rate_rps\n0,much\n",
        "line 2: column rate_rps: must be a number from 0 to 1000000, not 'much'"
    )]
    [InlineData(
        "{\"timestamp\": 0, \"input_length\": 1, \"output_length\": 1}\nnonsense\n",
        "line 2: must be an object in JSON, not 'nonsense'"
    )]
    [InlineData("{\"timestamp\": 0, \"input_length\": 1}\n", "line 1: column output_length: is missing")]
    [InlineData(
        "{\"timestamp\": \"now\", \"input_length\": 1, \"output_length\": 1}\n",
        "line 1: column timestamp: must be a number of milliseconds, not '\"now\"'"
    )]
    public void A_fault_names_its_line_and_column(string text, string fault) =>
        Assert.Equal("trace.csv, " + fault, Assert.Throws<TraceFormatException>(() => Read(text)).Message);

    [Theory]
    [InlineData(
        "{ \"backend\": \"vllm\" }",
        "trace.csv: has no start_times: vllm bench serve writes start_times, input_lens and output_lens with --save-result --save-detailed"
    )]
    [InlineData(
        "{ \"start_times\": [1, 2], \"input_lens\": [1], \"output_lens\": [1, 2] }",
        "trace.csv: start_times has 2 values, input_lens 1 and output_lens 2: they must be as many"
    )]
    [InlineData(
        "{ \"start_times\": [1, null] }",
        "trace.csv: start_times[1] must be a number from 0 to 100000000000, not 'null'"
    )]
    [InlineData(
        "{ nonsense",
        "trace.csv, line 1: is neither a request in JSON (Mooncake) nor the beginning of a result of vLLM's benchmark, but '{ nonsense'"
    )]
    public void A_fault_of_a_result_names_the_list(string text, string fault) =>
        Assert.Equal(fault, Assert.Throws<TraceFormatException>(() => Read(text)).Message);

    [Fact]
    public void A_column_that_is_not_there_is_said_with_the_header() =>
        Assert.Equal(
            "trace.csv, line 1: there is no column 'Modell'; the header is 'TIMESTAMP,ContextTokens,GeneratedTokens'",
            Assert.Throws<TraceFormatException>(() => Read(Header + "2023-11-16 18:15:46,1,1\n", "Modell")).Message
        );

    [Fact]
    public void A_file_without_line_ends_is_given_up_early()
    {
        using var endless = new StringReader(Header + new string('7', 100_000));

        var fault = Assert.Throws<TraceFormatException>(() => new TraceReader(endless, "trace.csv").Read());

        Assert.Equal("trace.csv, line 2: is longer than 1000 characters", fault.Message);
        Assert.True(endless.ReadToEnd().Length > 98_000);
    }

    [Fact]
    public void A_fault_shows_only_the_beginning_of_a_long_field() =>
        Assert.EndsWith(
            $"not '{new string('x', 40)}…'",
            Assert.Throws<TraceFormatException>(() => Read(Header + $"{new string('x', 500)},1,2\n")).Message
        );

    private static RequestTrace Read(string text, string? typeColumn = null, int seed = TraceReader.DefaultSeed)
    {
        using var reader = new StringReader(text);
        return new TraceReader(reader, "trace.csv", typeColumn, seed).Read();
    }
}
