using System.Diagnostics;
using Platform.Cli.Benchmarks;

namespace Platform.Cli.Tests.Benchmarks;

public sealed class PacedSendingTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Everything_is_sent_once_in_order_and_confirmed_before_the_end()
    {
        var (sent, confirmed) = (new List<int>(), 0);
        await PacedSending.RunAsync(
            1_000,
            TimeSpan.Zero,
            async (i, _) =>
            {
                sent.Add(i);
                await Task.Yield();
                Interlocked.Increment(ref confirmed);
            },
            Cancel
        );

        Assert.Equal(Enumerable.Range(0, 1_000), sent);
        Assert.Equal(1_000, confirmed);
    }

    [Fact]
    public async Task Sending_takes_as_long_as_it_was_given()
    {
        var watch = Stopwatch.StartNew();
        await PacedSending.RunAsync(50, TimeSpan.FromSeconds(0.5), (_, _) => Task.CompletedTask, Cancel);

        Assert.True(watch.Elapsed > TimeSpan.FromSeconds(0.4), $"took {watch.Elapsed}");
    }

    [Fact]
    public async Task No_more_than_the_limit_is_in_flight()
    {
        var (release, started) = (new TaskCompletionSource(), 0);
        var sending = PacedSending.RunAsync(
            2 * PacedSending.InFlight,
            TimeSpan.Zero,
            (_, _) =>
            {
                started++;
                return release.Task;
            },
            Cancel
        );

        Assert.Equal(PacedSending.InFlight, started);
        release.SetResult();
        await sending;
        Assert.Equal(2 * PacedSending.InFlight, started);
    }

    [Fact]
    public async Task The_first_failure_ends_it()
    {
        var sent = 0;
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            PacedSending.RunAsync(
                10_000,
                TimeSpan.FromMinutes(10),
                (i, _) =>
                {
                    sent++;
                    return i == 3 ? Task.FromException(new InvalidOperationException()) : Task.CompletedTask;
                },
                Cancel
            )
        );

        Assert.Equal(4, sent);
    }
}
