using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Platform.Domain.Contracts;

/// <summary>
/// Says what is wrong with a JSON text that the serializer has refused, in words of JSON: the serializer's own messages
/// name types of this program, which mean nothing to the sender.
/// </summary>
internal static class JsonFaults
{
    private const int MostNames = 20;
    private const string Unfitting = "does not have the form that belongs here";

    /// <summary>The fault, with its place.</summary>
    /// <param name="fault">What the serializer has thrown.</param>
    /// <param name="root">What it has tried to read.</param>
    public static InputError Describe(JsonException fault, JsonTypeInfo root)
    {
        var pointer = PointerFromPath(fault.Path);
        var words = fault.InnerException is JsonException syntax
            ? SyntaxWords(syntax.Message)
            : ShapeWords(fault.Message, pointer, root);
        return new InputError(pointer, words + Place(fault));
    }

    /// <summary>
    /// Turns the serializer's path (<c>$.tasks[0].arrivals</c>, <c>$['a.b']</c>) into a JSON Pointer
    /// (<c>/tasks/0/arrivals</c>).
    /// </summary>
    public static string PointerFromPath(string? path)
    {
        var pointer = new StringBuilder();
        for (var i = 1; path is not null && i < path.Length; )
        {
            var quoted = path.AsSpan(i).StartsWith("['", StringComparison.Ordinal);
            var start = i + (quoted ? 2 : 1);
            var end =
                quoted ? path.IndexOf("']", start, StringComparison.Ordinal)
                : path[i] == '[' ? path.IndexOf(']', start)
                : path.IndexOfAny(['.', '['], start);
            if (end < 0)
                end = path.Length;
            pointer.Append('/').Append(Escaped(path[start..end]));
            i =
                quoted ? end + 2
                : path[i] == '[' ? end + 1
                : end;
        }

        return pointer.ToString();
    }

    private static string Escaped(string name) =>
        name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private static string Unescaped(string step) =>
        step.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);

    private static string Place(JsonException fault) =>
        fault.LineNumber is { } line
            ? string.Create(CultureInfo.InvariantCulture, $" (line {line + 1}, byte {fault.BytePositionInLine + 1})")
            : "";

    /// <summary>The reader speaks of JSON, with few exceptions; behind its words it repeats the place.</summary>
    private static string SyntaxWords(string message)
    {
        if (message.Contains("isFinalBlock", StringComparison.Ordinal))
            return "is empty: there is no JSON value";
        if (message.Contains("maximum configured depth", StringComparison.Ordinal))
            return $"is nested more than {StrictJson.MaxDepth} deep";
        if (message.Contains("Expected depth to be zero", StringComparison.Ordinal))
            return "ends before it is complete: an object or array is not closed";
        return $"is no valid JSON: {Before(Before(message, " LineNumber:"), " Path:").TrimEnd('.')}";
    }

    private static string ShapeWords(string message, string pointer, JsonTypeInfo root)
    {
        // Converters of our own say it themselves.
        if (message.StartsWith("must ", StringComparison.Ordinal))
            return Before(message, " Path: ");
        if (message.Contains("missing required properties", StringComparison.Ordinal))
            return $"lacks {string.Join(", ", NamesIn(message))}";
        if (message.Contains("could not be mapped", StringComparison.Ordinal))
            return UnknownName(pointer, root);
        if (message.Contains("Duplicate property", StringComparison.Ordinal))
            return "appears more than once in its object";
        if (message.Contains("null values", StringComparison.Ordinal))
            return "must not be null";
        return TypeAt(pointer, root) is { } expected ? ExpectedWords(expected) : Unfitting;
    }

    private static string UnknownName(string pointer, JsonTypeInfo root)
    {
        var parent = pointer[..Math.Max(0, pointer.LastIndexOf('/'))];
        if (TypeAt(parent, root) is not { Kind: JsonTypeInfoKind.Object } type)
            return "is no name that belongs here";
        string[] known =
        [
            .. type.Properties.Where(IsRead).Select(property => property.Name).Order(StringComparer.Ordinal),
        ];
        var list = string.Join(", ", known.Take(MostNames));
        var others = known.Length > MostNames ? " and others" : "";
        return $"is no name that belongs here; those that do are {list}{others}";
    }

    private static bool IsRead(JsonPropertyInfo property) =>
        property.Set is not null || property.AssociatedParameter is not null;

    /// <summary>What belongs at a place of the document; null where that cannot be told.</summary>
    private static JsonTypeInfo? TypeAt(string pointer, JsonTypeInfo root)
    {
        var type = root;
        foreach (var step in pointer.Split('/').Skip(1))
        {
            var next =
                type.Kind == JsonTypeInfoKind.Object
                    ? type.Properties.FirstOrDefault(property => property.Name == Unescaped(step))?.PropertyType
                    : type.ElementType;
            if (next is null)
                return null;
            type = type.Options.GetTypeInfo(next);
        }

        return type;
    }

    private static string ExpectedWords(JsonTypeInfo expected)
    {
        var type = Nullable.GetUnderlyingType(expected.Type) ?? expected.Type;
        if (type.IsEnum)
            return $"must be one of {string.Join(", ", Enum.GetNames(type).Select(Quoted))}";
        return expected.Kind switch
        {
            JsonTypeInfoKind.Enumerable => "must be an array",
            JsonTypeInfoKind.Object or JsonTypeInfoKind.Dictionary => "must be an object",
            _ => ValueWords(type),
        };
    }

    private static string Quoted(string name) => $"\"{JsonNamingPolicy.CamelCase.ConvertName(name)}\"";

    private static string ValueWords(Type type)
    {
        if (type == typeof(string))
            return "must be a text in quotes, of valid Unicode";
        if (type == typeof(bool))
            return "must be true or false";
        if (type == typeof(long))
            return $"must be a whole number of at most {long.MaxValue}, not in quotes";
        if (type == typeof(int))
            return $"must be a whole number of at most {int.MaxValue}, not in quotes";
        if (type == typeof(double) || type == typeof(float) || type == typeof(decimal))
            return "must be a number, not in quotes";
        if (type == typeof(DateTimeOffset))
            return "must be an instant in RFC 3339 with the offset Z (UTC), such as 2026-11-23T10:00:00Z";
        if (type == typeof(Guid))
            return "must be a UUID in quotes";
        return Unfitting;
    }

    /// <summary>The names in single quotes behind the message's word "including".</summary>
    private static IEnumerable<string> NamesIn(string message)
    {
        var list = message[(message.IndexOf("including", StringComparison.Ordinal) + "including".Length)..];
        return Before(list, " Path: ").Split('\'').Where((_, i) => i % 2 == 1);
    }

    private static string Before(string text, string mark)
    {
        var at = text.IndexOf(mark, StringComparison.Ordinal);
        return at < 0 ? text : text[..at];
    }
}
