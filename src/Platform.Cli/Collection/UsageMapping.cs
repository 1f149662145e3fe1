using Platform.Client;
using Platform.Domain.Contracts;

namespace Platform.Cli.Collection;

/// <summary>What of a span means what.</summary>
internal sealed record UsageNames
{
    /// <summary>Attribute with the task type.</summary>
    public required string TaskType { get; init; }

    /// <summary>Task type of spans that have none; null to leave those out.</summary>
    public required string? DefaultTaskType { get; init; }

    /// <summary>Attribute with the reasoning tokens that were used.</summary>
    public required string Tokens { get; init; }

    /// <summary>Attribute with the reasoning tokens that were granted.</summary>
    public required string Granted { get; init; }

    /// <summary>Attribute with the seconds of a span that were spent waiting for the server.</summary>
    public required string QueueSeconds { get; init; }
}

/// <summary>
/// Counts spans of OpenTelemetry's conventions for generative AI as queries of a fleet. Those of other operations, and those that tell no
/// reasoning tokens, are of other work and left out.
/// </summary>
internal sealed class UsageMapping(WindowBuilder windows, UsageNames names)
{
    /// <summary>Names of <c>gen_ai.operation.name</c> that are one query to a model.</summary>
    private static readonly string[] Queries = ["chat", "generate_content", "text_completion"];

    private long _counted, _leftOut;

    /// <summary>Queries counted so far.</summary>
    public long Counted => Interlocked.Read(ref _counted);

    /// <summary>Spans left out so far.</summary>
    public long LeftOut => Interlocked.Read(ref _leftOut);

    /// <summary>Counts a span, if it is a query.</summary>
    public void Add(UsageSpan span)
    {
        if (TaskTypeOf(span) is not { } taskType || !TryCount(span, taskType))
            Interlocked.Increment(ref _leftOut);
        else
            Interlocked.Increment(ref _counted);
    }

    private bool TryCount(UsageSpan span, string taskType)
    {
        // A query that failed has come all the same, and used nobody knows how much of the server.
        if (span.IsFailed)
        {
            windows.Arrived(taskType);
            return true;
        }

        if (WholeOf(span, names.Tokens) is not { } used || span.End < span.Start)
            return false;
        var system = TimeSpan.FromTicks((long)((span.End - span.Start) / TimeSpan.NanosecondsPerTick));
        var waited = span.Number(names.QueueSeconds) is { } seconds && seconds >= 0 && seconds <= system.TotalSeconds ? TimeSpan.FromSeconds(seconds) : (TimeSpan?)null;
        windows.Arrived(taskType);
        // Without a word on the wait, all of the span is taken to be service: what queues is in front of whoever writes it.
        windows.Completed(taskType, used, WholeOf(span, names.Granted), system - (waited ?? TimeSpan.Zero), waited is null ? null : system);
        return true;
    }

    private string? TaskTypeOf(UsageSpan span)
    {
        if (span.Text("gen_ai.operation.name") is not { } operation || !Queries.Contains(operation))
            return null;
        var taskType = span.Text(names.TaskType) ?? names.DefaultTaskType;
        return taskType is not null && Identifiers.IsTaskType(taskType) ? taskType : null;
    }

    private static long? WholeOf(UsageSpan span, string name) => span.Number(name) is { } number && number >= 0 && number <= int.MaxValue ? (long)number : null;
}
