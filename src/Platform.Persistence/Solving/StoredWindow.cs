using System.Text.Json;
using Platform.Domain.Contracts;
using Platform.Domain.Ingestion;

namespace Platform.Persistence.Solving;

/// <summary>
/// Reads windows as Marten has stored them. By hand, since whoever solves or derives again reads nothing as often: the
/// serializer makes an object of every number. Members that later versions have added are passed over.
/// </summary>
internal static class StoredWindow
{
    /// <summary>Reads one.</summary>
    /// <param name="utf8">The event's data.</param>
    /// <exception cref="JsonException">They are no window.</exception>
    public static WorkloadWindowRecorded Read(ReadOnlySpan<byte> utf8)
    {
        try
        {
            var json = new Utf8JsonReader(utf8);
            json.Read();
            return Recorded(ref json);
        }
        catch (Exception fault) when (fault is InvalidOperationException or FormatException)
        {
            throw new JsonException(fault.Message, fault);
        }
    }

    private static WorkloadWindowRecorded Recorded(ref Utf8JsonReader json)
    {
        var (message, window, trace) = ((Guid?)null, (WorkloadWindow?)null, (string?)null);
        for (Begin(ref json); TryMember(ref json); )
        {
            if (Is(ref json, "messageId"u8))
                message = json.GetGuid();
            else if (Is(ref json, "window"u8))
                window = Window(ref json);
            else if (Is(ref json, "traceParent"u8))
                trace = json.GetString();
            else
                json.Skip();
        }

        return new WorkloadWindowRecorded
        {
            MessageId = message ?? throw Missing("messageId"),
            Window = window ?? throw Missing("window"),
            TraceParent = trace,
        };
    }

    private static WorkloadWindow Window(ref Utf8JsonReader json)
    {
        var (fleet, start, end, tasks) = (
            (string?)null,
            (DateTimeOffset?)null,
            (DateTimeOffset?)null,
            (List<TaskWindow>?)null
        );
        for (Begin(ref json); TryMember(ref json); )
        {
            if (Is(ref json, "fleet"u8))
                fleet = json.GetString();
            else if (Is(ref json, "windowStart"u8))
                start = json.GetDateTimeOffset();
            else if (Is(ref json, "windowEnd"u8))
                end = json.GetDateTimeOffset();
            else if (Is(ref json, "tasks"u8))
                tasks = List(ref json, Task);
            else
                json.Skip();
        }

        return new WorkloadWindow
        {
            Fleet = fleet ?? throw Missing("fleet"),
            WindowStart = start ?? throw Missing("windowStart"),
            WindowEnd = end ?? throw Missing("windowEnd"),
            Tasks = tasks ?? throw Missing("tasks"),
        };
    }

    private static TaskWindow Task(ref Utf8JsonReader json)
    {
        var (type, arrivals) = ((string?)null, (long?)null);
        var (service, system, accuracy) = ((ServiceSums?)null, (SystemSums?)null, (List<AccuracyCount>?)null);
        for (Begin(ref json); TryMember(ref json); )
        {
            if (Is(ref json, "taskType"u8))
                type = json.GetString();
            else if (Is(ref json, "arrivals"u8))
                arrivals = json.GetInt64();
            else if (Is(ref json, "service"u8))
                service = IsNull(ref json) ? null : Service(ref json);
            else if (Is(ref json, "system"u8))
                system = IsNull(ref json) ? null : System(ref json);
            else if (Is(ref json, "accuracy"u8))
                accuracy = IsNull(ref json) ? null : List(ref json, Accuracy);
            else
                json.Skip();
        }

        return new TaskWindow
        {
            TaskType = type ?? throw Missing("taskType"),
            Arrivals = arrivals ?? throw Missing("arrivals"),
            Service = service,
            System = system,
            Accuracy = accuracy,
        };
    }

    private static ServiceSums Service(ref Utf8JsonReader json)
    {
        var (completions, tokens, tokensSquared, granted) = ((long?)null, (long?)null, (long?)null, (long?)null);
        var (millis, millisSquared, tokenMillis) = ((long?)null, (long?)null, (long?)null);
        long? answer = null;
        ConcurrencySums? concurrency = null;
        for (Begin(ref json); TryMember(ref json); )
        {
            if (Is(ref json, "completions"u8))
                completions = json.GetInt64();
            else if (Is(ref json, "tokens"u8))
                tokens = json.GetInt64();
            else if (Is(ref json, "tokensSquared"u8))
                tokensSquared = json.GetInt64();
            else if (Is(ref json, "tokensGranted"u8))
                granted = IsNull(ref json) ? null : json.GetInt64();
            else if (Is(ref json, "answerTokens"u8))
                answer = IsNull(ref json) ? null : json.GetInt64();
            else if (Is(ref json, "concurrency"u8))
                concurrency = IsNull(ref json) ? null : Concurrency(ref json);
            else if (Is(ref json, "millis"u8))
                millis = json.GetInt64();
            else if (Is(ref json, "millisSquared"u8))
                millisSquared = json.GetInt64();
            else if (Is(ref json, "tokenMillis"u8))
                tokenMillis = json.GetInt64();
            else
                json.Skip();
        }

        return new ServiceSums
        {
            Completions = completions ?? throw Missing("completions"),
            Tokens = tokens ?? throw Missing("tokens"),
            TokensSquared = tokensSquared ?? throw Missing("tokensSquared"),
            TokensGranted = granted,
            AnswerTokens = answer,
            Concurrency = concurrency,
            Millis = millis ?? throw Missing("millis"),
            MillisSquared = millisSquared ?? throw Missing("millisSquared"),
            TokenMillis = tokenMillis ?? throw Missing("tokenMillis"),
        };
    }

    private static ConcurrencySums Concurrency(ref Utf8JsonReader json)
    {
        long? tokens = null;
        long? inService = null;
        for (Begin(ref json); TryMember(ref json); )
        {
            if (Is(ref json, "tokens"u8))
                tokens = json.GetInt64();
            else if (Is(ref json, "inService"u8))
                inService = json.GetInt64();
            else
                json.Skip();
        }

        return new ConcurrencySums
        {
            Tokens = tokens ?? throw Missing("tokens"),
            InService = inService ?? throw Missing("inService"),
        };
    }

    private static SystemSums System(ref Utf8JsonReader json)
    {
        var (completions, millis, millisSquared) = ((long?)null, (long?)null, (long?)null);
        for (Begin(ref json); TryMember(ref json); )
        {
            if (Is(ref json, "completions"u8))
                completions = json.GetInt64();
            else if (Is(ref json, "millis"u8))
                millis = json.GetInt64();
            else if (Is(ref json, "millisSquared"u8))
                millisSquared = IsNull(ref json) ? null : json.GetInt64();
            else
                json.Skip();
        }

        return new SystemSums
        {
            Completions = completions ?? throw Missing("completions"),
            Millis = millis ?? throw Missing("millis"),
            MillisSquared = millisSquared,
        };
    }

    private static AccuracyCount Accuracy(ref Utf8JsonReader json)
    {
        var (tokens, trials, correct) = ((long?)null, (long?)null, (long?)null);
        for (Begin(ref json); TryMember(ref json); )
        {
            if (Is(ref json, "tokens"u8))
                tokens = json.GetInt64();
            else if (Is(ref json, "trials"u8))
                trials = json.GetInt64();
            else if (Is(ref json, "correct"u8))
                correct = json.GetInt64();
            else
                json.Skip();
        }

        return new AccuracyCount
        {
            Tokens = tokens ?? throw Missing("tokens"),
            Trials = trials ?? throw Missing("trials"),
            Correct = correct ?? throw Missing("correct"),
        };
    }

    private delegate T Reading<T>(ref Utf8JsonReader json);

    private static List<T> List<T>(ref Utf8JsonReader json, Reading<T> read)
    {
        if (json.TokenType != JsonTokenType.StartArray)
            throw new JsonException($"{json.TokenType} where an array belongs.");
        var items = new List<T>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
            items.Add(read(ref json));
        return items;
    }

    private static void Begin(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartObject)
            throw new JsonException($"{json.TokenType} where an object belongs.");
    }

    /// <summary>Goes on to the next member's name; false at the end of the object.</summary>
    private static bool TryMember(ref Utf8JsonReader json) =>
        json.Read() && json.TokenType == JsonTokenType.PropertyName;

    /// <summary>Whether the member has this name; its value is next then.</summary>
    private static bool Is(ref Utf8JsonReader json, ReadOnlySpan<byte> name) =>
        json.ValueTextEquals(name) && json.Read();

    private static bool IsNull(ref Utf8JsonReader json) => json.TokenType == JsonTokenType.Null;

    private static JsonException Missing(string name) => new($"{name} is missing.");
}
