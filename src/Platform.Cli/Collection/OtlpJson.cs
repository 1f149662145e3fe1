using System.Globalization;
using System.Text.Json;

namespace Platform.Cli.Collection;

/// <summary>Reads the spans of an OTLP request for traces in JSON, in which whole numbers of 64 bits are texts.</summary>
internal static class OtlpJson
{
    private const int FailedStatus = 2;

    /// <summary>The request's spans.</summary>
    /// <exception cref="JsonException">That is no such request.</exception>
    public static List<UsageSpan> Read(byte[] request)
    {
        try
        {
            using var json = JsonDocument.Parse(request);
            return [.. Items(json.RootElement, "resourceSpans").SelectMany(group =>
            {
                var resource = group.TryGetProperty("resource", out var it) ? Items(it, "attributes") : [];
                return Items(group, "scopeSpans").SelectMany(scope => Items(scope, "spans")).Select(span => ReadSpan(span, resource));
            })];
        }
        catch (Exception fault) when (fault is InvalidOperationException or FormatException or KeyNotFoundException or OverflowException)
        {
            throw new JsonException(fault.Message, fault);
        }
    }

    private static UsageSpan ReadSpan(JsonElement span, IEnumerable<JsonElement> resource)
    {
        var attributes = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var attribute in resource.Concat(Items(span, "attributes")))
        {
            if (ValueOf(attribute.GetProperty("value")) is { } value)
                attributes[attribute.GetProperty("key").GetString()!] = value;
        }

        var failed = span.TryGetProperty("status", out var status) && status.TryGetProperty("code", out var code)
            && (code.ValueKind == JsonValueKind.Number ? code.GetInt32() == FailedStatus : code.GetString() == "STATUS_CODE_ERROR");
        return new UsageSpan(Nanoseconds(span, "startTimeUnixNano"), Nanoseconds(span, "endTimeUnixNano"), failed, attributes);
    }

    private static object? ValueOf(JsonElement value)
    {
        var kind = value.EnumerateObject().FirstOrDefault();
        return kind.Name switch
        {
            "stringValue" => kind.Value.GetString(),
            "boolValue" => kind.Value.GetBoolean(),
            "intValue" => long.Parse(TextOf(kind.Value), CultureInfo.InvariantCulture),
            "doubleValue" => double.Parse(TextOf(kind.Value), CultureInfo.InvariantCulture),
            _ => null,
        };
    }

    private static ulong Nanoseconds(JsonElement span, string name) => ulong.Parse(TextOf(span.GetProperty(name)), CultureInfo.InvariantCulture);

    private static string TextOf(JsonElement number) => number.ValueKind == JsonValueKind.String ? number.GetString()! : number.GetRawText();

    private static JsonElement.ArrayEnumerator Items(JsonElement element, string name) => element.TryGetProperty(name, out var items) ? items.EnumerateArray() : default;
}
