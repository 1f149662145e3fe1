using Spectre.Console;

namespace Platform.Cli.Ingestion;

/// <summary>Some of the rejected messages.</summary>
/// <param name="Items">The messages, the oldest first, without their bodies.</param>
/// <param name="NextCursor">What the next page begins after; null when there is none.</param>
internal sealed record RejectedPage(IReadOnlyList<RejectedMessage> Items, string? NextCursor)
{
    /// <summary>Reads a page.</summary>
    /// <exception cref="CommandFailure">The message that it begins after is not there any more.</exception>
    public static async Task<RejectedPage> ReadAsync(
        RejectedQueue queue, RejectedSelection selection, string? cursor, int limit, CancellationToken cancel)
    {
        var (items, begun) = (new List<RejectedMessage>(), cursor is null);
        await foreach (var message in queue.ReadAsync(cancel))
        {
            if (begun && selection.Holds(message))
            {
                if (items.Count == limit)
                    return new RejectedPage(items, items[^1].Id);
                items.Add(message with { Body = default });
            }

            begun |= message.Id == cursor;
        }

        return begun ? new RejectedPage(items, null)
            : throw new CommandFailure("--cursor: that message is not there any more", CommandFailure.BadUsage);
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
