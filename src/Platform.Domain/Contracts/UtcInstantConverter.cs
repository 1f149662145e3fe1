using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Platform.Domain.Contracts;

/// <summary>
/// Reads an instant in RFC 3339, UTC only: <c>2026-11-23T10:00:00Z</c>, a fraction of up to 16 digits (cut to 100 ns),
/// or <c>+00:00</c>. The serializer's own reading takes a text without an offset to be in the machine's time zone: the
/// same bytes would then mean different instants on different machines.
/// </summary>
internal sealed partial class UtcInstantConverter : JsonConverter<DateTimeOffset>
{
    /// <inheritdoc/>
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String
        && Shape().IsMatch(reader.GetString()!)
        && reader.TryGetDateTimeOffset(out var instant)
            ? instant
            : throw new JsonException(
                "must be an instant in RFC 3339 with the offset Z (UTC), such as 2026-11-23T10:00:00Z"
            );

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(
            value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture)
        );

    [GeneratedRegex(
        @"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,16})?(Z|\+00:00)\z",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Shape();
}
