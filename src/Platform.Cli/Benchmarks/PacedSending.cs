using System.Diagnostics;

namespace Platform.Cli.Benchmarks;

/// <summary>Sends at an even pace, with many messages in flight.</summary>
internal static class PacedSending
{
    /// <summary>Messages whose confirm is awaited, at most: beyond, a broker confirms hardly any faster.</summary>
    public const int InFlight = 256;

    // Timers are no finer than this; what is due within it goes out at once.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(15);

    /// <summary>Sends all; ends when all are confirmed, or with the first failure.</summary>
    /// <param name="count">Number of sendings.</param>
    /// <param name="duration">How long it should take; zero is as fast as it goes.</param>
    /// <param name="send">Starts the sending of an index and ends with its confirm.</param>
    /// <param name="cancel">Stops.</param>
    public static async Task RunAsync(
        int count,
        TimeSpan duration,
        Func<int, CancellationToken, Task> send,
        CancellationToken cancel
    )
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var free = new SemaphoreSlim(InFlight);
        var watch = Stopwatch.StartNew();
        var sendings = new List<Task>(count);
        try
        {
            for (var i = 0; i < count; i++)
            {
                var ahead = (duration * ((double)i / count)) - watch.Elapsed;
                if (ahead > Tick)
                    await Task.Delay(ahead, stop.Token);
                await free.WaitAsync(stop.Token);
                sendings.Add(SendAsync(i));
            }
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            // A sending has failed: awaiting them all below says how.
        }

        await Task.WhenAll(sendings);

        async Task SendAsync(int index)
        {
            try
            {
                await send(index, stop.Token);
                free.Release();
            }
            catch
            {
                await stop.CancelAsync();
                throw;
            }
        }
    }
}
