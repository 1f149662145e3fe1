using System.Text.Json;
using Google.Protobuf;

namespace Platform.Cli.Collection;

/// <summary>
/// OTLP's answer to a request for traces: what of it was left out, and why. Nothing where all was taken.
/// </summary>
/// <param name="outcomes">What became of the request's spans.</param>
internal sealed class PartialSuccess(IEnumerable<SpanOutcome> outcomes)
{
    private readonly KeyValuePair<SpanOutcome, long>[] _rejected =
    [
        .. outcomes
            .Where(it => it.IsRejected())
            .GroupBy(it => it)
            .OrderBy(it => it.Key)
            .Select(it => KeyValuePair.Create(it.Key, it.LongCount())),
    ];

    private long Rejected => _rejected.Sum(it => it.Value);

    private string Message => $"left out: {SpanOutcomes.List(_rejected)}";

    /// <summary>The answer in JSON.</summary>
    public byte[] ToJson()
    {
        if (Rejected == 0)
            return "{}"u8.ToArray();
        // Whole numbers of 64 bits are texts.
        var partialSuccess = new { rejectedSpans = $"{Rejected}", errorMessage = Message };
        return JsonSerializer.SerializeToUtf8Bytes(new { partialSuccess });
    }

    /// <summary>The answer in Protocol Buffers: ExportTraceServiceResponse.partial_success.</summary>
    public byte[] ToProtobuf()
    {
        if (Rejected == 0)
            return [];
        return Written(output =>
        {
            const int Field = 1;
            output.WriteTag(Field, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(Written(WriteFields)));
        });
    }

    /// <summary>ExportTracePartialSuccess.</summary>
    private void WriteFields(CodedOutputStream output)
    {
        const int RejectedSpans = 1,
            ErrorMessage = 2;
        output.WriteTag(RejectedSpans, WireFormat.WireType.Varint);
        output.WriteInt64(Rejected);
        output.WriteTag(ErrorMessage, WireFormat.WireType.LengthDelimited);
        output.WriteString(Message);
    }

    private static byte[] Written(Action<CodedOutputStream> write)
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true))
            write(output);
        return bytes.ToArray();
    }
}
