namespace Platform.Domain.Webhooks;

/// <summary>
/// When a message that was not taken is sent again: the waits that Standard Webhooks recommends, three days in all.
/// </summary>
public static class WebhookSchedule
{
    /// <summary>
    /// How long a webhook may take nothing at all before it is disabled, once a message has been sent for the last
    /// time.
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromDays(3);

    /// <summary>A receiver that says when to come again is believed so far.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromHours(24);

    private static readonly TimeSpan[] Waits =
    [
        TimeSpan.FromSeconds(5),
        TimeSpan.FromMinutes(5),
        TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(2),
        TimeSpan.FromHours(5),
        TimeSpan.FromHours(10),
        TimeSpan.FromHours(14),
        TimeSpan.FromHours(20),
        TimeSpan.FromHours(24),
    ];

    /// <summary>How often a message is sent at most.</summary>
    public static int Attempts => Waits.Length + 1;

    /// <summary>The wait before the next attempt; null when there is none.</summary>
    /// <param name="failed">Attempts that have failed, at least 1.</param>
    /// <param name="asked">What the receiver has asked for, or null.</param>
    /// <param name="jitter">In [0, 1): up to a tenth is added, so that not all messages of an outage come at the same
    /// moment.</param>
    public static TimeSpan? WaitAfter(int failed, TimeSpan? asked, double jitter)
    {
        if (failed > Waits.Length)
            return null;
        var wait = Waits[failed - 1] * (1 + (0.1 * jitter));
        return asked > wait ? (asked < LongestWait ? asked : LongestWait) : wait;
    }
}
