using Platform.Cli.Hosting;
using Platform.Cli.Traces;
using Platform.Client;
using Spectre.Console;

namespace Platform.Cli.Replay;

/// <summary>What a replay is asked for.</summary>
/// <param name="File">The trace's file.</param>
/// <param name="Trace">What was read from it.</param>
/// <param name="Fleet">The fleet.</param>
/// <param name="TaskTypes">Which task type a request is of.</param>
/// <param name="Window">Length of a window.</param>
/// <param name="Speed">How many times as fast as it was the trace is played; null to send it at once.</param>
internal sealed record ReplayRequest(
    string File,
    RequestTrace Trace,
    string Fleet,
    ReplayTaskTypes TaskTypes,
    TimeSpan Window,
    int? Speed
);

/// <summary>
/// Sends a trace to a fleet as windows. Its times are moved so that it ends when the last of it is sent.
/// </summary>
/// <param name="request">What is asked for.</param>
/// <param name="access">Where the platform is.</param>
/// <param name="publisher">What sends the windows.</param>
/// <param name="time">The clock.</param>
/// <param name="console">Where a person reads.</param>
internal sealed class ReplayRun(
    ReplayRequest request,
    PlatformAccess access,
    IWindowSink publisher,
    TimeProvider time,
    IAnsiConsole console
)
{
    private readonly Dictionary<string, long> _taskTypes = new(StringComparer.Ordinal);
    private int _sent;
    private int _refused;
    private string? _refusal;

    /// <summary>Sends the trace.</summary>
    /// <exception cref="CommandFailure">The fleet is not there, or the platform takes nothing.</exception>
    public async Task<ReplayReport> RunAsync(CancellationToken cancel)
    {
        foreach (var taken in request.Trace.Requests.CountBy(request.TaskTypes.Of))
            _taskTypes[taken.Key] = taken.Value;
        await CheckFleetAsync(cancel);
        var windows = new ReplayWindows(request.Fleet, request.Trace, request.TaskTypes.Of, request.Window);
        var begun = WholeMillisecond(time.GetUtcNow());
        var playing = request.Speed is { } speed ? windows.Length / speed : TimeSpan.Zero;
        var from = begun + playing - windows.Length;
        Announce(windows, playing);
        await SendAsync(windows, from, begun, cancel);
        return Report(from, from + windows.Length);
    }

    private async Task CheckFleetAsync(CancellationToken cancel)
    {
        if (await FleetLookup.TaskTypesAsync(access, request.Fleet, cancel) is not { } known)
            return;
        string[] unknown = [.. _taskTypes.Keys.Except(known).Order(StringComparer.Ordinal)];
        if (unknown.Length > 0)
        {
            console.Say(
                $"platform: the fleet {request.Fleet} has no task types {string.Join(", ", unknown)}: "
                    + "their requests count as arrivals of other work"
            );
        }
    }

    private void Announce(ReplayWindows windows, TimeSpan playing)
    {
        var trace = request.Trace;
        console.Say(
            $"platform: {request.File} ({trace.Format}): {trace.Requests.Count} requests "
                + $"over {trace.Length.TotalSeconds:0} s, in {windows.Count} windows of {request.Window.TotalSeconds:0} s"
        );
        if (trace.Note is { } note)
            console.Say($"platform: {note}");
        if (request.Speed is { } speed)
        {
            console.Say(
                $"platform: played {speed} times as fast as it was, for {playing.TotalSeconds:0} s; "
                    + "its last request is taken to end then"
            );
        }
    }

    private Task SendAsync(
        ReplayWindows windows,
        DateTimeOffset from,
        DateTimeOffset begun,
        CancellationToken cancel
    ) =>
        console
            .Progress()
            .StartAsync(async context =>
            {
                var progress = context.AddTask("windows sent", maxValue: windows.Count);
                foreach (var window in windows.From(from))
                {
                    await UntilPlayedAsync(window.WindowEnd - from, begun, cancel);
                    foreach (var message in WindowMessage.AllOf(window))
                        await SendAsync(message, cancel);
                    progress.Value = (window.WindowEnd - from) / request.Window;
                }
            });

    /// <summary>Waits until the trace has been played so far.</summary>
    private async Task UntilPlayedAsync(TimeSpan played, DateTimeOffset begun, CancellationToken cancel)
    {
        if (request.Speed is not { } speed)
            return;
        var left = begun + (played / speed) - time.GetUtcNow();
        if (left > TimeSpan.Zero)
            await Task.Delay(left, time, cancel);
    }

    private async Task SendAsync(WindowMessage message, CancellationToken cancel)
    {
        try
        {
            await publisher.PublishAsync(message, cancel);
            _sent++;
        }
        catch (WindowRefusedException refusal) when (refusal.IsOfWindow)
        {
            _refused++;
            _refusal ??= refusal.Message;
        }
        catch (Exception fault) when (fault is WindowRefusedException or HttpRequestException)
        {
            throw new CommandFailure($"after {_sent} windows: {fault.Message}", CommandFailure.JobSaysNo);
        }
    }

    private ReplayReport Report(DateTimeOffset from, DateTimeOffset to) =>
        new()
        {
            Trace = request.File,
            Format = request.Trace.Format,
            Note = request.Trace.Note,
            Fleet = request.Fleet,
            Requests = request.Trace.Requests.Count,
            WithDurations = request.Trace.Requests.Count(it => it.Duration is not null),
            TaskTypes = _taskTypes,
            Windows = _sent,
            Refused = _refused,
            Refusal = _refusal,
            From = from,
            To = to,
        };

    private static DateTimeOffset WholeMillisecond(DateTimeOffset instant) =>
        DateTimeOffset.FromUnixTimeMilliseconds(instant.ToUnixTimeMilliseconds());
}
