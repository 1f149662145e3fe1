using System.Text.Json;
using Platform.Domain.Fleets;

namespace Platform.Persistence.Solving;

/// <summary>Reads a void as Marten has stored it. Members that later versions have added are passed over.</summary>
internal static class StoredVoid
{
    private static readonly JsonSerializerOptions CamelCase = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    /// <summary>Reads one.</summary>
    /// <param name="utf8">The event's data.</param>
    /// <param name="version">Its version in its stream.</param>
    /// <exception cref="FormatException">They are none.</exception>
    public static WorkloadVoided Read(ReadOnlySpan<byte> utf8, long version)
    {
        try
        {
            return JsonSerializer.Deserialize<WorkloadVoided>(utf8, CamelCase) ?? throw new JsonException("null");
        }
        catch (JsonException fault)
        {
            throw new FormatException($"event {version} is no void that can be read: {fault.Message}", fault);
        }
    }
}
