using System.Text.Json;
using Npgsql;
using Platform.Domain.Notices;
using Platform.Persistence.Solving;

namespace Platform.Persistence.Notices;

/// <summary>Reads what is told of a change.</summary>
internal static class InForceNotices
{
    /// <summary>Columns of a change <c>c</c> with its snapshot <c>a</c>, or none.</summary>
    public const string Columns =
        """c.fleet_id, c.change, c.at, c.version, c.cause, c."by", c.reason, a.hash, a.summary, case when a.summary is null then a.document end""";

    /// <summary>How many columns these are.</summary>
    public const int Count = 10;

    /// <summary>Reads them from the first column on.</summary>
    public static InForceNotice Read(NpgsqlDataReader reader, string tenant) =>
        new()
        {
            Tenant = tenant,
            Fleet = reader.GetString(0),
            Change = reader.GetInt64(1),
            At = reader.GetFieldValue<DateTimeOffset>(2),
            Version = reader.GetInt32(3),
            Cause = reader.GetString(4),
            By = Text(reader, 5),
            Reason = Text(reader, 6),
            Hash = Text(reader, 7),
            Tokens = Tokens(reader, 8),
        };

    /// <summary>
    /// A document that was tampered with is a case for the verification; who waits for news of the fleet gets them
    /// without tokens.
    /// </summary>
    private static IReadOnlyDictionary<string, long> Tokens(NpgsqlDataReader reader, int column)
    {
        try
        {
            return SolveReading.Summary(reader, column)?.Given ?? new Dictionary<string, long>();
        }
        catch (Exception fault) when (fault is JsonException or FormatException)
        {
            return new Dictionary<string, long>();
        }
    }

    private static string? Text(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetString(column);
}
