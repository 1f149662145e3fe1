using Platform.Persistence.Ingestion;

namespace Platform.Cli.Ingestion;

/// <summary>What a command did.</summary>
/// <param name="Messages">Messages that it replayed or discarded.</param>
/// <param name="Missing">Ids that it was given and did not find.</param>
internal sealed record RejectionOutcome(int Messages, IReadOnlyList<string> Missing);

/// <summary>
/// Carries an operator's decision out, message by message: it is recorded, then the message is published and confirmed,
/// then it is removed. Killed between two steps, the message is still there; replayed twice, its message-id sees to it
/// that it is stored once.
/// </summary>
internal sealed class RejectionRun(
    RejectedQueue queue,
    RejectionDecisions decisions,
    RejectionAction action,
    string by,
    string why
)
{
    public async Task<RejectionOutcome> RunAsync(RejectedSelection selection, CancellationToken cancel)
    {
        var (messages, done) = (0, new HashSet<string>(StringComparer.Ordinal));
        await foreach (var message in queue.ReadAsync(cancel))
        {
            // One that comes again while we read was replayed and is rejected once more; a copy of one that is
            // discarded goes with it.
            if (!selection.Holds(message) || (!done.Add(message.Id) && action == RejectionAction.Replay))
                continue;
            await CarryOutAsync(message, cancel);
            messages++;
        }

        return new RejectionOutcome(messages, [.. selection.Ids.Except(done)]);
    }

    private async Task CarryOutAsync(RejectedMessage message, CancellationToken cancel)
    {
        var decision = new RejectionDecision(
            action,
            by,
            why,
            message.Id,
            message.Tenant,
            WithoutNul(message.MessageId),
            message.RejectedAt,
            WithoutNul(message.Reason)!
        );
        await decisions.RecordAsync(decision, TimeProvider.System.GetUtcNow(), cancel);
        if (action == RejectionAction.Replay)
            await queue.ReplayAsync(message, cancel);
        await queue.RemoveAsync(message, cancel);
    }

    // The database refuses the character in a text, and a publisher may have written it.
    private static string? WithoutNul(string? text) => text?.Replace('\0', '\uFFFD');
}
