using Platform.Cli.Collection.Scraping;
using Platform.Client;
using Platform.Domain.Contracts;

namespace Platform.Cli.Tests.Collection.Scraping;

public sealed class ScrapeRoundsTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
    private static readonly PageAnswer Away = PageAnswer.Failed("Connection refused");

    private readonly ScrapedWindows _windows = new("chat", "math");
    private readonly List<string> _news = [];
    private ScrapeRounds _rounds;

    public ScrapeRoundsTests() => _rounds = RoundsOf(1);

    [Fact]
    public void A_window_tells_arrivals_and_times_from_arrival_to_end()
    {
        Add(
            0,
            new ServerPage
            {
                Finished = 100,
                SystemSeconds = 900,
                Running = 6,
                Waiting = 2,
            }
        );
        Add(
            5,
            new ServerPage
            {
                Finished = 104,
                SystemSeconds = 930.5,
                Running = 7,
                Waiting = 1,
            }
        );
        Add(
            10,
            new ServerPage
            {
                Finished = 107,
                SystemSeconds = 961.25,
                Running = 8,
                Waiting = 3,
            }
        );
        var window = Assert.Single(_windows.TakeAll());
        Assert.Equal("chat", window.Fleet);
        Assert.Equal(Start, window.WindowStart);
        Assert.Equal(Start.AddSeconds(10), window.WindowEnd);
        var math = Assert.Single(window.Tasks);
        Assert.Equal("math", math.TaskType);
        Assert.Equal(10, math.Arrivals);
        Assert.Equal(new SystemSums { Completions = 7, Millis = 61_250 }, math.System);
        Assert.Null(math.Service);
        Assert.Null(math.Accuracy);
    }

    [Fact]
    public void The_platform_takes_each_window()
    {
        Add(0, new ServerPage { Finished = 100, SystemSeconds = 900 });
        Add(
            10,
            new ServerPage
            {
                Finished = 107,
                SystemSeconds = 961.25,
                Running = 8,
            }
        );
        var message = WindowMessage.Of(Assert.Single(_windows.TakeAll()), Guid.Empty);
        WorkloadWindowReader.TryRead(message.Body.Span, Start.AddSeconds(11), out var read, out var errors);
        Assert.Empty(errors);
        Assert.Equal(15, Assert.Single(read!.Tasks).Arrivals);
    }

    [Fact]
    public void Windows_follow_each_other_and_one_in_which_nothing_happened_counts_too()
    {
        Add(0, new ServerPage());
        Assert.Empty(_windows.TakeAll());
        Add(5, new ServerPage { Finished = 2 });
        var first = Assert.Single(_windows.TakeAll());
        Assert.Empty(_windows.TakeAll());
        Add(10, new ServerPage { Finished = 2 });
        var second = Assert.Single(_windows.TakeAll());
        Assert.Equal(first.WindowEnd, second.WindowStart);
        Assert.Equal(Start.AddSeconds(10), second.WindowEnd);
        Assert.Empty(second.Tasks);
    }

    [Fact]
    public void All_replicas_are_one_fleet()
    {
        _rounds = RoundsOf(2);
        var busy = new ServerPage { Finished = 500, Running = 4 };
        Add(0, new ServerPage { Finished = 10, Running = 2 }.Answer, busy.Answer);
        Add(10, new ServerPage { Finished = 13, Running = 4 }.Answer, (busy with { Finished = 504 }).Answer);
        Assert.Equal(9, Assert.Single(Assert.Single(_windows.TakeAll()).Tasks).Arrivals);
        Assert.Equal(7, _rounds.ReportStanding().Sums.MeanRunning);
    }

    /// <summary>What one page did not tell is in no window, though the other told its part of that time.</summary>
    [Fact]
    public void Time_that_a_page_missed_is_covered_by_no_window()
    {
        _rounds = RoundsOf(2);
        Add(0, new ServerPage().Answer, new ServerPage().Answer);
        Add(5, new ServerPage { Finished = 1 }.Answer, new ServerPage { Finished = 1 }.Answer);
        Add(10, new ServerPage { Finished = 2 }.Answer, Away);
        Add(15, new ServerPage { Finished = 3 }.Answer, new ServerPage { Finished = 3 }.Answer);
        Add(20, new ServerPage { Finished = 4 }.Answer, new ServerPage { Finished = 4 }.Answer);
        var windows = _windows.TakeAll();
        Assert.Equal([Start, Start.AddSeconds(15)], windows.Select(window => window.WindowStart));
        Assert.Equal([Start.AddSeconds(5), Start.AddSeconds(20)], windows.Select(window => window.WindowEnd));
        Assert.Equal([2L, 2L], windows.Select(window => Assert.Single(window.Tasks).Arrivals));
        Assert.Equal(2, _rounds.ReportStanding().IntervalsLeftOut);
    }

    [Fact]
    public void A_page_that_stays_away_is_a_replica_that_has_gone()
    {
        _rounds = RoundsOf(2);
        Add(0, new ServerPage().Answer, new ServerPage().Answer);
        Add(5, new ServerPage { Finished = 2 }.Answer, Away);
        Add(10, new ServerPage { Finished = 5 }.Answer, Away);
        Add(15, new ServerPage { Finished = 9 }.Answer, Away);
        var window = Assert.Single(_windows.TakeAll());
        Assert.Equal(Start.AddSeconds(5), window.WindowStart);
        Assert.Equal(7, Assert.Single(window.Tasks).Arrivals);
        Assert.Equal(1, _rounds.ReportStanding().Answering);
    }

    [Fact]
    public void A_replica_that_comes_counts_from_its_first_scrape()
    {
        _rounds = RoundsOf(2);
        Add(0, new ServerPage().Answer, Away);
        Add(5, new ServerPage { Finished = 2 }.Answer, Away);
        var busy = new ServerPage { Finished = 10_000, Running = 50 };
        Add(10, new ServerPage { Finished = 3 }.Answer, busy.Answer);
        Add(15, new ServerPage { Finished = 4 }.Answer, (busy with { Finished = 10_006, Running = 51 }).Answer);
        var windows = _windows.TakeAll();
        Assert.Equal([2L, 8L], windows.Select(window => Assert.Single(window.Tasks).Arrivals));
        Assert.Equal(Start.AddSeconds(10), windows[1].WindowStart);
    }

    [Fact]
    public void While_no_page_answers_nothing_is_told()
    {
        Add(0, Away);
        Add(5, Away);
        Add(10, new ServerPage { Finished = 70 });
        Assert.Empty(_windows.TakeAll());
        Add(15, new ServerPage { Finished = 71 });
        Assert.Equal(1, Assert.Single(Assert.Single(_windows.TakeAll()).Tasks).Arrivals);
    }

    [Fact]
    public void A_restart_counts_from_0_in_time_that_is_covered()
    {
        Add(0, new ServerPage { Finished = 100, Running = 9 });
        Add(5, new ServerPage { Finished = 4, Running = 1 });
        Assert.Equal(5, Assert.Single(Assert.Single(_windows.TakeAll()).Tasks).Arrivals);
        const string Said = "platform: http://server-0/metrics: the server has restarted; its counters count from 0";
        Assert.Contains(Said, _news);
    }

    /// <summary>SGLang shows numbers in service that are some seconds old, beside ends that are not.</summary>
    [Fact]
    public void Arrivals_below_0_are_taken_from_the_next_window()
    {
        Add(0, new ServerPage { Finished = 10, Running = 8 });
        Add(5, new ServerPage { Finished = 10, Running = 5 });
        Assert.Empty(Assert.Single(_windows.TakeAll()).Tasks);
        Add(10, new ServerPage { Finished = 15, Running = 5 });
        Assert.Equal(2, Assert.Single(Assert.Single(_windows.TakeAll()).Tasks).Arrivals);
    }

    [Fact]
    public void After_a_gap_nothing_is_owed()
    {
        Add(0, new ServerPage { Finished = 10, Running = 8 });
        Add(5, new ServerPage { Finished = 10, Running = 0 });
        Add(10, Away);
        Add(15, new ServerPage { Finished = 20, Running = 0 });
        Add(20, new ServerPage { Finished = 23, Running = 0 });
        Assert.Equal(3, Assert.Single(_windows.TakeAll()[^1].Tasks).Arrivals);
    }

    [Fact]
    public void A_clock_that_is_set_back_makes_no_window()
    {
        Add(10, new ServerPage { Finished = 1 });
        Add(5, new ServerPage { Finished = 2 });
        Assert.Empty(_windows.TakeAll());
        Add(10, new ServerPage { Finished = 4 });
        Assert.Equal(2, Assert.Single(Assert.Single(_windows.TakeAll()).Tasks).Arrivals);
    }

    [Fact]
    public void No_window_is_longer_than_a_day()
    {
        Add(0, new ServerPage());
        for (var hour = 1; hour <= 30; hour++)
            Add(3_600 * hour, new ServerPage { Finished = hour });
        var windows = _windows.TakeAll();
        var lengths = windows.Select(window => window.WindowEnd - window.WindowStart);
        Assert.Equal([TimeSpan.FromDays(1), TimeSpan.FromHours(6)], lengths);
        Assert.Equal([24L, 6L], windows.Select(window => Assert.Single(window.Tasks).Arrivals));
        Add(3_600 * 60, new ServerPage { Finished = 60 });
        Assert.Empty(_windows.TakeAll());
    }

    [Fact]
    public void Each_fault_is_said_once_however_long_it_lasts()
    {
        Add(0, Away);
        Add(5, Away);
        Add(10, PageAnswer.Failed("it answered 503"));
        Add(15, new ServerPage());
        Add(20, Away);
        Assert.Equal(3, _news.Count(line => line.Contains("tells nothing", StringComparison.Ordinal)));
        Assert.Contains(
            "platform: http://server-0/metrics tells nothing: it answered 503; "
                + "the time until it answers again is not covered",
            _news
        );
        Assert.Contains("platform: http://server-0/metrics answers: vLLM; what it serves counts from now on", _news);
    }

    [Fact]
    public void What_a_version_lacks_is_said_once_with_what_is_not_told_therefore()
    {
        _rounds = RoundsOf(2);
        var old = PageAnswer.Of(RecordedPage.Read("vllm-0.6.3.txt"));
        Add(0, old, old);
        Add(5, old, old);
        Assert.Equal(
            [
                "platform: http://server-0/metrics has no vllm:request_queue_time_seconds: waits are not told",
                "platform: http://server-0/metrics has no vllm:request_inference_time_seconds: "
                    + "times in service are those in the system less the waits",
            ],
            _news.Where(line => line.Contains("has no", StringComparison.Ordinal))
        );
    }

    /// <summary>
    /// Each 5 s ten queries get their first token, and two of them are gone without an end. Eight were in service at
    /// the start, and eight are now: so many are not told from those that were cut off.
    /// </summary>
    [Fact]
    public void Queries_whose_clients_went_away_have_arrived()
    {
        for (var round = 0; round <= 100; round++)
            Add(
                5 * round,
                new ServerPage
                {
                    Finished = 8 * round,
                    FirstTokens = 10 * round,
                    Running = 8,
                }
            );
        Assert.Equal((8 * 100) + (2 * 100) - 8, Assert.Single(Assert.Single(_windows.TakeAll()).Tasks).Arrivals);
        var line = _rounds.ReportStanding().Line();
        Assert.Contains("and 800 ended, at least 192 were cut off", line, StringComparison.Ordinal);
    }

    /// <summary>
    /// Numbers in the system go up and down, queries that wait have no first token, and those that were put back get a
    /// second one in old versions.
    /// </summary>
    [Fact]
    public void Where_no_client_goes_away_none_is_cut_off()
    {
        Add(
            0,
            new ServerPage
            {
                Finished = 50,
                FirstTokens = 60,
                Running = 12,
                Waiting = 30,
                Preemptions = 4,
            }
        );
        Add(
            5,
            new ServerPage
            {
                Finished = 70,
                FirstTokens = 100,
                Running = 30,
                Waiting = 0,
                Preemptions = 4,
            }
        );
        Add(
            10,
            new ServerPage
            {
                Finished = 72,
                FirstTokens = 100,
                Running = 20,
                Waiting = 9,
                Preemptions = 12,
            }
        );
        Add(
            15,
            new ServerPage
            {
                Finished = 100,
                FirstTokens = 110,
                Running = 1,
                Waiting = 0,
                Preemptions = 12,
            }
        );
        Add(
            20,
            new ServerPage
            {
                Finished = 109,
                FirstTokens = 117,
                Running = 0,
                Waiting = 0,
                Preemptions = 12,
            }
        );
        Assert.Equal(0, _rounds.ReportStanding().Sums.CutOff);
        Assert.Equal(109 - 50 - 42, Assert.Single(Assert.Single(_windows.TakeAll()).Tasks).Arrivals);
    }

    [Fact]
    public void What_was_found_before_a_restart_is_not_found_again()
    {
        Add(0, new ServerPage());
        Add(5, new ServerPage { Finished = 10, FirstTokens = 30 });
        Add(10, new ServerPage { Finished = 1, FirstTokens = 4 });
        Add(15, new ServerPage { Finished = 3, FirstTokens = 6 });
        Assert.Equal(20 + 3, _rounds.ReportStanding().Sums.CutOff);
    }

    /// <summary>4 for half of 10 s, 8 for half of 10 s and of 2 s, 10 for half of 2 s.</summary>
    [Fact]
    public void Those_in_service_count_in_the_mean_by_the_time_between_scrapes()
    {
        Assert.Null(_rounds.ReportStanding().Sums.MeanRunning);
        Add(0, new ServerPage { Running = 4 });
        Add(10, new ServerPage { Running = 8 });
        Add(12, new ServerPage { Running = 10 });
        Assert.Equal(78.0 / 12, _rounds.ReportStanding().Sums.MeanRunning!.Value, 9);
        Add(14, new ServerPage { Running = 10 });
        Assert.Equal(10, _rounds.ReportStanding().Sums.MeanRunning);
    }

    [Fact]
    public void A_line_says_how_it_stands()
    {
        _rounds = RoundsOf(2);
        Add(0, PageAnswer.Of(RecordedPage.Read("vllm-0.10.2.txt")), Away);
        Add(10, PageAnswer.Of(RecordedPage.Read("vllm-0.10.2-later.txt")), Away);
        Assert.Equal(
            "platform: 1 of 2 pages answer; in 10 s 14 queries arrived and 12 ended; in service 9 in the mean, 9 now; "
                + "3 wait; a query: 800 tokens, 300 of the prompt, 18.063 s, 17.417 s of it in service, 0.625 s waiting, "
                + "0.3 s to the first token, 22 ms a token",
            _rounds.ReportStanding().Line()
        );
        Assert.Equal("platform: 1 of 2 pages answer", _rounds.ReportStanding().Line());
    }

    private ScrapeRounds RoundsOf(int replicas) =>
        new([.. Enumerable.Range(0, replicas).Select(i => new Uri($"http://server-{i}/metrics"))], _windows, _news.Add);

    private void Add(double second, ServerPage page) => Add(second, page.Answer);

    private void Add(double second, params PageAnswer[] answers) => _rounds.Add(Start.AddSeconds(second), answers);
}
