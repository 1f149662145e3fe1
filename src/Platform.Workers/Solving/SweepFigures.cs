using Platform.Persistence.Solving;

namespace Platform.Workers.Solving;

/// <summary>What a sweep came to. Hangfire keeps it with the job for as long as it keeps the job.</summary>
internal sealed record SweepFigures
{
    /// <summary>Fleets that were found due.</summary>
    public int Fleets { get; init; }

    /// <summary>Of these, those with a new version.</summary>
    public int Published { get; init; }

    /// <summary>Those for which the version in force was confirmed.</summary>
    public int Confirmed { get; init; }

    /// <summary>Those for which no allocation keeps the limits.</summary>
    public int Infeasible { get; init; }

    /// <summary>Those that another solve or a revision has overtaken, or that are gone.</summary>
    public int Superseded { get; init; }

    /// <summary>Those that could not be solved.</summary>
    public int Failed { get; init; }

    /// <summary>Seconds by stage, over all that went on at the same time.</summary>
    public double ClaimSeconds { get; init; }

    /// <inheritdoc cref="ClaimSeconds"/>
    public double ReadSeconds { get; init; }

    /// <inheritdoc cref="ClaimSeconds"/>
    public double FoldSeconds { get; init; }

    /// <inheritdoc cref="ClaimSeconds"/>
    public double DeriveSeconds { get; init; }

    /// <inheritdoc cref="ClaimSeconds"/>
    public double WriteSeconds { get; init; }

    public static SweepFigures operator +(SweepFigures a, SweepFigures b) =>
        new()
        {
            Fleets = a.Fleets + b.Fleets,
            Published = a.Published + b.Published,
            Confirmed = a.Confirmed + b.Confirmed,
            Infeasible = a.Infeasible + b.Infeasible,
            Superseded = a.Superseded + b.Superseded,
            Failed = a.Failed + b.Failed,
            ClaimSeconds = a.ClaimSeconds + b.ClaimSeconds,
            ReadSeconds = a.ReadSeconds + b.ReadSeconds,
            FoldSeconds = a.FoldSeconds + b.FoldSeconds,
            DeriveSeconds = a.DeriveSeconds + b.DeriveSeconds,
            WriteSeconds = a.WriteSeconds + b.WriteSeconds,
        };

    /// <summary>The time of one thread of work.</summary>
    public static SweepFigures Of(SolveClock clock) =>
        new()
        {
            ClaimSeconds = clock[SolveStage.Claim].TotalSeconds,
            ReadSeconds = clock[SolveStage.Read].TotalSeconds,
            FoldSeconds = clock[SolveStage.Fold].TotalSeconds,
            DeriveSeconds = clock[SolveStage.Derive].TotalSeconds,
            WriteSeconds = clock[SolveStage.Write].TotalSeconds,
        };
}
