using Platform.Cli.Collection.Scraping;

namespace Platform.Cli.Tests.Collection.Scraping;

public sealed class PageReadingTests
{
    [Fact]
    public void Ten_seconds_of_vLLM_with_two_engines()
    {
        var later = RecordedPage.Read("vllm-0.10.2-later.txt");
        var change = later.Since(RecordedPage.Read("vllm-0.10.2.txt"));
        Assert.Equal("vLLM", later.Server);
        Assert.Equal(9, later.Running);
        Assert.Equal(3, later.Waiting);
        Assert.Empty(later.Untold);
        Assert.False(change.HasRestarted);

        // Twelve have ended, and two more are in the system.
        Assert.Equal(12, change.Totals[PageFigure.Finished]);
        Assert.Equal(14, change.Arrivals);
        Assert.Equal(9, change.MeanRunning);
        Assert.Equal(12, change.Totals[PageFigure.Ended]);
        Assert.Equal(216.75, change.Totals[PageFigure.SystemSeconds], 6);
        Assert.Equal(7.5, change.Totals[PageFigure.WaitSeconds], 6);
        Assert.Equal(209, change.Totals[PageFigure.ServiceSeconds], 6);
        Assert.Equal(9_600, change.Totals[PageFigure.GeneratedTokens]);
        Assert.Equal(3_600, change.Totals[PageFigure.PromptTokens]);
        Assert.Equal(12, change.Totals[PageFigure.FirstTokens]);
        Assert.Equal(0.3, change.Totals.Mean(PageFigure.FirstTokenSeconds, PageFigure.FirstTokens)!.Value, 6);
        Assert.Equal(0.022, change.Totals.Mean(PageFigure.TokenGapSeconds, PageFigure.TokenGaps)!.Value, 3);
    }

    [Fact]
    public void An_old_vLLM_tells_less_and_what_is_missing_has_a_meaning()
    {
        var page = RecordedPage.Read("vllm-0.6.3.txt");
        Assert.Equal(7, page.Running);
        Assert.Equal(3, page.Waiting);
        Assert.Equal(
            ["vllm:request_queue_time_seconds", "vllm:request_inference_time_seconds"],
            page.Untold.Select(series => series.Name)
        );
        Assert.Equal("waits are not told", page.Untold[0].WithoutIt);
        Assert.True(page.Tells(PageFigure.TokenGaps));
        Assert.False(page.Tells(PageFigure.Waited));
    }

    /// <summary>Two ranks tell the same queries: each of the two schedulers counts once.</summary>
    [Fact]
    public void Ten_seconds_of_SGLang_with_two_schedulers_of_two_ranks()
    {
        var later = RecordedPage.Read("sglang-0.5.9-later.txt");
        var change = later.Since(RecordedPage.Read("sglang-0.5.9.txt"));
        Assert.Equal("SGLang", later.Server);
        Assert.Equal(163, later.Running);
        Assert.Equal(16, later.Waiting);
        Assert.Empty(later.Untold);
        Assert.Equal(50, change.Arrivals);
        Assert.Equal(162.5, change.MeanRunning);
        Assert.Equal(925, change.Totals[PageFigure.SystemSeconds], 6);
        Assert.Equal(40_000, change.Totals[PageFigure.GeneratedTokens]);
        Assert.Equal(0.2, change.Totals.Mean(PageFigure.WaitSeconds, PageFigure.Waited)!.Value, 6);
        Assert.Equal(0.02, change.Totals.Mean(PageFigure.TokenGapSeconds, PageFigure.TokenGaps)!.Value, 6);
    }

    /// <summary>Newer names and older ones of the same thing.</summary>
    [Theory]
    [InlineData("vllm:inter_token_latency_seconds")]
    [InlineData("vllm:time_per_output_token_seconds")]
    public void The_time_a_token_is_read_by_either_name(string name)
    {
        var page = PageOf($"{new ServerPage().Text}{name}_sum 4\n{name}_count 200\n");
        Assert.True(page.Tells(PageFigure.TokenGaps));
        Assert.DoesNotContain(page.Untold, series => series.WithoutIt == "times a token are not told");
    }

    /// <summary>While a version goes and the next comes, a page may have both; they are the same tokens.</summary>
    [Fact]
    public void Of_two_names_of_the_same_thing_one_counts()
    {
        const string Both = """
            vllm:inter_token_latency_seconds_sum 4
            vllm:inter_token_latency_seconds_count 200
            vllm:time_per_output_token_seconds_sum 4
            vllm:time_per_output_token_seconds_count 200
            """;
        var before = PageOf(new ServerPage().Text + Both.Replace("200", "100", StringComparison.Ordinal));
        var change = PageOf(new ServerPage().Text + Both).Since(before);
        Assert.Equal(100, change.Totals[PageFigure.TokenGaps]);
    }

    [Fact]
    public void Without_a_number_of_ends_the_times_count_them()
    {
        const string Before = "sglang:e2e_request_latency_seconds_sum 10\nsglang:e2e_request_latency_seconds_count 4\n";
        const string After = "sglang:e2e_request_latency_seconds_sum 22\nsglang:e2e_request_latency_seconds_count 7\n";
        var change = PageOf(After).Since(PageOf(Before));
        Assert.Equal(3, change.Totals[PageFigure.Finished]);
        Assert.Null(change.MeanRunning);
    }

    [Theory]
    [InlineData("up 1")]
    [InlineData("vllm:num_requests_running 1")]
    [InlineData("vllm:request_success_total NaN")]
    [InlineData("trtllm:request_success_total 4")]
    [InlineData("")]
    public void A_page_that_tells_no_ends_of_queries_is_none_of_a_server(string text)
    {
        var fault = Assert.Throws<FormatException>(() => PageOf(text));
        Assert.Equal("a metrics page on which vLLM or SGLang tells no queries that ended", fault.Message);
    }

    [Fact]
    public void A_number_that_is_none_is_not_told()
    {
        var page = PageOf($"{new ServerPage { Running = null }.Text}vllm:num_requests_running NaN\n");
        Assert.Null(page.Running);
        Assert.Contains(page.Untold, series => series.Name == "vllm:num_requests_running");
    }

    [Fact]
    public void A_counter_that_went_down_is_a_restart_and_all_counts_from_0()
    {
        var before = PageOf(
            new ServerPage
            {
                Finished = 100,
                SystemSeconds = 900,
                Running = 6,
                Waiting = 2,
            }.Text
        );
        var after = PageOf(
            new ServerPage
            {
                Finished = 3,
                SystemSeconds = 20,
                Running = 4,
                Waiting = 1,
            }.Text
        );
        var change = after.Since(before);
        Assert.True(change.HasRestarted);
        Assert.Equal(3, change.Totals[PageFigure.Finished]);
        Assert.Equal(20, change.Totals[PageFigure.SystemSeconds]);

        // What was in the system when it stopped never ends: what is there now has come since.
        Assert.Equal(8, change.Arrivals);
        Assert.Equal(2, change.MeanRunning);
    }

    /// <summary>Three of one reason before, then seven of another: their sum alone would show no restart.</summary>
    [Fact]
    public void A_series_that_is_forgotten_is_a_restart()
    {
        var before = PageOf("vllm:request_success_total{finished_reason=\"length\"} 3\n");
        var after = PageOf("vllm:request_success_total{finished_reason=\"stop\"} 7\n");
        var change = after.Since(before);
        Assert.True(change.HasRestarted);
        Assert.Equal(7, change.Arrivals);
    }

    [Fact]
    public void A_series_that_is_new_counts_from_0_and_is_no_restart()
    {
        var before = PageOf("vllm:request_success_total{finished_reason=\"stop\"} 3\n");
        const string After = """
            vllm:request_success_total{finished_reason="stop"} 4
            vllm:request_success_total{finished_reason="length"} 2
            """;
        var after = PageOf(After);
        var change = after.Since(before);
        Assert.False(change.HasRestarted);
        Assert.Equal(3, change.Arrivals);
    }

    /// <summary>A busy server may have counted more since its restart than before.</summary>
    [Fact]
    public void Another_start_of_the_process_is_a_restart_whatever_the_counters_say()
    {
        var before = PageOf(new ServerPage { Finished = 5, Started = 1_000 }.Text);
        var change = PageOf(new ServerPage { Finished = 9, Started = 2_000 }.Text).Since(before);
        Assert.True(change.HasRestarted);
        Assert.Equal(9, change.Arrivals);
        Assert.False(PageOf(new ServerPage { Finished = 9, Started = 1_000 }.Text).Since(before).HasRestarted);
    }

    [Fact]
    public void A_sum_of_times_that_went_down_a_little_is_no_restart()
    {
        var before = PageOf(new ServerPage { Finished = 5, SystemSeconds = 10 }.Text);
        var change = PageOf(new ServerPage { Finished = 6, SystemSeconds = 9.99 }.Text).Since(before);
        Assert.False(change.HasRestarted);
        Assert.Equal(1, change.Arrivals);
    }

    private static PageReading PageOf(string text) => PageReading.Of(MetricsPage.Parse(text));
}
