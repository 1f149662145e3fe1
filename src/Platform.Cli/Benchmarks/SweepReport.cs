using System.Globalization;

namespace Platform.Cli.Benchmarks;

/// <summary>
/// What sweeps say of themselves: the names are those of the workers' own record, as Hangfire keeps it.
/// </summary>
internal sealed record SweepWork
{
    public int Fleets { get; init; }

    public int Published { get; init; }

    public int Confirmed { get; init; }

    public int Infeasible { get; init; }

    public int Superseded { get; init; }

    public int Failed { get; init; }

    public double ClaimSeconds { get; init; }

    public double ReadSeconds { get; init; }

    public double FoldSeconds { get; init; }

    public double DeriveSeconds { get; init; }

    public double WriteSeconds { get; init; }

    public double Seconds => ClaimSeconds + ReadSeconds + FoldSeconds + DeriveSeconds + WriteSeconds;

    public static SweepWork operator +(SweepWork a, SweepWork b) =>
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
}

/// <summary>One round.</summary>
/// <param name="Workers">Worker processes.</param>
/// <param name="Revised">Every fleet gets a new version; otherwise most are confirmed.</param>
/// <param name="Seconds">From all fleets being due until all are solved.</param>
/// <param name="Used">CPU time in that while.</param>
/// <param name="Work">What the sweeps did.</param>
internal sealed record SweepRound(int Workers, bool Revised, double Seconds, ProcessorTime Used, SweepWork Work)
{
    public double CpuSeconds => Used.Workers + Used.Postgres;

    public string ToLine(int fleets) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"  {Workers} worker(s), {(Revised ? "all revised " : "most the same")}: {fleets / Seconds, 6:0} fleets/s, {fleets / CpuSeconds, 6:0} a second a core; "
                + $"CPU workers {Used.Workers:0.0} s, PostgreSQL {Used.Postgres:0.0} s (Hangfire {Used.Hangfire:0.00} s); "
                + $"{Work.Published} new versions, {Work.Confirmed} confirmed, {Work.Infeasible} infeasible, {Work.Superseded} superseded, {Work.Failed} failed"
        );
}

/// <summary>What <c>bench sweep</c> prints.</summary>
internal sealed record SweepReport
{
    public required int Fleets { get; init; }

    public required int Tenants { get; init; }

    public required int WindowsPerFleet { get; init; }

    /// <summary>For solves that confirm, and for those that make a new version.</summary>
    public required IReadOnlyList<DerivingShares> Deriving { get; init; }

    public required IReadOnlyList<SweepRound> Rounds { get; init; }

    /// <summary>To copy the snapshots and events of one round of new versions into empty tables.</summary>
    public required CopyTime Floor { get; init; }

    public IEnumerable<string> ToLines()
    {
        yield return $"{Fleets} fleets of {SweepFleets.TaskTypes} task types, {Tenants} tenants, {WindowsPerFleet} new windows a fleet a round; medians";
        yield return "a second a core: fleets over the CPU seconds of workers and PostgreSQL together, from all fleets due until all are solved";
        foreach (var kind in Rounds.GroupBy(round => (round.Workers, round.Revised)).OrderBy(it => it.Key))
        {
            SweepRound[] rounds = [.. kind];
            var deriving = Deriving.Single(it => it.Revised == kind.Key.Revised);
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"  {kind.Key.Workers} worker(s), {(kind.Key.Revised ? "every fleet a new version" : "most versions confirmed "), -26}"
                    + $" {Median.Of(rounds, it => Fleets / it.CpuSeconds), 6:0} fleets a second a core  {Median.Of(rounds, it => Fleets / it.Seconds), 6:0} fleets/s"
                    + $"   µs a fleet: worker {Micros(rounds, it => it.Used.Workers), 4:0}  PostgreSQL {Micros(rounds, it => it.Used.Postgres), 4:0}"
            );
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"      of the time: claiming {Share(rounds, it => it.ClaimSeconds):0.0 %}, reading {Share(rounds, it => it.ReadSeconds):0.0 %}, "
                    + $"folding {Share(rounds, it => it.FoldSeconds):0.0 %}, estimating {deriving.Estimating * Share(rounds, it => it.DeriveSeconds):0.0 %}, "
                    + $"solving {deriving.Solving * Share(rounds, it => it.DeriveSeconds):0.0 %}, deciding {(1 - deriving.Estimating - deriving.Solving) * Share(rounds, it => it.DeriveSeconds):0.0 %}, writing {Share(rounds, it => it.WriteSeconds):0.0 %}; "
                    + $"Hangfire {Median.Of(rounds, it => it.Used.Hangfire / it.CpuSeconds):0.0 %} of the CPU (in PostgreSQL)"
            );
        }

        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"  COPY of the same snapshots and events, nothing else: {Floor.CpuSeconds / Fleets * 1e6:0} µs a fleet (PostgreSQL {Floor.PostgresSeconds / Fleets * 1e6:0}); "
                + $"a whole re-solve with a new version takes {Median.Of(Rounds.Where(it => it.Revised), it => it.CpuSeconds) / Floor.CpuSeconds:0.0} times that"
        );
    }

    private double Micros(SweepRound[] rounds, Func<SweepRound, double> seconds) =>
        Median.Of(rounds, round => seconds(round) / Fleets * 1e6);

    private static double Share(SweepRound[] rounds, Func<SweepWork, double> seconds) =>
        Median.Of(rounds, round => seconds(round.Work) / round.Work.Seconds);
}
