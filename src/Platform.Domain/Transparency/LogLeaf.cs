using System.Text.Json;
using System.Text.Json.Nodes;
using Platform.Domain.Snapshots;

namespace Platform.Domain.Transparency;

/// <summary>An entry of a tenant's log: one event that was decided, as it is stored.</summary>
/// <param name="Tenant">The tenant's id.</param>
/// <param name="Fleet">The fleet that it is about; null for what is about the tenant itself.</param>
/// <param name="StreamVersion">Version of the stream of decisions after it, from 1.</param>
/// <param name="Event">Name of the event.</param>
/// <param name="Data">The event, in JSON.</param>
public sealed record LogLeaf(string Tenant, string? Fleet, long StreamVersion, string Event, string Data)
{
    /// <summary>The canonical JSON (RFC 8785) of which the leaf's hash is taken, in UTF-8.</summary>
    /// <exception cref="JsonException">The data are no JSON.</exception>
    public byte[] ToCanonicalBytes()
    {
        var leaf = new JsonObject
        {
            ["data"] = JsonNode.Parse(Data),
            ["event"] = Event,
            ["fleet"] = Fleet,
            ["streamVersion"] = StreamVersion,
            ["tenant"] = Tenant,
        };
        using var document = JsonSerializer.SerializeToDocument(leaf);
        return CanonicalJson.Write(document.RootElement);
    }

    /// <summary>The leaf's hash.</summary>
    public byte[] Hash() => MerkleTree.LeafHash(ToCanonicalBytes());
}
