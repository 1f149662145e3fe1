using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Platform.Cli.Collection;

namespace Platform.Cli.Tests.Collection;

/// <summary>The example of OTLP's JSON, and what is none. What the real exporter sends is read in the integration tests.</summary>
public sealed class OtlpTests
{
    private const string Request = """
        { "resourceSpans": [
          { "resource": { "attributes": [ { "key": "service.name", "value": { "stringValue": "gateway" } }, { "key": "task", "value": { "stringValue": "of the resource" } } ] },
            "scopeSpans": [ { "scope": { "name": "s" }, "spans": [
              { "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174", "name": "chat", "kind": 3,
                "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661500000000",
                "attributes": [
                  { "key": "task", "value": { "stringValue": "math" } },
                  { "key": "tokens", "value": { "intValue": "812" } },
                  { "key": "ratio", "value": { "doubleValue": 0.5 } },
                  { "key": "streamed", "value": { "boolValue": true } },
                  { "key": "list", "value": { "arrayValue": { "values": [ { "stringValue": "a" } ] } } } ],
                "status": {} },
              { "startTimeUnixNano": "1", "endTimeUnixNano": 2, "status": { "code": 2 } } ] } ] },
          { "scopeSpans": [] } ] }
        """;

    [Fact]
    public void Spans_are_read_with_their_attributes_and_those_of_their_resource()
    {
        var spans = OtlpJson.Read(Encoding.UTF8.GetBytes(Request));
        Assert.Equal(2, spans.Count);
        Assert.Equal((1544712660000000000UL, 1544712661500000000UL, false), (spans[0].Start, spans[0].End, spans[0].IsFailed));
        Assert.Equal(("math", "gateway", 812.0, 0.5), (spans[0].Text("task"), spans[0].Text("service.name"), spans[0].Number("tokens"), spans[0].Number("ratio")));
        Assert.Equal(true, spans[0].Attributes["streamed"]);
        Assert.Equal((null, null), (spans[0].Text("list"), spans[0].Number("task")));
        Assert.Equal((1UL, 2UL, true, "of the resource"), (spans[1].Start, spans[1].End, spans[1].IsFailed, spans[1].Text("task")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("""{ "resourceSpans": 1 }""")]
    [InlineData("""{ "resourceSpans": [ 1 ] }""")]
    [InlineData("""{ "resourceSpans": [ { "scopeSpans": [ { "spans": [ {} ] } ] } ] }""")]
    [InlineData("""{ "resourceSpans": [ { "scopeSpans": [ { "spans": [ { "startTimeUnixNano": "-1", "endTimeUnixNano": "x" } ] } ] } ] }""")]
    [InlineData("""{ "resourceSpans": [ { "scopeSpans": [ { "spans": [ { "attributes": [ { "key": "a", "value": { "intValue": "99999999999999999999" } } ] } ] } ] } ] }""")]
    public void What_is_none_is_said_to_be_none(string body) => Assert.ThrowsAny<JsonException>(() => OtlpJson.Read(Encoding.UTF8.GetBytes(body)));

    /// <summary>Damaged bytes are a request without sense, or none, and nothing else.</summary>
    [Fact]
    public void No_bytes_make_the_reader_of_protocol_buffers_fail_in_another_way()
    {
        // A request with one span: resource_spans { scope_spans { spans { start, end, attribute } } }.
        byte[] request = [0x0a, 0x29, 0x12, 0x27, 0x12, 0x25, 0x39, 1, 0, 0, 0, 0, 0, 0, 0, 0x41, 2, 0, 0, 0, 0, 0, 0, 0, 0x4a, 0x0f, 0x0a, 0x04, .. "task"u8, 0x12, 0x07, 0x0a, 0x05, .. "maths"u8, 0x7a, 0x00];
        var span = Assert.Single(OtlpProtobuf.Read(request));
        Assert.Equal((1UL, 2UL, "maths"), (span.Start, span.End, span.Text("task")));
        var random = new Random(1);
        var refused = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var damaged = request.AsSpan(0, random.Next(1, request.Length + 1)).ToArray();
            for (var j = random.Next(4); j >= 0; j--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                OtlpProtobuf.Read(damaged);
            }
            catch (InvalidProtocolBufferException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1_000, 19_999);
    }
}
