using Platform.Solver.Allocation;

namespace Platform.Solver.Tests.Allocation;

public sealed class JobProgressTests
{
    [Fact]
    public void A_long_job_tells_a_line_now_and_then_and_a_short_one_nothing()
    {
        var (clock, error) = (new StoppedClock(), new StringWriter());
        var progress = new JobProgress(error, isTerminal: false, clock) { Items = 2 };
        progress.Advance(0.5);
        Assert.Empty(error.ToString());
        clock.Seconds = 5;
        progress.Advance(0.1);
        progress.Advance(0.1);
        clock.Seconds = 10;
        progress.Advance(0.3);
        progress.End();
        Assert.Equal(
            ["30 % done", "50 % done"],
            error.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries)
        );
    }

    [Fact]
    public void A_terminal_has_a_bar_that_is_gone_in_the_end()
    {
        var (clock, error) = (new StoppedClock(), new StringWriter());
        var progress = new JobProgress(error, isTerminal: true, clock);
        clock.Seconds = 1;
        progress.Advance(0.5);
        progress.End();
        Assert.Equal($"\r[{new string('#', 20)}{new string(' ', 20)}] 50 %\r\e[K", error.ToString());
    }

    private sealed class StoppedClock : TimeProvider
    {
        public double Seconds { get; set; }

        public override long TimestampFrequency => 1_000;

        public override long GetTimestamp() => (long)(Seconds * 1_000);
    }
}
