using System.Globalization;

namespace Platform.Cli.Benchmarks;

/// <summary>CPU time a window takes on the whole road, in microseconds, by who spends it.</summary>
internal sealed record IngestCost(double Publisher, double Broker, double Workers, double Postgres)
{
    public double Whole => Publisher + Broker + Workers + Postgres;
}

/// <summary>The same windows by every road, in one round.</summary>
/// <param name="Workers">Worker processes.</param>
/// <param name="RoadPerSecond">Windows a second from the first publish until all are stored events.</param>
/// <param name="RabbitMqPerSecond">Confirmed messages a second into a quorum queue that nobody reads.</param>
/// <param name="IntakePerSecond">Windows a second that the intake stores without a broker, by as many writers in
/// batches as large.</param>
/// <param name="CopyPerSecond">The same rows a second by COPY into a table with the same indexes, by as many writers in
/// batches as large.</param>
/// <param name="Cost">CPU time on the road.</param>
internal sealed record IngestRound(
    int Workers,
    double RoadPerSecond,
    double RabbitMqPerSecond,
    double IntakePerSecond,
    double CopyPerSecond,
    IngestCost Cost
)
{
    public double OverSlower => RoadPerSecond / Math.Min(RabbitMqPerSecond, IntakePerSecond);
}

/// <summary>From a window's publish until the fleet's solve contains it.</summary>
internal sealed record FreshnessFigures(
    int Probes,
    double MedianSeconds,
    double Percentile95Seconds,
    double LongestSeconds
)
{
    public static FreshnessFigures Of(IReadOnlyList<double> seconds)
    {
        double[] sorted = [.. seconds.Order()];
        return new FreshnessFigures(sorted.Length, Quantile(sorted, 0.5), Quantile(sorted, 0.95), sorted[^1]);
    }

    /// <summary>Nearest rank: the least value that is not below the given part of all.</summary>
    public static double Quantile(double[] sorted, double part) => sorted[(int)Math.Ceiling(part * sorted.Length) - 1];
}

/// <summary>
/// What <c>bench ingest</c> prints. Ratios are medians of each round's ratio, as the machine's mood changes between
/// rounds.
/// </summary>
internal sealed record IngestFigures
{
    private const int BarLength = 40;

    public required int WindowsPerRound { get; init; }

    public required int Fleets { get; init; }

    public required FreshnessFigures Freshness { get; init; }

    public required IReadOnlyList<IngestRound> Rounds { get; init; }

    public IEnumerable<string> ToLines()
    {
        foreach (var group in Rounds.GroupBy(round => round.Workers).OrderBy(it => it.Key))
        {
            IngestRound[] rounds = [.. group];
            var most = Median.Of(
                rounds,
                it =>
                    Math.Max(
                        Math.Max(it.RoadPerSecond, it.RabbitMqPerSecond),
                        Math.Max(it.IntakePerSecond, it.CopyPerSecond)
                    )
            );
            yield return $"{group.Key} worker(s): {rounds.Length} rounds of {WindowsPerRound} windows over {Fleets} fleets; medians";
            yield return Line("publish to stored event", rounds, it => it.RoadPerSecond, most);
            yield return Line("RabbitMQ alone, confirmed, unread", rounds, it => it.RabbitMqPerSecond, most);
            yield return Line("the intake alone, the same batches", rounds, it => it.IntakePerSecond, most);
            yield return Line("COPY of the same rows", rounds, it => it.CopyPerSecond, most);
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"  the whole road does {Median.Of(rounds, it => it.OverSlower):0.00} of the slower of RabbitMQ and the intake alone"
            );
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"  CPU a window on the road: {Median.Of(rounds, it => it.Cost.Whole):0} µs = publisher {Median.Of(rounds, it => it.Cost.Publisher):0}, "
                    + $"broker {Median.Of(rounds, it => it.Cost.Broker):0}, workers {Median.Of(rounds, it => it.Cost.Workers):0}, PostgreSQL {Median.Of(rounds, it => it.Cost.Postgres):0}"
            );
        }

        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"publish to a solve that contains it: {Freshness.MedianSeconds:0.00} s median, {Freshness.Percentile95Seconds:0.00} s 95th percentile, "
                + $"{Freshness.LongestSeconds:0.00} s longest of {Freshness.Probes}; the fleet is solved every second"
        );
    }

    private static string Line(string what, IngestRound[] rounds, Func<IngestRound, double> figure, double most)
    {
        var median = Median.Of(rounds, figure);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"  {what, -34} {median, 8:0}/s  {new string('█', (int)Math.Round(Math.Min(1, median / most) * BarLength))}"
        );
    }
}
