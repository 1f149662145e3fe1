using System.Diagnostics.CodeAnalysis;

namespace Platform.Domain;

/// <summary>Why a command was refused.</summary>
public enum Refusal
{
    /// <summary>What it speaks of does not exist, or no longer.</summary>
    NotFound,

    /// <summary>It was decided on a state that has changed since.</summary>
    Stale,

    /// <summary>It contradicts the state as it is.</summary>
    Conflict,

    /// <summary>It asks for more than the tenant may have.</summary>
    Quota,
}

/// <summary>What a command comes to: an event, nothing to do, or a refusal with its reason.</summary>
/// <typeparam name="TEvent">The family of events of the aggregate.</typeparam>
public sealed record Decision<TEvent>
    where TEvent : class
{
    private Decision(TEvent? happened, Refusal? refusal, string reason) =>
        (Event, RefusedAs, Reason) = (happened, refusal, reason);

    /// <summary>What happens, or null when nothing does.</summary>
    public TEvent? Event { get; }

    /// <summary>The kind of refusal, or null when the command is accepted.</summary>
    public Refusal? RefusedAs { get; }

    /// <summary>The reason of the refusal in words; empty when accepted.</summary>
    public string Reason { get; }

    /// <summary>The command is refused.</summary>
    [MemberNotNullWhen(true, nameof(RefusedAs))]
    public bool IsRefused => RefusedAs is not null;

    /// <summary>Accepts: this happens.</summary>
    public static implicit operator Decision<TEvent>(TEvent happened) => new(happened, null, "");

    /// <summary>Accepts: all is already as the command wants it.</summary>
    internal static Decision<TEvent> Nothing() => new(null, null, "");

    /// <summary>Refuses.</summary>
    internal static Decision<TEvent> Refused(Refusal refusal, string reason) => new(null, refusal, reason);
}
