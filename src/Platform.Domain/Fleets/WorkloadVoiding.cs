using Platform.Domain.Contracts;

namespace Platform.Domain.Fleets;

/// <summary>Stored windows that somebody wants to be void.</summary>
/// <param name="Matched">All of them.</param>
/// <param name="Windows">Those that still count.</param>
/// <param name="Arrivals">Arrivals in those that still count, at most 2^53 − 1.</param>
public sealed record WindowsToVoid(long Matched, long Windows, long Arrivals)
{
    /// <summary>None.</summary>
    public static WindowsToVoid None { get; } = new(0, 0, 0);

    /// <summary>These and one window more.</summary>
    /// <param name="window">The window.</param>
    /// <param name="counts">Whether it still counts.</param>
    public WindowsToVoid With(WorkloadWindow window, bool counts)
    {
        if (!counts)
            return this with { Matched = Matched + 1 };
        var arrivals = Int128.Min(Arrivals + ArrivalsOf(window), WorkloadWindowReader.MaxSum);
        return new WindowsToVoid(Matched + 1, Windows + 1, (long)arrivals);
    }

    private static Int128 ArrivalsOf(WorkloadWindow window)
    {
        Int128 arrivals = 0;
        foreach (var task in window.Tasks)
            arrivals += task.Arrivals;
        return arrivals;
    }
}

/// <summary>Who asks for windows to be void, and why.</summary>
/// <param name="Scope">Which windows, valid by <see cref="WorkloadVoiding.Validate"/>.</param>
/// <param name="Reason">Why.</param>
/// <param name="By">Name of the key.</param>
/// <param name="At">The moment of the decision.</param>
public sealed record VoidRequest(VoidScope Scope, string Reason, string By, DateTimeOffset At);

/// <summary>Decides whether stored windows become void.</summary>
public static class WorkloadVoiding
{
    /// <summary>
    /// How far back a stretch may begin, in days: the longest horizon and the longest window. What is older counts in
    /// no estimate to come.
    /// </summary>
    public const int MostDays = 8;

    /// <summary>Checks which windows are meant.</summary>
    /// <param name="scope">What was asked for.</param>
    /// <param name="now">The moment of the request.</param>
    /// <returns>What is wrong, or null.</returns>
    public static InputError? Validate(VoidScope scope, DateTimeOffset now)
    {
        var isStretch = scope.From is not null || scope.To is not null;
        if (scope.MessageId is not null == isStretch)
            return new InputError("", "must have either messageId, or from and to");
        if (!isStretch)
            return null;
        if (scope.From is not { } from)
            return new InputError("/from", "must be given together with to");
        if (scope.To is not { } to)
            return new InputError("/to", "must be given together with from");
        if (to <= from)
            return new InputError("/to", "must be after from");
        return from < now.AddDays(-MostDays)
            ? new InputError("/from", $"must be at most {MostDays} days ago: older windows count in no estimate")
            : null;
    }

    /// <summary>Makes windows void; when all that are meant already are, nothing changes.</summary>
    /// <param name="fleet">The fleet's state, or null when there is none.</param>
    /// <param name="request">Who asks for what.</param>
    /// <param name="found">The windows that are meant.</param>
    /// <param name="workloadVersion">The version that the event gets in the workload stream.</param>
    public static Decision<FleetEvent> Decide(
        Fleet? fleet,
        VoidRequest request,
        WindowsToVoid found,
        long workloadVersion
    )
    {
        if (fleet is null or { IsRetired: true })
            return Decision<FleetEvent>.Refused(Refusal.NotFound, "there is no such fleet");
        if (found.Matched == 0)
            return Decision<FleetEvent>.Refused(Refusal.Conflict, NoneMatches(request.Scope));
        if (found.Windows == 0)
            return Decision<FleetEvent>.Nothing();
        return new WorkloadVoided
        {
            At = request.At,
            MessageId = request.Scope.MessageId,
            From = request.Scope.From,
            To = request.Scope.To,
            Reason = request.Reason,
            By = request.By,
            Windows = found.Windows,
            Arrivals = found.Arrivals,
            WorkloadVersion = workloadVersion,
        };
    }

    private static string NoneMatches(VoidScope scope) =>
        scope.MessageId is { } message
            ? $"no stored window of the fleet came with the message {message}"
            : $"no stored window of the fleet overlaps the time from {scope.From:O} to {scope.To:O}";
}
