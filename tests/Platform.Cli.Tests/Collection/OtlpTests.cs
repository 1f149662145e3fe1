using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Platform.Cli.Collection;

namespace Platform.Cli.Tests.Collection;

/// <summary>
/// The example of OTLP's JSON, and what is none. What the real exporter sends is read in the integration tests.
/// </summary>
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
        Assert.Equal(
            (1544712660000000000UL, 1544712661500000000UL, false),
            (spans[0].Start, spans[0].End, spans[0].IsFailed)
        );
        Assert.Equal(
            ("math", "gateway", 812.0, 0.5),
            (spans[0].Text("task"), spans[0].Text("service.name"), spans[0].Number("tokens"), spans[0].Number("ratio"))
        );
        Assert.Equal(true, spans[0].Attributes["streamed"]);
        Assert.Equal((null, null), (spans[0].Text("list"), spans[0].Number("task")));
        Assert.Equal(
            (1UL, 2UL, true, "of the resource"),
            (spans[1].Start, spans[1].End, spans[1].IsFailed, spans[1].Text("task"))
        );
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("""{ "resourceSpans": 1 }""")]
    [InlineData("""{ "resourceSpans": [ 1 ] }""")]
    public void What_is_none_is_said_to_be_none(string body) =>
        Assert.ThrowsAny<JsonException>(() => OtlpJson.Read(Encoding.UTF8.GetBytes(body)));

    [Theory]
    [InlineData("{}")]
    [InlineData("1")]
    [InlineData("""{ "startTimeUnixNano": "-1", "endTimeUnixNano": "x" }""")]
    [InlineData("""{ "startTimeUnixNano": 1.5, "endTimeUnixNano": {} }""")]
    public void A_span_that_makes_no_sense_costs_no_other(string span)
    {
        var spans = OtlpJson.Read(
            Encoding.UTF8.GetBytes(
                $$"""{ "resourceSpans": [ { "scopeSpans": [ { "spans": [ {{span}}, { "startTimeUnixNano": 1, "endTimeUnixNano": 2 } ] } ] } ] }"""
            )
        );
        Assert.Equal(2, spans.Count);
        Assert.Equal(0UL, spans[0].Start);
        Assert.Equal((1UL, 2UL), (spans[1].Start, spans[1].End));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{ "intValue": "99999999999999999999" }""")]
    [InlineData("""{ "intValue": null }""")]
    [InlineData("""{ "doubleValue": "much" }""")]
    [InlineData("""{ "boolValue": "yes" }""")]
    [InlineData("""{ "stringValue": 1 }""")]
    [InlineData("\"a\"")]
    public void A_bad_attribute_costs_itself_alone(string value)
    {
        var request = $$"""
            { "resourceSpans": [ { "scopeSpans": [ { "spans": [ { "startTimeUnixNano": 1, "endTimeUnixNano": 2, "status": 2, "attributes": [
              { "key": "bad", "value": {{value}} }, { "key": "none" }, 1, { "key": "good", "value": { "intValue": "7" } } ] } ] } ] } ] }
            """;
        var span = Assert.Single(OtlpJson.Read(Encoding.UTF8.GetBytes(request)));
        Assert.Equal(["good"], span.Attributes.Keys);
        Assert.Equal(7, span.Number("good"));
    }

    [Fact]
    public void A_bad_attribute_in_protocol_buffers_costs_itself_alone()
    {
        // A span with an attribute that ends too early, one of another wire type, and a good one.
        byte[] span =
        [
            0x39,
            1,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0x4a,
            0x03,
            0x0a,
            0x7f,
            0x61,
            0x48,
            0x05,
            0x4a,
            0x0d,
            0x0a,
            0x04,
            .. "task"u8,
            0x12,
            0x05,
            0x0a,
            0x03,
            .. "sum"u8,
        ];
        byte[] request =
        [
            0x0a,
            (byte)(span.Length + 4),
            0x12,
            (byte)(span.Length + 2),
            0x12,
            (byte)span.Length,
            .. span,
        ];
        var read = Assert.Single(OtlpProtobuf.Read(request));
        Assert.Equal((1UL, "sum"), (read.Start, read.Text("task")));
        Assert.Single(read.Attributes);
    }

    [Fact]
    public void A_span_in_protocol_buffers_that_makes_no_sense_costs_no_other()
    {
        byte[] bad = [0x39, 1];
        byte[] good = [0x39, 1, 0, 0, 0, 0, 0, 0, 0];
        byte[] request = [0x0a, 17, 0x12, 15, 0x12, 2, .. bad, 0x12, 9, .. good];
        Assert.Equal([0UL, 1UL], OtlpProtobuf.Read(request).Select(it => it.Start));
    }

    [Fact]
    public void What_is_left_out_is_told_in_the_answer()
    {
        SpanOutcome[] outcomes =
        [
            SpanOutcome.Counted,
            SpanOutcome.OtherWork,
            SpanOutcome.NoTimes,
            SpanOutcome.TooLong,
            SpanOutcome.NoTimes,
        ];
        var answer = new PartialSuccess(outcomes);
        var json = JsonDocument.Parse(answer.ToJson()).RootElement.GetProperty("partialSuccess");
        Assert.Equal(
            ("3", "left out: 2 without a start or an end, 1 longer than a day"),
            (json.GetProperty("rejectedSpans").GetString(), json.GetProperty("errorMessage").GetString())
        );

        var input = new CodedInputStream(answer.ToProtobuf());
        Assert.Equal(0x0aU, input.ReadTag());
        var partial = new CodedInputStream(input.ReadBytes().ToByteArray());
        Assert.Equal((0x08U, 3L), (partial.ReadTag(), partial.ReadInt64()));
        Assert.Equal(
            (0x12U, "left out: 2 without a start or an end, 1 longer than a day"),
            (partial.ReadTag(), partial.ReadString())
        );
    }

    [Fact]
    public void Where_all_was_taken_the_answer_is_empty()
    {
        var answer = new PartialSuccess([SpanOutcome.Counted, SpanOutcome.OtherWork]);
        Assert.Equal("{}", Encoding.UTF8.GetString(answer.ToJson()));
        Assert.Empty(answer.ToProtobuf());
    }

    /// <summary>Damaged bytes are a request without sense, or none, and nothing else.</summary>
    [Fact]
    public void No_bytes_make_the_reader_of_protocol_buffers_fail_in_another_way()
    {
        // A request with one span: resource_spans { scope_spans { spans { start, end, attribute } } }.
        byte[] request =
        [
            0x0a,
            0x29,
            0x12,
            0x27,
            0x12,
            0x25,
            0x39,
            1,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0x41,
            2,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0x4a,
            0x0f,
            0x0a,
            0x04,
            .. "task"u8,
            0x12,
            0x07,
            0x0a,
            0x05,
            .. "maths"u8,
            0x7a,
            0x00,
        ];
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
