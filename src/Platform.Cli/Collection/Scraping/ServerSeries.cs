namespace Platform.Cli.Collection.Scraping;

/// <summary>Which series of a server's page tells what. Names differ by server and version.</summary>
internal sealed record ServerSeries
{
    /// <summary>vLLM 0.4 and later, with the engines V0 and V1.</summary>
    public static readonly ServerSeries Vllm = new()
    {
        Server = "vLLM",
        Running = new GaugeSeries(["vllm:num_requests_running"], "how many queries are in service is not told"),
        Waiting = new GaugeSeries(["vllm:num_requests_waiting"], "a query counts as arrived when it is first run"),
        AlsoWaiting = ["vllm:num_requests_swapped"],
        CountsWhatIsCutOff = false,
        Counters =
        [
            CounterSeries.Total(
                PageFigure.Finished,
                "ends are counted by the times from arrival to end",
                "vllm:request_success_total"
            ),
            CounterSeries.Histogram(
                PageFigure.SystemSeconds,
                PageFigure.Ended,
                "times from arrival to end are not told",
                "vllm:e2e_request_latency_seconds"
            ),
            CounterSeries.Histogram(
                PageFigure.WaitSeconds,
                PageFigure.Waited,
                "waits are not told",
                "vllm:request_queue_time_seconds"
            ),
            CounterSeries.Histogram(
                PageFigure.ServiceSeconds,
                PageFigure.Served,
                "times in service are those in the system less the waits",
                "vllm:request_inference_time_seconds"
            ),
            CounterSeries.Total(PageFigure.Preemptions, withoutIt: null, "vllm:num_preemptions_total"),
            CounterSeries.Total(
                PageFigure.GeneratedTokens,
                "tokens are not told",
                "vllm:request_generation_tokens_sum",
                "vllm:generation_tokens_total"
            ),
            CounterSeries.Total(
                PageFigure.PromptTokens,
                "prompts' tokens are not told",
                "vllm:request_prompt_tokens_sum",
                "vllm:prompt_tokens_total"
            ),
            CounterSeries.Histogram(
                PageFigure.FirstTokenSeconds,
                PageFigure.FirstTokens,
                "times to the first token are not told",
                "vllm:time_to_first_token_seconds"
            ),
            CounterSeries.Histogram(
                PageFigure.TokenGapSeconds,
                PageFigure.TokenGaps,
                "times a token are not told",
                "vllm:inter_token_latency_seconds",
                "vllm:time_per_output_token_seconds"
            ),
        ],
    };

    /// <summary>SGLang 0.4 and later, started with <c>--enable-metrics</c>.</summary>
    public static readonly ServerSeries SgLang = new()
    {
        Server = "SGLang",
        Running = new GaugeSeries(["sglang:num_running_reqs"], "how many queries are in service is not told"),
        Waiting = new GaugeSeries(["sglang:num_queue_reqs"], "a query counts as arrived when it is first run"),
        AlsoWaiting = ["sglang:num_grammar_queue_reqs"],
        CountsWhatIsCutOff = true,
        Counters =
        [
            CounterSeries.Total(
                PageFigure.Finished,
                "ends are counted by the times from arrival to end",
                "sglang:num_requests_total"
            ),
            CounterSeries.Histogram(
                PageFigure.SystemSeconds,
                PageFigure.Ended,
                "times from arrival to end are not told",
                "sglang:e2e_request_latency_seconds"
            ),
            CounterSeries.Histogram(
                PageFigure.WaitSeconds,
                PageFigure.Waited,
                "neither waits nor times in service are told",
                "sglang:queue_time_seconds"
            ),
            CounterSeries.Total(PageFigure.GeneratedTokens, "tokens are not told", "sglang:generation_tokens_total"),
            CounterSeries.Total(PageFigure.PromptTokens, "prompts' tokens are not told", "sglang:prompt_tokens_total"),
            CounterSeries.Histogram(
                PageFigure.FirstTokenSeconds,
                PageFigure.FirstTokens,
                "times to the first token are not told",
                "sglang:time_to_first_token_seconds"
            ),
            CounterSeries.Histogram(
                PageFigure.TokenGapSeconds,
                PageFigure.TokenGaps,
                "times a token are not told",
                "sglang:inter_token_latency_seconds",
                "sglang:time_per_output_token_seconds"
            ),
        ],
    };

    /// <summary>The servers that are known.</summary>
    public static readonly IReadOnlyList<ServerSeries> Known = [Vllm, SgLang];

    /// <summary>The server's name, as its project writes it.</summary>
    public required string Server { get; init; }

    /// <summary>Queries in service.</summary>
    public required GaugeSeries Running { get; init; }

    /// <summary>Queries that wait.</summary>
    public required GaugeSeries Waiting { get; init; }

    /// <summary>Further queries that wait, in states that not every version has.</summary>
    public required IReadOnlyList<string> AlsoWaiting { get; init; }

    /// <summary>Whether a query that ran, and whose client went away, counts among those that ended.</summary>
    public required bool CountsWhatIsCutOff { get; init; }

    /// <summary>The running totals.</summary>
    public required IReadOnlyList<CounterSeries> Counters { get; init; }
}
