using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Platform.Domain.Contracts;

/// <summary>
/// The one way in which JSON from outside is read and JSON for outside is written: camelCase, unknown and repeated
/// names refused, nothing but numbers read as numbers. Finite numbers and ranges are the business of each type's own
/// checks: the serializer reads <c>1e400</c> as infinity.
/// </summary>
public static class StrictJson
{
    /// <summary>Deepest nesting that is read.</summary>
    public const int MaxDepth = 32;

    /// <summary>Serializer settings of the contract. Frozen.</summary>
    public static readonly JsonSerializerOptions Options = Create();

    /// <summary>
    /// Reads a value, turning every fault of syntax or shape into an <see cref="InputError"/> with its pointer.
    /// </summary>
    /// <param name="utf8">The JSON text in UTF-8, without a byte order mark.</param>
    /// <param name="value">The value, or null when there is a fault.</param>
    /// <param name="error">The fault, or null.</param>
    public static bool TryRead<T>(
        ReadOnlySpan<byte> utf8,
        [NotNullWhen(true)] out T? value,
        [NotNullWhen(false)] out InputError? error
    )
        where T : class => TryRead(utf8, (JsonTypeInfo<T>)Options.GetTypeInfo(typeof(T)), out value, out error);

    /// <summary>The same for a type whose settings are <see cref="Generated"/>.</summary>
    /// <param name="utf8">The JSON text in UTF-8, without a byte order mark.</param>
    /// <param name="type">What the serializer knows of the type.</param>
    /// <param name="value">The value, or null when there is a fault.</param>
    /// <param name="error">The fault, or null.</param>
    public static bool TryRead<T>(
        ReadOnlySpan<byte> utf8,
        JsonTypeInfo<T> type,
        [NotNullWhen(true)] out T? value,
        [NotNullWhen(false)] out InputError? error
    )
        where T : class
    {
        try
        {
            value = JsonSerializer.Deserialize(utf8, type);
            error = value is null ? new InputError("", "must be an object, not null") : null;
        }
        catch (JsonException fault)
        {
            value = null;
            error = JsonFaults.Describe(fault, type);
        }

        return value is not null;
    }

    /// <summary>Writes a value in the contract's form.</summary>
    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Options);

    /// <summary>
    /// The same settings for types that were generated at build time, for a program that is compiled to machine code.
    /// </summary>
    /// <param name="types">The generated types.</param>
    /// <param name="enums">A converter for each enum among them, from <see cref="Name"/>.</param>
    /// <returns>Frozen settings.</returns>
    public static JsonSerializerOptions Generated(IJsonTypeInfoResolver types, params ReadOnlySpan<JsonConverter> enums)
    {
        var options = Settings(enums);
        options.TypeInfoResolver = types;
        options.MakeReadOnly();
        return options;
    }

    /// <summary>Writes the values of an enum as names.</summary>
    public static JsonConverter Name<T>()
        where T : struct, Enum => new JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false);

    /// <inheritdoc cref="JsonFaults.PointerFromPath"/>
    public static string PointerFromPath(string? path) => JsonFaults.PointerFromPath(path);

    private static JsonSerializerOptions Create()
    {
        var options = Settings(
            new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false),
            new UtcInstantConverter()
        );
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }

    private static JsonSerializerOptions Settings(params ReadOnlySpan<JsonConverter> converters)
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Strict)
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            MaxDepth = MaxDepth,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        foreach (var converter in converters)
            options.Converters.Add(converter);
        return options;
    }
}
