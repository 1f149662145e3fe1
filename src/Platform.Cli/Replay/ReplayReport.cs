namespace Platform.Cli.Replay;

/// <summary>What a replay has done.</summary>
internal sealed record ReplayReport
{
    /// <summary>The trace's file.</summary>
    public required string Trace { get; init; }

    /// <summary>Its format.</summary>
    public required string Format { get; init; }

    /// <summary>What was made of it that a reader should know; null where it was taken as it is.</summary>
    public string? Note { get; init; }

    /// <summary>The fleet that it was sent to.</summary>
    public required string Fleet { get; init; }

    /// <summary>Its requests.</summary>
    public required long Requests { get; init; }

    /// <summary>Of these, those whose durations it tells.</summary>
    public required long WithDurations { get; init; }

    /// <summary>Requests by task type.</summary>
    public required IReadOnlyDictionary<string, long> TaskTypes { get; init; }

    /// <summary>Windows that were taken.</summary>
    public required int Windows { get; init; }

    /// <summary>Windows that were refused.</summary>
    public required int Refused { get; init; }

    /// <summary>Why the first of them was; null where none was.</summary>
    public string? Refusal { get; init; }

    /// <summary>When the first window starts.</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>When the last window ends.</summary>
    public required DateTimeOffset To { get; init; }
}
