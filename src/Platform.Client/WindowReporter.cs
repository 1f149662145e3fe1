namespace Platform.Client;

/// <summary>
/// Takes a window from a builder each period and sends it. What cannot be sent waits, and is sent again under the message id that it had; when
/// too many wait, the oldest are given up.
/// </summary>
public sealed class WindowReporter : IAsyncDisposable
{
    /// <summary>Windows that wait, at most: hours at the usual periods.</summary>
    private const int MostWaiting = 2_000;

    /// <summary>How long the end of a reporter waits for the last window to be taken.</summary>
    private static readonly TimeSpan PatienceAtTheEnd = TimeSpan.FromSeconds(5);

    private readonly Queue<WindowMessage> _waiting = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly WindowBuilder _builder;
    private readonly IWindowSink _publisher;
    private readonly Task _running;

    /// <summary>Begins to report.</summary>
    /// <param name="builder">Where the windows come from.</param>
    /// <param name="publisher">What sends them; used by this reporter alone.</param>
    /// <param name="period">Length of a window, a second to a day.</param>
    /// <param name="time">The clock.</param>
    public WindowReporter(WindowBuilder builder, IWindowSink publisher, TimeSpan period, TimeProvider time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(period, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(period, TimeSpan.FromDays(1));
        (_builder, _publisher) = (builder, publisher);
        _running = RunAsync(period, time);
    }

    /// <summary>Windows that were given up, because the broker was away for so long.</summary>
    public int GivenUp { get; private set; }

    /// <summary>Windows that wait to be sent.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>Why the last sending failed; null when it did not.</summary>
    public Exception? Fault { get; private set; }

    /// <summary>Sends the last window, and ends. What cannot be sent within 5 s is given up.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        Enqueue();
        using var patience = new CancellationTokenSource(PatienceAtTheEnd);
        await TrySendAsync(patience.Token);
        _stop.Dispose();
    }

    private async Task RunAsync(TimeSpan period, TimeProvider time)
    {
        using var timer = new PeriodicTimer(period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                Enqueue();
                await TrySendAsync(_stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private void Enqueue()
    {
        if (_builder.Take() is not { } window)
            return;
        _waiting.Enqueue(WindowMessage.Of(window, Guid.NewGuid()));
        for (; _waiting.Count > MostWaiting; GivenUp++)
            _waiting.Dequeue();
    }

    private async Task TrySendAsync(CancellationToken cancel)
    {
        try
        {
            for (; _waiting.TryPeek(out var message); _waiting.Dequeue())
                await _publisher.PublishAsync(message, cancel);
            Fault = null;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // It waits, if there is a next time.
        }
#pragma warning disable CA1031 // A gateway serves on, whatever is the matter with the broker.
        catch (Exception fault)
        {
            Fault = fault;
        }
#pragma warning restore CA1031
    }
}
