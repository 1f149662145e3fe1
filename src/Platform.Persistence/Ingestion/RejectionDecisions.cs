namespace Platform.Persistence.Ingestion;

/// <summary>What an operator decided about a rejected message.</summary>
public enum RejectionAction
{
    /// <summary>Send it to the intake once more.</summary>
    Replay,

    /// <summary>Give it up.</summary>
    Discard,
}

/// <summary>An operator's decision about one rejected message.</summary>
/// <param name="Action">What is to be done.</param>
/// <param name="Operator">Who decided.</param>
/// <param name="Why">The operator's reason.</param>
/// <param name="RejectedId">The message, by the digest of what it is.</param>
/// <param name="Tenant">The tenant that the message proves, or null.</param>
/// <param name="MessageId">Its message-id, as the publisher wrote it, or null.</param>
/// <param name="RejectedAt">When it was rejected.</param>
/// <param name="RejectedFor">Why it was rejected.</param>
public sealed record RejectionDecision(
    RejectionAction Action,
    string Operator,
    string Why,
    string RejectedId,
    string? Tenant,
    string? MessageId,
    DateTimeOffset RejectedAt,
    string RejectedFor
);

/// <summary>The record of what operators decided about rejected messages. It is only ever added to.</summary>
public sealed class RejectionDecisions(PlatformStore store)
{
    /// <summary>What stands for the tenant of a message that proves none. No tenant has this id.</summary>
    public const string NoTenant = "-";

    /// <summary>
    /// Records a decision before it is carried out: of what was done to a message there is always a record. One without
    /// an effect means that the operator's command was cut short; the message is then still there.
    /// </summary>
    public async Task RecordAsync(RejectionDecision decision, DateTimeOffset at, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(decision.Tenant ?? NoTenant, cancel);
        session.Rows.RejectionDecisions.Add(
            new RejectionDecisionRow
            {
                DecisionId = Guid.CreateVersion7(at),
                TenantId = session.Tenant,
                DecidedAt = at,
                Operator = decision.Operator,
                Action = decision.Action == RejectionAction.Replay ? "replay" : "discard",
                Why = decision.Why,
                RejectedId = decision.RejectedId,
                MessageId = decision.MessageId,
                RejectedAt = decision.RejectedAt,
                RejectedFor = decision.RejectedFor,
            }
        );
        await session.CommitAsync(cancel);
    }
}

/// <summary>A decision as it is stored.</summary>
internal sealed class RejectionDecisionRow
{
    public required Guid DecisionId { get; init; }

    /// <summary>The tenant that the message proves, or <see cref="RejectionDecisions.NoTenant"/>.</summary>
    public required string TenantId { get; init; }

    public required DateTimeOffset DecidedAt { get; init; }

    public required string Operator { get; init; }

    /// <summary><c>replay</c> or <c>discard</c>.</summary>
    public required string Action { get; init; }

    public required string Why { get; init; }

    public required string RejectedId { get; init; }

    public string? MessageId { get; init; }

    public required DateTimeOffset RejectedAt { get; init; }

    public required string RejectedFor { get; init; }
}
