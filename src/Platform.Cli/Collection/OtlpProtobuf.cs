using Google.Protobuf;

namespace Platform.Cli.Collection;

/// <summary>
/// Reads the spans of an OTLP request for traces in Protocol Buffers: the few fields that are needed, by their numbers in
/// <c>opentelemetry/proto</c> 1.x, which never change; all others are passed over.
/// </summary>
internal static class OtlpProtobuf
{
    private const int FailedStatus = 2;

    // ExportTraceServiceRequest.resource_spans; ResourceSpans.resource and .scope_spans; Resource.attributes; ScopeSpans.spans.
    private const int ResourceSpans = 1, Resource = 1, ScopeSpans = 2, ResourceAttributes = 1, Spans = 2;

    // Span's.
    private const int Start = 7, End = 8, Attributes = 9, Status = 15;

    /// <summary>The request's spans.</summary>
    /// <exception cref="InvalidProtocolBufferException">That is no such request.</exception>
    public static List<UsageSpan> Read(byte[] request)
    {
        var spans = new List<UsageSpan>();
        foreach (var group in Messages(request, ResourceSpans))
        {
            var resource = new Dictionary<string, object>(StringComparer.Ordinal);
            foreach (var attribute in Messages(group, Resource).SelectMany(it => Messages(it, ResourceAttributes)))
                Add(resource, attribute);
            spans.AddRange(Messages(group, ScopeSpans).SelectMany(scope => Messages(scope, Spans)).Select(span => ReadSpan(span, resource)));
        }

        return spans;
    }

    private static UsageSpan ReadSpan(byte[] span, Dictionary<string, object> resource)
    {
        var (start, end, failed, attributes) = (0UL, 0UL, false, new Dictionary<string, object>(resource, StringComparer.Ordinal));
        Each(span, (field, input) =>
        {
            if (field == Start)
                start = input.ReadFixed64();
            else if (field == End)
                end = input.ReadFixed64();
            else if (field == Attributes)
                Add(attributes, input.ReadBytes().ToByteArray());
            else if (field == Status)
                failed = IsFailed(input.ReadBytes().ToByteArray());
            else
                return false;
            return true;
        });
        return new UsageSpan(start, end, failed, attributes);
    }

    private static bool IsFailed(byte[] status)
    {
        const int Code = 3;
        var failed = false;
        Each(status, (field, input) =>
        {
            if (field != Code)
                return false;
            failed = input.ReadEnum() == FailedStatus;
            return true;
        });
        return failed;
    }

    /// <summary>KeyValue: key, and an AnyValue of which text, truth values and numbers are of use.</summary>
    private static void Add(Dictionary<string, object> attributes, byte[] keyValue)
    {
        const int Key = 1, Value = 2, Text = 1, Truth = 2, Whole = 3, Number = 4;
        string? key = null;
        object? value = null;
        Each(keyValue, (field, input) =>
        {
            if (field == Key)
                key = input.ReadString();
            else if (field == Value)
                Each(input.ReadBytes().ToByteArray(), (kind, inner) => (value = kind switch
                {
                    Text => inner.ReadString(),
                    Truth => inner.ReadBool(),
                    Whole => inner.ReadInt64(),
                    Number => inner.ReadDouble(),
                    _ => null,
                }) is not null);
            else
                return false;
            return true;
        });
        if (key is not null && value is not null)
            attributes[key] = value;
    }

    private static List<byte[]> Messages(byte[] message, int wanted)
    {
        var found = new List<byte[]>();
        Each(message, (field, input) =>
        {
            if (field != wanted)
                return false;
            found.Add(input.ReadBytes().ToByteArray());
            return true;
        });
        return found;
    }

    /// <summary>Hands each field over; what is not read is passed over.</summary>
    private static void Each(byte[] message, Func<int, CodedInputStream, bool> read)
    {
        var input = new CodedInputStream(message);
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            if (!read(WireFormat.GetTagFieldNumber(tag), input))
                input.SkipLastField();
        }
    }
}
