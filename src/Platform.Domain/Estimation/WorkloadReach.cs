namespace Platform.Domain.Estimation;

/// <summary>How far back a fleet's windows count. Sums of another reach are other sums.</summary>
/// <param name="HorizonSeconds">Age in seconds beyond which evidence no longer counts, 60 to 604,800 (7 days).</param>
/// <param name="Days">Days of which arrivals are kept by quarters of an hour, 0 to 14; 0 for none.</param>
public readonly record struct WorkloadReach(int HorizonSeconds, int Days)
{
    /// <summary>Age in seconds beyond which no window changes anything.</summary>
    public int Seconds =>
        Math.Max(
            HorizonSeconds + WorkloadSums.WidthFor(HorizonSeconds),
            Days > 0 ? QuarterHours.ReachSeconds(Days) : 0
        );
}
