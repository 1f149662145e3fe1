using Platform.Client;
using Platform.Domain.Contracts;

namespace Platform.Cli.Collection;

/// <summary>
/// Counts spans of OpenTelemetry's conventions for generative AI, of OpenInference, of OpenLLMetry and of vLLM as
/// queries of a fleet. What is of other work, tells too little or cannot be is left out, and counted by its reason.
/// </summary>
internal sealed class UsageMapping(WindowBuilder windows, UsageNames names, TimeProvider time)
{
    /// <summary>The longest horizon that a fleet may have: what is older counts in no estimate.</summary>
    private static readonly TimeSpan MostAge = TimeSpan.FromDays(7);

    /// <summary>Names of <c>gen_ai.operation.name</c> that are one query to a model.</summary>
    private static readonly string[] Operations = ["chat", "generate_content", "text_completion"];

    /// <summary>Values of OpenLLMetry's <c>llm.request.type</c> that are.</summary>
    private static readonly string[] RequestTypes = ["chat", "completion"];

    /// <summary>From its arrival to its end in seconds, as vLLM has it.</summary>
    private const string SystemSeconds = "gen_ai.latency.e2e";

    /// <summary>Its seconds on the server, as vLLM has them.</summary>
    private const string ServiceSeconds = "gen_ai.latency.time_in_model_inference";

    /// <summary>vLLM's spans, which name no operation.</summary>
    private const string VllmSpan = "llm_request";

    private readonly long[] _counts = new long[SpanOutcomes.All.Length];
    private long _byOutputTokens;

    /// <summary>Queries counted so far.</summary>
    public long Counted => Count(SpanOutcome.Counted);

    /// <summary>Queries of these that tell output tokens alone: reasoning and answer together.</summary>
    public long CountedByOutputTokens => Interlocked.Read(ref _byOutputTokens);

    /// <summary>Spans left out so far.</summary>
    public long LeftOut => LeftOutByReason.Sum(it => it.Value);

    /// <summary>Spans left out so far, by their reason.</summary>
    public IEnumerable<KeyValuePair<SpanOutcome, long>> LeftOutByReason =>
        SpanOutcomes.All.Where(it => it != SpanOutcome.Counted).Select(it => KeyValuePair.Create(it, Count(it)));

    /// <summary>Spans so far with an outcome.</summary>
    public long Count(SpanOutcome outcome) => Interlocked.Read(ref _counts[(int)outcome]);

    /// <summary>Counts a span, if it is a query that can be.</summary>
    public SpanOutcome Add(UsageSpan span)
    {
        var outcome = Take(span);
        Interlocked.Increment(ref _counts[(int)outcome]);
        return outcome;
    }

    private SpanOutcome Take(UsageSpan span)
    {
        if (ReferenceEquals(span, UsageSpan.Unreadable))
            return SpanOutcome.Unreadable;
        if (!IsQuery(span))
            return SpanOutcome.OtherWork;
        var taskType = span.Text(names.TaskType) ?? names.DefaultTaskType;
        if (taskType is null)
            return SpanOutcome.NoTaskType;
        if (!Identifiers.IsTaskType(taskType))
            return SpanOutcome.BadTaskType;
        var fault = FaultOfTimes(span);
        return fault ?? TakeQuery(span, taskType);
    }

    private bool IsQuery(UsageSpan span)
    {
        if (span.Text("gen_ai.operation.name") is { } operation)
            return Operations.Contains(operation);
        if (span.Text("openinference.span.kind") is { } kind)
            return kind == "LLM";
        if (span.Text("llm.request.type") is { } type)
            return RequestTypes.Contains(type);
        return span.Name == VllmSpan || span.Has(SystemSeconds) || names.Tokens.Any(span.Has);
    }

    private SpanOutcome? FaultOfTimes(UsageSpan span)
    {
        if (span.Start == 0 || span.End == 0)
            return SpanOutcome.NoTimes;
        if (span.End < span.Start)
            return SpanOutcome.EndsBeforeStart;
        var now = time.GetUtcNow();
        if (Instant(span.End) > now + WorkloadWindowReader.MaxLead)
            return SpanOutcome.InTheFuture;
        if (Instant(span.Start) < now - MostAge)
            return SpanOutcome.TooOld;
        return Length(span) > WorkloadWindowReader.MaxLength ? SpanOutcome.TooLong : null;
    }

    private SpanOutcome TakeQuery(UsageSpan span, string taskType)
    {
        var used = ReadTokensUsed(span);
        // A query that failed before it ran has come all the same. One that was cut off while it ran has kept the
        // server busy until then.
        var hasRun = used is not null && (used.Tokens > 0 || !span.IsFailed);
        if (!hasRun && !span.IsFailed)
            return names.Tokens.Any(span.Has) ? SpanOutcome.BadTokens : SpanOutcome.NoTokens;
        windows.Arrived(taskType, Instant(span.Start));
        if (hasRun)
            Complete(span, taskType, used!);
        return SpanOutcome.Counted;
    }

    private void Complete(UsageSpan span, string taskType, TokenCount used)
    {
        var toldSystem = Seconds(span, SystemSeconds, WorkloadWindowReader.MaxLength);
        var system = toldSystem ?? Length(span);
        var waited = Seconds(span, names.QueueSeconds, system);
        var served = Seconds(span, ServiceSeconds, system);
        // Without a word on the wait, all of the span is taken to be service: what queues is in front of whoever writes
        // it.
        var service = waited is null ? served ?? system : system - waited.Value;
        var isWaitTold = waited is not null || served is not null;
        windows.Completed(
            taskType,
            used.Tokens,
            Whole(span, names.Granted),
            service,
            isWaitTold ? system : null,
            Instant(span.End),
            AnswerTokens(span, used)
        );
    }

    private TokenCount? ReadTokensUsed(UsageSpan span)
    {
        var used = FirstCount(span, names.Tokens);
        if (used is not null && UsageNames.OutputTokens.Contains(used.Name))
            Interlocked.Increment(ref _byOutputTokens);
        return used;
    }

    /// <summary>
    /// Output tokens beside the reasoning ones; null where the span does not tell both. An attribute that the command
    /// line names may count anything, so nothing is subtracted for one that no convention has for reasoning tokens.
    /// </summary>
    private static long? AnswerTokens(UsageSpan span, TokenCount used)
    {
        if (!UsageNames.ReasoningTokens.Contains(used.Name))
            return null;
        var output = FirstCount(span, UsageNames.OutputTokens)?.Tokens;
        return output >= used.Tokens ? output - used.Tokens : null;
    }

    private static TokenCount? FirstCount(UsageSpan span, IReadOnlyList<string> attributes)
    {
        foreach (var name in attributes)
        {
            if (Whole(span, name) is { } tokens)
                return new TokenCount(name, tokens);
        }

        return null;
    }

    private static TimeSpan? Seconds(UsageSpan span, string name, TimeSpan most)
    {
        var seconds = span.Number(name);
        var canBe = seconds >= 0 && seconds <= most.TotalSeconds;
        return canBe ? TimeSpan.FromSeconds(seconds!.Value) : null;
    }

    private static long? Whole(UsageSpan span, string name)
    {
        var number = span.Number(name);
        var canBe = number >= 0 && number <= TaskSums.MostTokens && double.IsInteger(number.Value);
        return canBe ? (long)number!.Value : null;
    }

    private static TimeSpan Length(UsageSpan span) => Instant(span.End) - Instant(span.Start);

    /// <summary>Beyond the year 2554 there are no nanoseconds since 1970 in 64 bits.</summary>
    private static DateTimeOffset Instant(ulong nanoseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks((long)(nanoseconds / TimeSpan.NanosecondsPerTick));

    /// <summary>A number of tokens that a span tells.</summary>
    /// <param name="Name">The attribute that tells it.</param>
    /// <param name="Tokens">The number.</param>
    private sealed record TokenCount(string Name, long Tokens);
}
