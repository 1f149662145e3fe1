using System.Globalization;
using Spectre.Console;

namespace Platform.Cli.Ingestion;

/// <summary>Some of the rejected messages.</summary>
/// <param name="Items">The messages, the oldest first, without their bodies.</param>
/// <param name="NextCursor">What the next page begins after; null when there is none.</param>
internal sealed record RejectedPage(IReadOnlyList<RejectedMessage> Items, string? NextCursor)
{
    /// <summary>
    /// Reads a page, in the order of rejection. The broker's own order means nothing: it hands back what a command held
    /// in no order of any kind.
    /// </summary>
    public static async Task<RejectedPage> ReadAsync(
        RejectedQueue queue,
        RejectedSelection selection,
        string? cursor,
        int limit,
        CancellationToken cancel
    )
    {
        var selected = new List<RejectedMessage>();
        await foreach (var message in queue.ReadAsync(cancel))
        {
            if (selection.Holds(message) && string.CompareOrdinal(message.Position, cursor) > 0)
                selected.Add(message with { Body = default });
        }

        RejectedMessage[] items =
        [
            .. selected.OrderBy(message => message.Position, StringComparer.Ordinal).Take(limit),
        ];
        return new RejectedPage(items, items.Length < selected.Count ? items[^1].Position : null);
    }

    /// <summary>How many messages there are, and how to go on.</summary>
    public string Summary =>
        NextCursor is null ? $"{Items.Count} messages" : $"{Items.Count} messages; more with --cursor {NextCursor}";

    /// <summary>The page for a person at a terminal.</summary>
    public Table ToTable()
    {
        var table = new Table()
            .Border(TableBorder.Simple)
            .AddColumns("id", "rejected (UTC)", "tenant", "fleet", "message-id", "reason");
        foreach (var message in Items)
            table.AddRow(CellsOf(message, "yyyy-MM-dd HH:mm:ss").Select(cell => new Text(cell)));
        return table.Caption(Summary);
    }

    /// <summary>
    /// The page for another program: a line for each message, whole, with tabs between id, instant, tenant, fleet,
    /// message-id and reason. What is
    /// not there is a hyphen.
    /// </summary>
    public IEnumerable<string> ToLines() =>
        Items.Select(message => string.Join('\t', CellsOf(message, "yyyy-MM-dd'T'HH:mm:ss'Z'")));

    private static IEnumerable<string> CellsOf(RejectedMessage message, string instantFormat)
    {
        var at = message.RejectedAt.UtcDateTime.ToString(instantFormat, CultureInfo.InvariantCulture);
        string?[] cells = [message.Id, at, message.Tenant, message.Fleet, message.MessageId, message.Reason];
        return cells.Select(cell => RejectedCommand.Printable(cell ?? "-"));
    }
}
