using System.Collections.Concurrent;
using System.Diagnostics;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>Records the spans of some sources in this process, all of them.</summary>
public sealed class SpanRecorder : IDisposable
{
    private readonly ConcurrentQueue<Activity> _ended = [];
    private readonly ActivityListener _listener;

    public SpanRecorder(params string[] sources)
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => sources.Contains(source.Name),
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose() => _listener.Dispose();

    /// <summary>Waits for a span.</summary>
    public Task<Activity> UntilAsync(Func<Activity, bool> wanted, string what, CancellationToken cancel) =>
        Eventually.GetAsync(() => Task.FromResult(_ended.FirstOrDefault(wanted)), what, cancel);

    /// <summary>Waits for a span of a name that links to a trace.</summary>
    public Task<Activity> UntilLinkedAsync(string name, ActivityTraceId trace, CancellationToken cancel) =>
        UntilAsync(
            span => span.OperationName == name && span.Links.Any(link => link.Context.TraceId == trace),
            $"a span \"{name}\" that links to {trace}",
            cancel
        );
}
