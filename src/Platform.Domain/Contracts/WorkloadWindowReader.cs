using System.Diagnostics.CodeAnalysis;

namespace Platform.Domain.Contracts;

/// <summary>
/// The one door through which workload windows come in, for HTTP and the broker alike: what passes here satisfies every
/// rule of the contract that can be checked without knowing the fleet.
/// </summary>
public static class WorkloadWindowReader
{
    /// <summary>Longest message, in bytes.</summary>
    public const int MaxBytes = 262_144;

    /// <summary>Most task types in a window, as many as a fleet may have.</summary>
    public const int MaxTaskTypes = 1_000;

    /// <summary>
    /// Largest sum, 2^53 − 1: the largest whole number below which a double, and so a JavaScript publisher, misses
    /// none.
    /// </summary>
    public const long MaxSum = (1L << 53) - 1;

    /// <summary>
    /// Most queries a second of a window that arrive, end or are judged in one of its entries; of a window below a
    /// second, in a second. No fleet reaches it, and a running counter that is sent in place of a difference mostly
    /// does.
    /// </summary>
    public const long MaxQueriesPerSecond = 1_000_000;

    /// <summary>The longest horizon that a fleet can have, in seconds: 7 days.</summary>
    public const int LongestHorizonSeconds = 7 * 86_400;

    /// <summary>Most faults that are listed; a message with more has a fault in its publisher.</summary>
    public const int MaxFaults = 20;

    /// <summary>Longest window.</summary>
    public static readonly TimeSpan MaxLength = TimeSpan.FromDays(1);

    /// <summary>How far after the reader's clock a window may end: what clocks may differ by.</summary>
    public static readonly TimeSpan MaxLead = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long before the reader's clock a window may have ended: the longest horizon, and a day in which it may have
    /// waited.
    /// </summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(LongestHorizonSeconds) + TimeSpan.FromDays(1);

    /// <summary>Reads one window. No input makes this throw.</summary>
    /// <param name="utf8">The message, JSON in UTF-8 without a byte order mark.</param>
    /// <param name="now">The reader's clock.</param>
    /// <param name="window">The window, or null when there are faults.</param>
    /// <param name="errors">
    /// Empty, or the faults in the order of the document, at most <see cref="MaxFaults"/>. A fault of syntax or shape
    /// stands alone: what follows it was not read.
    /// </param>
    public static bool TryRead(
        ReadOnlySpan<byte> utf8,
        DateTimeOffset now,
        [NotNullWhen(true)] out WorkloadWindow? window,
        out IReadOnlyList<InputError> errors
    )
    {
        window = null;
        if (utf8.Length > MaxBytes)
            errors = [new InputError("", $"must be at most {MaxBytes} bytes, not {utf8.Length}")];
        else if (!StrictJson.TryRead<WorkloadWindow>(utf8, out var read, out var fault))
            errors = [fault];
        else if ((errors = WorkloadWindowRules.FaultsOf(read, now)).Count == 0)
            window = read;
        return window is not null;
    }
}
