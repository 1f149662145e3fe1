namespace Platform.Cli.Collection;

/// <summary>What became of a span: it was counted, or left out for a reason.</summary>
internal enum SpanOutcome
{
    /// <summary>It is a query, and counted.</summary>
    Counted,

    /// <summary>It is no query to a model.</summary>
    OtherWork,

    /// <summary>It is a query of no task type that is known.</summary>
    NoTaskType,

    /// <summary>Its task type is no id of a task type.</summary>
    BadTaskType,

    /// <summary>It tells no tokens.</summary>
    NoTokens,

    /// <summary>Its tokens cannot be.</summary>
    BadTokens,

    /// <summary>It has no start or no end.</summary>
    NoTimes,

    /// <summary>It ends before it starts.</summary>
    EndsBeforeStart,

    /// <summary>It is older than anything that an estimate looks at.</summary>
    TooOld,

    /// <summary>It is of a time to come.</summary>
    InTheFuture,

    /// <summary>It lasted longer than a window may.</summary>
    TooLong,

    /// <summary>Its bytes make no sense.</summary>
    Unreadable,
}

/// <summary>How outcomes are called.</summary>
internal static class SpanOutcomes
{
    /// <summary>Every outcome.</summary>
    public static readonly SpanOutcome[] All = Enum.GetValues<SpanOutcome>();

    /// <summary>Whether whoever writes the span should know: it was meant to count, and does not.</summary>
    public static bool IsRejected(this SpanOutcome outcome) =>
        outcome is not (SpanOutcome.Counted or SpanOutcome.OtherWork);

    /// <summary>The value of a metric's label.</summary>
    public static string Label(this SpanOutcome outcome) =>
        outcome switch
        {
            SpanOutcome.Counted => "counted",
            SpanOutcome.OtherWork => "other-work",
            SpanOutcome.NoTaskType => "no-task-type",
            SpanOutcome.BadTaskType => "bad-task-type",
            SpanOutcome.NoTokens => "no-tokens",
            SpanOutcome.BadTokens => "bad-tokens",
            SpanOutcome.NoTimes => "no-times",
            SpanOutcome.EndsBeforeStart => "ends-before-start",
            SpanOutcome.TooOld => "too-old",
            SpanOutcome.InTheFuture => "in-the-future",
            SpanOutcome.TooLong => "too-long",
            _ => "unreadable",
        };

    /// <summary>What a person reads after a number of spans.</summary>
    public static string Words(this SpanOutcome outcome) =>
        outcome switch
        {
            SpanOutcome.Counted => "counted",
            SpanOutcome.OtherWork => "no query to a model",
            SpanOutcome.NoTaskType => "without a task type (--task-type names one for all)",
            SpanOutcome.BadTaskType => "with a task type that is no id",
            SpanOutcome.NoTokens => "without a number of tokens",
            SpanOutcome.BadTokens => "with an impossible number of tokens",
            SpanOutcome.NoTimes => "without a start or an end",
            SpanOutcome.EndsBeforeStart => "that end before they start",
            SpanOutcome.TooOld => "from more than a week ago",
            SpanOutcome.InTheFuture => "from more than 5 minutes ahead",
            SpanOutcome.TooLong => "longer than a day",
            _ => "that cannot be read",
        };

    /// <summary>
    /// The outcomes that were met, with their numbers, such as <c>2 without a start or an end, 1 longer than a day</c>.
    /// </summary>
    /// <param name="counts">Numbers by outcome.</param>
    public static string List(IEnumerable<KeyValuePair<SpanOutcome, long>> counts) =>
        string.Join(", ", counts.Where(it => it.Value > 0).Select(it => $"{it.Value} {it.Key.Words()}"));
}
