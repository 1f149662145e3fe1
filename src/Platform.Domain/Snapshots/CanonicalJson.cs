using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Platform.Domain.Snapshots;

/// <summary>
/// JSON Canonicalization Scheme (RFC 8785): members sorted by UTF-16 code units, no white space, numbers as ECMAScript
/// prints them. One value has one text, so that its hash can be taken and taken again.
/// </summary>
public static class CanonicalJson
{
    /// <summary>The canonical text of a value in the contract's form, in UTF-8.</summary>
    /// <exception cref="NotSupportedException">The value's type is none of the contract's.</exception>
    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, CanonicalForm.Options);

    /// <summary>The canonical text of a JSON value, in UTF-8.</summary>
    public static byte[] Write(JsonElement value)
    {
        var text = new StringBuilder();
        Append(text, value);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>
    /// A number as ECMAScript prints it (ECMA-262, Number::toString): the shortest digits that read back to the same
    /// double.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is infinite or NaN, which JSON has no word
    /// for.</exception>
    public static string Number(double value)
    {
        if (!double.IsFinite(value))
            throw new ArgumentOutOfRangeException(nameof(value), value, "JSON has no infinity and no NaN.");
        if (value == 0)
            return "0";
        var (digits, exponent) = ShortestDigits(Math.Abs(value));
        var sign = value < 0 ? "-" : "";
        return sign
            + exponent switch
            {
                >= 0 and <= 20 when digits.Length <= exponent + 1 => digits.PadRight(exponent + 1, '0'),
                >= 0 and <= 20 => $"{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}",
                < 0 and >= -6 => $"0.{new string('0', -exponent - 1)}{digits}",
                _ =>
                    $"{digits[0]}{(digits.Length > 1 ? "." : "")}{digits[1..]}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent)}",
            };
    }

    /// <summary>A string in its quotation marks.</summary>
    internal static string Text(string value)
    {
        var text = new StringBuilder();
        AppendString(text, value);
        return text.ToString();
    }

    private static void Append(StringBuilder text, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                AppendObject(text, value);
                break;
            case JsonValueKind.Array:
                text.Append('[');
                foreach (var (i, item) in value.EnumerateArray().Index())
                    Append(i == 0 ? text : text.Append(','), item);
                text.Append(']');
                break;
            case JsonValueKind.String:
                AppendString(text, value.GetString()!);
                break;
            case JsonValueKind.Number:
                text.Append(Number(value.GetDouble()));
                break;
            default:
                text.Append(value.GetRawText());
                break;
        }
    }

    private static void AppendObject(StringBuilder text, JsonElement value)
    {
        text.Append('{');
        foreach (
            var (i, member) in value.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal).Index()
        )
        {
            AppendString(i == 0 ? text : text.Append(','), member.Name);
            Append(text.Append(':'), member.Value);
        }

        text.Append('}');
    }

    // The framework's most relaxed encoder still escapes some characters that RFC 8785 wants as they are, and in
    // capitals.
    private static void AppendString(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                < ' ' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        }

        text.Append('"');
    }

    private static (string Digits, int Exponent) ShortestDigits(double magnitude)
    {
        // "E16" would give 17 digits; the round-trip format gives the shortest ones, in a notation of its own choice.
        var text = magnitude.ToString("R", CultureInfo.InvariantCulture);
        var mark = text.IndexOf('E', StringComparison.Ordinal);
        var exponent =
            mark < 0
                ? 0
                : int.Parse(text.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = mark < 0 ? text : text[..mark];
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var whole = point < 0 ? mantissa.Length : point;
        var all = mantissa.Replace(".", "", StringComparison.Ordinal);
        var leading = all.Length - all.TrimStart('0').Length;
        return (all.Trim('0'), exponent + whole - 1 - leading);
    }
}
