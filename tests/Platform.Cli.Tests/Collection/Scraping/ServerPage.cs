using System.Globalization;
using System.Text;
using Platform.Cli.Collection.Scraping;

namespace Platform.Cli.Tests.Collection.Scraping;

/// <summary>A small page of vLLM, as a test wants it.</summary>
internal sealed record ServerPage
{
    /// <summary>Queries that ended.</summary>
    public double Finished { get; init; }

    /// <summary>Their seconds from arrival to end.</summary>
    public double SystemSeconds { get; init; }

    /// <summary>Queries in service; null to leave the series out.</summary>
    public double? Running { get; init; } = 0;

    /// <summary>Queries that wait; null to leave the series out.</summary>
    public double? Waiting { get; init; } = 0;

    /// <summary>Queries with a first token; null to leave the series out.</summary>
    public double? FirstTokens { get; init; }

    /// <summary>Queries that were put back; null to leave the series out.</summary>
    public double? Preemptions { get; init; }

    /// <summary>When the process started; null to leave the series out.</summary>
    public double? Started { get; init; }

    public PageAnswer Answer => PageAnswer.Of(PageReading.Of(MetricsPage.Parse(Text)));

    public string Text
    {
        get
        {
            var text = new StringBuilder();
            Append(text, "vllm:request_success_total{finished_reason=\"stop\"}", Finished);
            Append(text, "vllm:e2e_request_latency_seconds_sum", SystemSeconds);
            Append(text, "vllm:e2e_request_latency_seconds_count", Finished);
            Append(text, "vllm:num_requests_running", Running);
            Append(text, "vllm:num_requests_waiting", Waiting);
            Append(text, "vllm:time_to_first_token_seconds_sum", FirstTokens);
            Append(text, "vllm:time_to_first_token_seconds_count", FirstTokens);
            Append(text, "vllm:num_preemptions_total", Preemptions);
            Append(text, "process_start_time_seconds", Started);
            return text.ToString();
        }
    }

    private static void Append(StringBuilder text, string sample, double? value)
    {
        if (value is not null)
            text.Append(CultureInfo.InvariantCulture, $"{sample} {value}\n");
    }
}
