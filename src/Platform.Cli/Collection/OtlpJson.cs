using System.Globalization;
using System.Text.Json;

namespace Platform.Cli.Collection;

/// <summary>
/// Reads the spans of an OTLP request for traces in JSON, in which whole numbers of 64 bits are texts. A bad attribute
/// costs itself alone, a bad span no other.
/// </summary>
internal static class OtlpJson
{
    private const int FailedStatus = 2;

    /// <summary>
    /// The request's spans; <see cref="UsageSpan.Unreadable"/> in the place of one that makes no sense.
    /// </summary>
    /// <exception cref="JsonException">That is no such request.</exception>
    public static List<UsageSpan> Read(byte[] request)
    {
        using var json = JsonDocument.Parse(request);
        var spans = new List<UsageSpan>();
        foreach (var group in Items(Object(json.RootElement), "resourceSpans"))
        {
            var resource = ResourceAttributes(Object(group));
            foreach (var scope in Items(group, "scopeSpans"))
                spans.AddRange(Items(Object(scope), "spans").Select(span => ReadSpan(span, resource)));
        }

        return spans;
    }

    private static List<JsonElement> ResourceAttributes(JsonElement group)
    {
        var isTold = group.TryGetProperty("resource", out var resource) && resource.ValueKind == JsonValueKind.Object;
        return isTold ? Items(resource, "attributes") : [];
    }

    private static UsageSpan ReadSpan(JsonElement span, List<JsonElement> resource)
    {
        if (span.ValueKind != JsonValueKind.Object)
            return UsageSpan.Unreadable;
        var start = Nanoseconds(span, "startTimeUnixNano");
        var end = Nanoseconds(span, "endTimeUnixNano");
        if (start is null || end is null)
            return UsageSpan.Unreadable;
        var attributes = new Dictionary<string, object>(StringComparer.Ordinal);
        var own =
            span.TryGetProperty("attributes", out var told) && told.ValueKind == JsonValueKind.Array
                ? told.EnumerateArray()
                : default;
        foreach (var attribute in resource.Concat(own))
            Add(attributes, attribute);
        return new UsageSpan(start.Value, end.Value, IsFailed(span), attributes) { Name = TextOf(span, "name") ?? "" };
    }

    private static void Add(Dictionary<string, object> attributes, JsonElement attribute)
    {
        if (attribute.ValueKind != JsonValueKind.Object || TextOf(attribute, "key") is not { } key)
            return;
        var isTold = attribute.TryGetProperty("value", out var any) && any.ValueKind == JsonValueKind.Object;
        if (isTold && ValueOf(any) is { } value)
            attributes[key] = value;
    }

    /// <summary>
    /// An AnyValue, of which text, truth values and numbers are of use; null for one that has no value.
    /// </summary>
    private static object? ValueOf(JsonElement any)
    {
        foreach (var member in any.EnumerateObject())
        {
            return member.Name switch
            {
                "stringValue" => Text(member.Value),
                "boolValue" => Truth(member.Value),
                "intValue" => Whole(member.Value),
                "doubleValue" => Number(member.Value),
                _ => null,
            };
        }

        return null;
    }

    private static bool IsFailed(JsonElement span)
    {
        if (!span.TryGetProperty("status", out var status) || status.ValueKind != JsonValueKind.Object)
            return false;
        if (!status.TryGetProperty("code", out var code))
            return false;
        return Text(code) == "STATUS_CODE_ERROR"
            || (code.ValueKind == JsonValueKind.Number && code.TryGetInt32(out var number) && number == FailedStatus);
    }

    private static bool? Truth(JsonElement value) =>
        value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null;

    private static long? Whole(JsonElement value) =>
        long.TryParse(Written(value), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)
            ? whole
            : null;

    private static double? Number(JsonElement value) =>
        double.TryParse(Written(value), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    /// <summary>0 where there is none; null where it makes no sense.</summary>
    private static ulong? Nanoseconds(JsonElement span, string name)
    {
        if (!span.TryGetProperty(name, out var told) || told.ValueKind == JsonValueKind.Null)
            return 0;
        return ulong.TryParse(Written(told), NumberStyles.None, CultureInfo.InvariantCulture, out var nanoseconds)
            ? nanoseconds
            : null;
    }

    private static string? Written(JsonElement number) =>
        number.ValueKind switch
        {
            JsonValueKind.String => Text(number),
            JsonValueKind.Number => number.GetRawText(),
            _ => null,
        };

    private static string? TextOf(JsonElement element, string name) =>
        element.TryGetProperty(name, out var text) ? Text(text) : null;

    private static string? Text(JsonElement text)
    {
        try
        {
            return text.ValueKind == JsonValueKind.String ? text.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, escaped.
            return null;
        }
    }

    private static JsonElement Object(JsonElement element) =>
        element.ValueKind == JsonValueKind.Object ? element : throw new JsonException("an object was expected");

    private static List<JsonElement> Items(JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var items) || items.ValueKind == JsonValueKind.Null)
            return [];
        return items.ValueKind == JsonValueKind.Array
            ? [.. items.EnumerateArray()]
            : throw new JsonException($"{name} must be an array");
    }
}
