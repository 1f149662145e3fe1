using Spectre.Console;

namespace Platform.Cli.Ingestion;

/// <summary>Some of the rejected messages.</summary>
/// <param name="Items">The messages, the oldest first, without their bodies.</param>
/// <param name="NextCursor">What the next page begins after; null when there is none.</param>
internal sealed record RejectedPage(IReadOnlyList<RejectedMessage> Items, string? NextCursor)
{
    /// <summary>
    /// Reads a page, in the order of rejection. The broker's own order means nothing: it hands back what a command held in no order of any kind.
    /// </summary>
    public static async Task<RejectedPage> ReadAsync(
        RejectedQueue queue, RejectedSelection selection, string? cursor, int limit, CancellationToken cancel)
    {
        var selected = new List<RejectedMessage>();
        await foreach (var message in queue.ReadAsync(cancel))
        {
            if (selection.Holds(message) && string.CompareOrdinal(message.Position, cursor) > 0)
                selected.Add(message with { Body = default });
        }

        RejectedMessage[] items = [.. selected.OrderBy(message => message.Position, StringComparer.Ordinal).Take(limit)];
        return new RejectedPage(items, items.Length < selected.Count ? items[^1].Position : null);
    }

    public Table ToTable()
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("id", "rejected (UTC)", "tenant", "fleet", "message-id", "reason");
        foreach (var message in Items)
        {
            table.AddRow(((string?[])[message.Id, $"{message.RejectedAt:yyyy-MM-dd HH:mm:ss}", message.Tenant, message.Fleet, message.MessageId, message.Reason])
                .Select(cell => new Text(RejectedCommand.Printable(cell ?? "-"))));
        }

        return table.Caption(NextCursor is null ? $"{Items.Count} messages" : $"{Items.Count} messages; more with --cursor {NextCursor}");
    }
}
