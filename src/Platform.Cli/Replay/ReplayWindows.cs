using Platform.Cli.Traces;
using Platform.Client;
using Platform.Domain.Contracts;

namespace Platform.Cli.Replay;

/// <summary>
/// What a gateway would have reported that saw a trace: windows of equal length without a gap, in order.
/// </summary>
/// <param name="fleet">The fleet's id.</param>
/// <param name="trace">The trace.</param>
/// <param name="taskTypeOf">The task type of a request.</param>
/// <param name="length">Length of a window.</param>
internal sealed class ReplayWindows(
    string fleet,
    RequestTrace trace,
    Func<TraceRequest, string> taskTypeOf,
    TimeSpan length
)
{
    /// <summary>How many windows there are by time; sums beyond what one window can tell make more.</summary>
    public int Count { get; } = (int)(LastEnd(trace).Ticks / length.Ticks) + 1;

    /// <summary>From the start of the first window to the end of the last.</summary>
    public TimeSpan Length => length * Count;

    /// <summary>The windows.</summary>
    /// <param name="startsAt">When the first one starts.</param>
    public IEnumerable<WorkloadWindow> From(DateTimeOffset startsAt)
    {
        var clock = new ReplayClock(startsAt);
        var builder = new WindowBuilder(fleet, clock);
        var ends = new PriorityQueue<TraceRequest, TimeSpan>();
        var next = 0;
        for (var window = 1; window <= Count; window++)
        {
            var until = length * window;
            for (; next < trace.Requests.Count && trace.Requests[next].At < until; next++)
                Arrive(builder, trace.Requests[next], ends);
            while (ends.TryPeek(out var request, out var end) && end < until)
                Complete(builder, ends.Dequeue());
            clock.Now = startsAt + until;
            foreach (var taken in builder.TakeAll())
                yield return taken;
        }
    }

    private void Arrive(WindowBuilder builder, TraceRequest request, PriorityQueue<TraceRequest, TimeSpan> ends)
    {
        builder.Arrived(taskTypeOf(request));
        if (request.Duration is { } duration)
            ends.Enqueue(request, request.At + duration);
    }

    private void Complete(WindowBuilder builder, TraceRequest request) =>
        builder.Completed(taskTypeOf(request), request.GeneratedTokens, tokensGranted: null, request.Duration!.Value);

    private static TimeSpan LastEnd(RequestTrace trace) =>
        trace.Requests.Max(it => it.At + (it.Duration ?? TimeSpan.Zero));

    private sealed class ReplayClock(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
