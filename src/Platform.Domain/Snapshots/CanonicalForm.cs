using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Platform.Domain.Contracts;

namespace Platform.Domain.Snapshots;

/// <summary>
/// Serializer settings that write values of our own types in canonical form at once: a snapshot has some three hundred
/// numbers, and a sweep writes thousands of snapshots. Whatever these settings do not write canonically goes through a
/// <see cref="JsonElement"/>.
/// </summary>
internal static class CanonicalForm
{
    /// <summary>The settings. Frozen.</summary>
    public static readonly JsonSerializerOptions Options = Create();

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(StrictJson.Options)
        {
            TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { SortMembers } },
        };
        // The first that can convert a type does.
        JsonConverter[] own = [new Doubles(), new Longs(), new Texts(), new Elements(), new Dictionaries()];
        for (var i = 0; i < own.Length; i++)
            options.Converters.Insert(i, own[i]);
        options.MakeReadOnly();
        return options;
    }

    /// <exception cref="NotSupportedException">The type has something that would not be written
    /// canonically.</exception>
    private static void SortMembers(JsonTypeInfo type)
    {
        if (
            type.PolymorphismOptions is not null
            || type.Type == typeof(float)
            || type.Type == typeof(decimal)
            || type.Type == typeof(ulong)
            || type.Type == typeof(Int128)
            || type.Type == typeof(UInt128)
        )
            throw new NotSupportedException($"{type.Type} has no canonical form here.");
        JsonPropertyInfo[] sorted = [.. type.Properties.OrderBy(member => member.Name, StringComparer.Ordinal)];
        for (var i = 0; i < sorted.Length; i++)
            sorted[i].Order = i;
    }

    private abstract class Writing<T> : JsonConverter<T>
    {
        public sealed override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException();
    }

    private sealed class Doubles : Writing<double>
    {
        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
        {
            Span<byte> text = stackalloc byte[32];
            // Without an exponent the framework's shortest digits are those of ECMAScript, but for -0; a word for no
            // number has no digits.
            if (
                value != 0
                && double.IsFinite(value)
                && Utf8Formatter.TryFormat(value, text, out var length)
                && !text[..length].Contains((byte)'E')
            )
                writer.WriteRawValue(text[..length], skipInputValidation: true);
            else
                writer.WriteRawValue(CanonicalJson.Number(value), skipInputValidation: true);
        }
    }

    private sealed class Longs : Writing<long>
    {
        // Beyond it ECMAScript has not every whole number.
        private const long MostExact = 1L << 53;

        public override void Write(Utf8JsonWriter writer, long value, JsonSerializerOptions options)
        {
            if (value is >= -MostExact and <= MostExact)
                writer.WriteNumberValue(value);
            else
                writer.WriteRawValue(CanonicalJson.Number(value), skipInputValidation: true);
        }
    }

    private sealed class Texts : Writing<string>
    {
        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options)
        {
            if (IsPlain(value))
                writer.WriteStringValue(value);
            else
                writer.WriteRawValue(CanonicalJson.Text(value), skipInputValidation: true);
        }
    }

    private sealed class Elements : Writing<JsonElement>
    {
        public override void Write(Utf8JsonWriter writer, JsonElement value, JsonSerializerOptions options) =>
            writer.WriteRawValue(CanonicalJson.Write(value), skipInputValidation: true);
    }

    /// <summary>Dictionaries by name, as records have them.</summary>
    private sealed class Dictionaries : JsonConverterFactory
    {
        public override bool CanConvert(Type typeToConvert) =>
            typeToConvert.IsGenericType
            && typeToConvert.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>)
            && typeToConvert.GenericTypeArguments[0] == typeof(string);

        public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
            (JsonConverter)
                Activator.CreateInstance(typeof(Of<>).MakeGenericType(typeToConvert.GenericTypeArguments[1]))!;

        private sealed class Of<T> : Writing<IReadOnlyDictionary<string, T>>
        {
            public override void Write(
                Utf8JsonWriter writer,
                IReadOnlyDictionary<string, T> value,
                JsonSerializerOptions options
            )
            {
                if (!value.Keys.All(IsPlain))
                {
                    writer.WriteRawValue(
                        CanonicalJson.Write(JsonSerializer.SerializeToElement(value, StrictJson.Options)),
                        skipInputValidation: true
                    );
                    return;
                }

                writer.WriteStartObject();
                foreach (var (name, member) in value.OrderBy(it => it.Key, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(name);
                    JsonSerializer.Serialize(writer, member, options);
                }

                writer.WriteEndObject();
            }
        }
    }

    /// <summary>Printable ASCII, of which the framework escapes the same two characters in the same way.</summary>
    private static bool IsPlain(string text) => !text.AsSpan().ContainsAnyExceptInRange(' ', '~');
}
