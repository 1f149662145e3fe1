using System.Text.Json;
using Platform.Domain.Allocation;

namespace Platform.Solver.Allocation;

/// <summary>
/// Reads problems as the contract's JSON has them, without the serializer, whose start takes longer than to solve a
/// problem. It takes what <see cref="Domain.Contracts.StrictJson"/> takes, and the tests hold it to that; the
/// serializer has the words for the rest.
/// </summary>
internal static class ProblemReader
{
    /// <summary>Reads a problem.</summary>
    /// <returns>The problem; null where there is a fault.</returns>
    public static AllocationProblem? TryRead(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8);
        try
        {
            return Problem(ref reader) is { } problem && !reader.Read() ? problem : null;
        }
        catch (Exception exception) when (IsFault(exception))
        {
            return null;
        }
    }

    /// <summary>Reads the object that comes next.</summary>
    /// <exception cref="Exception">As of <see cref="IsFault"/>.</exception>
    public static AllocationProblem? Problem(ref Utf8JsonReader reader)
    {
        double? rate = null,
            weight = null,
            utilization = null,
            budget = null,
            time = null,
            pace = null,
            firstAnswer = null;
        var (servers, dispatch, seen) = (1, Dispatch.Split, 0);
        SharingServer? sharing = null;
        List<TaskType>? types = null;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return null;
        while (NextName(ref reader))
        {
            var known =
                Is(ref reader, "arrivalRate"u8, 0, ref seen) ? Number(ref reader, out rate)
                : Is(ref reader, "servers"u8, 1, ref seen) ? reader.Read() && reader.TryGetInt32(out servers)
                : Is(ref reader, "dispatch"u8, 2, ref seen) ? ReadDispatch(ref reader, out dispatch)
                : Is(ref reader, "accuracyWeight"u8, 3, ref seen) ? Number(ref reader, out weight)
                : Is(ref reader, "maxUtilization"u8, 4, ref seen) ? NumberOrNull(ref reader, out utilization)
                : Is(ref reader, "meanTokenBudget"u8, 5, ref seen) ? NumberOrNull(ref reader, out budget)
                : Is(ref reader, "maxMeanSystemTimeSeconds"u8, 6, ref seen) ? NumberOrNull(ref reader, out time)
                : Is(ref reader, "taskTypes"u8, 7, ref seen) ? (types = TaskTypes(ref reader)) is not null
                : Is(ref reader, "sharing"u8, 8, ref seen) ? SharingOrNull(ref reader, out sharing)
                : Is(ref reader, "maxInterTokenSeconds"u8, 9, ref seen) ? NumberOrNull(ref reader, out pace)
                : Is(ref reader, "maxTimeToFirstAnswerTokenSeconds"u8, 10, ref seen)
                    && NumberOrNull(ref reader, out firstAnswer);
            if (!known)
                return null;
        }

        return reader.TokenType != JsonTokenType.EndObject || rate is null || weight is null || types is null
            ? null
            : new()
            {
                ArrivalRate = rate.Value,
                Servers = servers,
                Dispatch = dispatch,
                Sharing = sharing,
                AccuracyWeight = weight.Value,
                MaxUtilization = utilization,
                MeanTokenBudget = budget,
                MaxMeanSystemTimeSeconds = time,
                MaxInterTokenSeconds = pace,
                MaxTimeToFirstAnswerTokenSeconds = firstAnswer,
                TaskTypes = types,
            };
    }

    private static List<TaskType>? TaskTypes(ref Utf8JsonReader reader)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            return null;
        var types = new List<TaskType>();
        while (reader.Read() && reader.TokenType is JsonTokenType.StartObject or JsonTokenType.Null)
        {
            // The serializer takes null in a list; to refuse it is the validation's business.
            var type = reader.TokenType == JsonTokenType.Null ? null : OneType(ref reader);
            if (type is null && reader.TokenType != JsonTokenType.Null)
                return null;
            types.Add(type!);
        }

        return reader.TokenType == JsonTokenType.EndArray ? types : null;
    }

    private static TaskType? OneType(ref Utf8JsonReader reader)
    {
        string? id = null;
        double? share = null,
            weight = 1,
            floor = null,
            answer = 0;
        var (least, most, seen) = (0L, 0L, 0);
        var (service, accuracy) = ((ServiceLine?)null, (AccuracyCurve?)null);
        while (NextName(ref reader))
        {
            var known =
                Is(ref reader, "id"u8, 0, ref seen) ? reader.Read() && (id = reader.GetString()) is not null
                : Is(ref reader, "share"u8, 1, ref seen) ? Number(ref reader, out share)
                : Is(ref reader, "maxTokens"u8, 2, ref seen) ? reader.Read() && reader.TryGetInt64(out most)
                : Is(ref reader, "weight"u8, 3, ref seen) ? Number(ref reader, out weight)
                : Is(ref reader, "minTokens"u8, 4, ref seen) ? reader.Read() && reader.TryGetInt64(out least)
                : Is(ref reader, "accuracyFloor"u8, 5, ref seen) ? NumberOrNull(ref reader, out floor)
                : Is(ref reader, "service"u8, 6, ref seen) ? (service = Service(ref reader)) is not null
                : Is(ref reader, "accuracy"u8, 7, ref seen) ? (accuracy = Accuracy(ref reader)) is not null
                : Is(ref reader, "answerTokens"u8, 8, ref seen) && Number(ref reader, out answer);
            if (!known)
                return null;
        }

        // Bits 0 to 2: what must be there and cannot be told from its default.
        return
            reader.TokenType != JsonTokenType.EndObject
            || (seen & 0b111) != 0b111
            || service is null
            || accuracy is null
            ? null
            : new()
            {
                Id = id!,
                Share = share!.Value,
                Weight = weight!.Value,
                MinTokens = least,
                MaxTokens = most,
                AccuracyFloor = floor,
                AnswerTokens = answer!.Value,
                Service = service,
                Accuracy = accuracy,
            };
    }

    private static ServiceLine? Service(ref Utf8JsonReader reader)
    {
        double? fixedSeconds = null,
            perToken = null,
            variance = 0,
            perSquare = 0;
        var seen = 0;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return null;
        while (NextName(ref reader))
        {
            if (
                !(
                    Is(ref reader, "baseSeconds"u8, 0, ref seen) ? Number(ref reader, out fixedSeconds)
                    : Is(ref reader, "secondsPerToken"u8, 1, ref seen) ? Number(ref reader, out perToken)
                    : Is(ref reader, "varianceSecondsSquared"u8, 2, ref seen) ? Number(ref reader, out variance)
                    : Is(ref reader, "secondsPerTokenSquared"u8, 3, ref seen) && Number(ref reader, out perSquare)
                )
            )
                return null;
        }

        if (fixedSeconds is not { } first || perToken is not { } second)
            return null;
        return new(first, second, variance!.Value, perSquare!.Value);
    }

    /// <summary>Reads <c>sharing</c>, of which all may be left out or null, itself too.</summary>
    private static bool SharingOrNull(ref Utf8JsonReader reader, out SharingServer? sharing)
    {
        sharing = null;
        if (!reader.Read() || reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.Null))
            return false;
        if (reader.TokenType == JsonTokenType.Null)
            return true;
        double? overhead = null;
        int? cap = null;
        var seen = 0;
        while (NextName(ref reader))
        {
            var known = Is(ref reader, "overheadSecondsPerToken"u8, 0, ref seen)
                ? NumberOrNull(ref reader, out overhead)
                : Is(ref reader, "maxInService"u8, 1, ref seen) && WholeNumberOrNull(ref reader, out cap);
            if (!known)
                return false;
        }

        sharing = new(overhead, cap);
        return reader.TokenType == JsonTokenType.EndObject;
    }

    private static AccuracyCurve? Accuracy(ref Utf8JsonReader reader)
    {
        double? floor = null,
            gain = null,
            rate = null;
        var seen = 0;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return null;
        while (NextName(ref reader))
        {
            if (
                !(
                    Is(ref reader, "floor"u8, 0, ref seen) ? Number(ref reader, out floor)
                    : Is(ref reader, "gain"u8, 1, ref seen) ? Number(ref reader, out gain)
                    : Is(ref reader, "ratePerToken"u8, 2, ref seen) && Number(ref reader, out rate)
                )
            )
                return null;
        }

        return floor is { } first && gain is { } second && rate is { } third ? new(first, second, third) : null;
    }

    /// <summary>Whether the reader throws it at text that is not what was asked for.</summary>
    public static bool IsFault(Exception exception) =>
        exception is JsonException or InvalidOperationException or FormatException;

    /// <summary>Reads on to the object's next name; false at its end.</summary>
    public static bool NextName(ref Utf8JsonReader reader) =>
        reader.Read() && reader.TokenType == JsonTokenType.PropertyName;

    /// <summary>Whether the reader stands at that name, for the first time in its object.</summary>
    public static bool Is(ref Utf8JsonReader reader, ReadOnlySpan<byte> name, int bit, ref int seen)
    {
        if ((seen & (1 << bit)) != 0 || !reader.ValueTextEquals(name))
            return false;
        seen |= 1 << bit;
        return true;
    }

    private static bool Number(ref Utf8JsonReader reader, out double? number)
    {
        var isNumber = reader.Read() & reader.TryGetDouble(out var value);
        number = value;
        return isNumber;
    }

    private static bool NumberOrNull(ref Utf8JsonReader reader, out double? number)
    {
        number = null;
        return reader.Read()
            && (
                reader.TokenType == JsonTokenType.Null
                || (reader.TryGetDouble(out var value) && (number = value) is not null)
            );
    }

    private static bool WholeNumberOrNull(ref Utf8JsonReader reader, out int? number)
    {
        number = null;
        if (!reader.Read() || reader.TokenType == JsonTokenType.Null)
            return reader.TokenType == JsonTokenType.Null;
        var isNumber = reader.TryGetInt32(out var value);
        number = value;
        return isNumber;
    }

    private static bool ReadDispatch(ref Utf8JsonReader reader, out Dispatch dispatch)
    {
        if (!reader.Read())
            throw new JsonException();
        if (reader.ValueTextEquals("split"u8))
            dispatch = Dispatch.Split;
        else if (reader.ValueTextEquals("shared"u8))
            dispatch = Dispatch.Shared;
        else if (reader.ValueTextEquals("sharing"u8))
            dispatch = Dispatch.Sharing;
        else
            dispatch = JsonSerializer.Deserialize(ref reader, ProblemJson.Of<Dispatch>());
        return true;
    }
}
