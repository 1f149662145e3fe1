namespace Platform.Cli.Traces;

/// <summary>A request trace, whatever format it came in.</summary>
/// <param name="Format">The format, as people call it.</param>
/// <param name="Requests">Its requests in order of time, the first at 0.</param>
internal sealed record RequestTrace(string Format, IReadOnlyList<TraceRequest> Requests)
{
    /// <summary>What was made of it that a reader should know; null where it was taken as it is.</summary>
    public string? Note { get; init; }

    /// <summary>From the first request to the last.</summary>
    public TimeSpan Length => Requests.Count == 0 ? TimeSpan.Zero : Requests[^1].At;

    /// <summary>A trace of requests with times of any origin, in any order.</summary>
    /// <param name="format">The format, as people call it.</param>
    /// <param name="requests">Its requests.</param>
    public static RequestTrace Of(string format, List<TraceRequest> requests)
    {
        var isSorted = requests.Zip(requests.Skip(1)).All(pair => pair.First.At <= pair.Second.At);
        TraceRequest[] ordered = isSorted ? [.. requests] : [.. requests.OrderBy(it => it.At)];
        var first = ordered[0].At;
        for (var i = 0; i < ordered.Length; i++)
            ordered[i] = ordered[i] with { At = ordered[i].At - first };
        var note = isSorted ? null : "its rows were not in order of time, and were sorted";
        return new RequestTrace(format, ordered) { Note = note };
    }
}
