using Google.Protobuf;

namespace Platform.Cli.Collection;

/// <summary>
/// Reads the spans of an OTLP request for traces in Protocol Buffers: the few fields that are needed, by their numbers
/// in <c>opentelemetry/proto</c> 1.x, which never change; all others are passed over. A bad attribute costs itself
/// alone, a bad span no other.
/// </summary>
internal static class OtlpProtobuf
{
    private const int FailedStatus = 2;

    // ExportTraceServiceRequest.resource_spans; ResourceSpans.resource and .scope_spans; Resource.attributes;
    // ScopeSpans.spans.
    private const int ResourceSpans = 1,
        Resource = 1,
        ScopeSpans = 2,
        ResourceAttributes = 1,
        Spans = 2;

    // Span's.
    private const int Name = 5,
        Start = 7,
        End = 8,
        Attributes = 9,
        Status = 15;

    /// <summary>Takes a field, or passes it over.</summary>
    private delegate bool TakeField(int field, WireFormat.WireType type, CodedInputStream input);

    /// <summary>
    /// The request's spans; <see cref="UsageSpan.Unreadable"/> in the place of one that makes no sense.
    /// </summary>
    /// <exception cref="InvalidProtocolBufferException">That is no such request.</exception>
    public static List<UsageSpan> Read(byte[] request)
    {
        var spans = new List<UsageSpan>();
        foreach (var group in Messages(request, ResourceSpans))
        {
            var resource = new Dictionary<string, object>(StringComparer.Ordinal);
            foreach (var attribute in Messages(group, Resource).SelectMany(it => Messages(it, ResourceAttributes)))
                Add(resource, attribute);
            spans.AddRange(
                Messages(group, ScopeSpans)
                    .SelectMany(scope => Messages(scope, Spans))
                    .Select(span => ReadSpan(span, resource))
            );
        }

        return spans;
    }

    private static UsageSpan ReadSpan(byte[] span, Dictionary<string, object> resource)
    {
        try
        {
            return ReadFields(span, resource);
        }
        catch (InvalidProtocolBufferException)
        {
            return UsageSpan.Unreadable;
        }
    }

    private static UsageSpan ReadFields(byte[] span, Dictionary<string, object> resource)
    {
        ulong start = 0;
        ulong end = 0;
        var failed = false;
        var name = "";
        var attributes = new Dictionary<string, object>(resource, StringComparer.Ordinal);
        Each(
            span,
            (field, type, input) =>
            {
                switch (field, type)
                {
                    case (Name, WireFormat.WireType.LengthDelimited):
                        name = input.ReadString();
                        return true;
                    case (Start, WireFormat.WireType.Fixed64):
                        start = input.ReadFixed64();
                        return true;
                    case (End, WireFormat.WireType.Fixed64):
                        end = input.ReadFixed64();
                        return true;
                    case (Attributes, WireFormat.WireType.LengthDelimited):
                        Add(attributes, Bytes(input));
                        return true;
                    case (Status, WireFormat.WireType.LengthDelimited):
                        failed = IsFailed(Bytes(input));
                        return true;
                    default:
                        return false;
                }
            }
        );
        return new UsageSpan(start, end, failed, attributes) { Name = name };
    }

    private static bool IsFailed(byte[] status)
    {
        const int Code = 3;
        var failed = false;
        Each(
            status,
            (field, type, input) =>
            {
                if (field != Code || type != WireFormat.WireType.Varint)
                    return false;
                failed = input.ReadEnum() == FailedStatus;
                return true;
            }
        );
        return failed;
    }

    private static void Add(Dictionary<string, object> attributes, byte[] keyValue)
    {
        try
        {
            var (key, value) = ReadAttribute(keyValue);
            if (key is not null && value is not null)
                attributes[key] = value;
        }
        catch (InvalidProtocolBufferException)
        {
            // As if the span did not have it.
        }
    }

    private static (string? Key, object? Value) ReadAttribute(byte[] keyValue)
    {
        const int Key = 1,
            Value = 2;
        string? key = null;
        object? value = null;
        Each(
            keyValue,
            (field, type, input) =>
            {
                var isTaken = field is Key or Value && type == WireFormat.WireType.LengthDelimited;
                if (isTaken && field == Key)
                    key = input.ReadString();
                else if (isTaken)
                    value = ReadAnyValue(Bytes(input));
                return isTaken;
            }
        );
        return (key, value);
    }

    /// <summary>An AnyValue, of which text, truth values and numbers are of use.</summary>
    private static object? ReadAnyValue(byte[] any)
    {
        const int Text = 1,
            Truth = 2,
            Whole = 3,
            Number = 4;
        object? value = null;
        Each(
            any,
            (field, type, input) =>
            {
                object? read = (field, type) switch
                {
                    (Text, WireFormat.WireType.LengthDelimited) => input.ReadString(),
                    (Truth, WireFormat.WireType.Varint) => input.ReadBool(),
                    (Whole, WireFormat.WireType.Varint) => input.ReadInt64(),
                    (Number, WireFormat.WireType.Fixed64) => input.ReadDouble(),
                    _ => null,
                };
                value = read ?? value;
                return read is not null;
            }
        );
        return value;
    }

    private static List<byte[]> Messages(byte[] message, int wanted)
    {
        var found = new List<byte[]>();
        Each(
            message,
            (field, type, input) =>
            {
                if (field != wanted || type != WireFormat.WireType.LengthDelimited)
                    return false;
                found.Add(Bytes(input));
                return true;
            }
        );
        return found;
    }

    private static byte[] Bytes(CodedInputStream input) => input.ReadBytes().ToByteArray();

    /// <summary>Hands each field over; what is not taken is passed over.</summary>
    private static void Each(byte[] message, TakeField take)
    {
        var input = new CodedInputStream(message);
        for (uint tag; (tag = input.ReadTag()) != 0; )
        {
            if (!take(WireFormat.GetTagFieldNumber(tag), WireFormat.GetTagWireType(tag), input))
                input.SkipLastField();
        }
    }
}
