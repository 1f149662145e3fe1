namespace Platform.Client;

/// <summary>
/// Takes the windows from their source each period and sends them. What cannot be sent waits, and is sent again under
/// the message id that it had; when too many wait, the oldest are given up. A window that the platform refuses is set
/// aside, and the next is sent.
/// </summary>
public sealed class WindowReporter : IAsyncDisposable
{
    /// <summary>Windows that wait, at most: hours at the usual periods.</summary>
    private const int MostWaiting = 2_000;

    /// <summary>How long the end of a reporter waits for the last window to be taken.</summary>
    private static readonly TimeSpan PatienceAtTheEnd = TimeSpan.FromSeconds(5);

    private readonly Queue<WindowMessage> _waiting = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly IWindowSource _source;
    private readonly IWindowSink _publisher;
    private readonly Action<RefusedWindow>? _refused;
    private readonly Task _running;

    /// <summary>Begins to report.</summary>
    /// <param name="source">Where the windows come from, such as a <see cref="WindowBuilder"/>.</param>
    /// <param name="publisher">What sends them; used by this reporter alone.</param>
    /// <param name="period">Length of a window, a second to a day.</param>
    /// <param name="time">The clock.</param>
    /// <param name="refused">Is given each window that was refused and set aside; nobody if left out.</param>
    public WindowReporter(
        IWindowSource source,
        IWindowSink publisher,
        TimeSpan period,
        TimeProvider time,
        Action<RefusedWindow>? refused = null
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(period, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(period, TimeSpan.FromDays(1));
        _source = source;
        _publisher = publisher;
        _refused = refused;
        _running = RunAsync(period, time);
    }

    /// <summary>Windows that were sent.</summary>
    public int Sent { get; private set; }

    /// <summary>Windows that were given up, because the platform was away for so long.</summary>
    public int GivenUp { get; private set; }

    /// <summary>Windows that the platform has refused. Each was set aside, and the next was sent.</summary>
    public int Refused { get; private set; }

    /// <summary>The window that was refused last; null when none was.</summary>
    public RefusedWindow? LastRefused { get; private set; }

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
        GiveUpUntil(0);
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
        foreach (var window in _source.TakeAll())
        foreach (var message in WindowMessage.AllOf(window))
            _waiting.Enqueue(message);
        GiveUpUntil(MostWaiting);
    }

    private void GiveUpUntil(int left)
    {
        while (_waiting.Count > left)
        {
            var message = _waiting.Dequeue();
            GivenUp++;
            ClientEvents.Log.WindowGivenUp(message.Fleet, message.MessageId.ToString());
        }
    }

    private async Task TrySendAsync(CancellationToken cancel)
    {
        try
        {
            for (; _waiting.TryPeek(out var message); _waiting.Dequeue())
                await SendAsync(message, cancel);
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

    private async Task SendAsync(WindowMessage message, CancellationToken cancel)
    {
        try
        {
            await _publisher.PublishAsync(message, cancel);
            Sent++;
        }
        catch (WindowRefusedException refusal) when (refusal.IsOfWindow)
        {
            SetAside(new RefusedWindow(message, refusal));
        }
    }

    private void SetAside(RefusedWindow window)
    {
        Refused++;
        LastRefused = window;
        ClientEvents.Log.WindowRefused(
            window.Message.Fleet,
            window.Message.MessageId.ToString(),
            window.Reason.Message
        );
        try
        {
            _refused?.Invoke(window);
        }
#pragma warning disable CA1031 // Whatever whoever is told makes of it, the next window is sent.
        catch (Exception)
        {
            // It is counted and told as an event.
        }
#pragma warning restore CA1031
    }
}
