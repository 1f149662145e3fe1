namespace Platform.Cli.Benchmarks;

/// <summary>The same windows by three roads, in one round.</summary>
/// <param name="PipelinePerSecond">Windows a second from the first publish until all are stored events.</param>
/// <param name="RabbitMqPerSecond">Confirmed messages a second into a quorum queue that nobody reads.</param>
/// <param name="MartenPerSecond">Windows a second appended in batches without a broker.</param>
internal sealed record RoundFigures(double PipelinePerSecond, double RabbitMqPerSecond, double MartenPerSecond);

/// <summary>From a window's publish until the fleet's solve contains it.</summary>
internal sealed record FreshnessFigures(int Probes, double MedianSeconds, double Percentile95Seconds, double LongestSeconds)
{
    public static FreshnessFigures Of(IReadOnlyList<double> seconds)
    {
        double[] sorted = [.. seconds.Order()];
        return new FreshnessFigures(sorted.Length, Quantile(sorted, 0.5), Quantile(sorted, 0.95), sorted[^1]);
    }

    /// <summary>Nearest rank: the least value that is not below the given part of all.</summary>
    private static double Quantile(double[] sorted, double part) => sorted[(int)Math.Ceiling(part * sorted.Length) - 1];
}

/// <summary>What <c>bench pipeline</c> prints.</summary>
internal sealed record PipelineFigures
{
    /// <summary>Windows in a round.</summary>
    public required int WindowsPerRound { get; init; }

    public required int Fleets { get; init; }

    public required int Workers { get; init; }

    /// <summary>Medians over the rounds; the ratios are medians of each round's ratio, as the machine's mood changes between rounds.</summary>
    public required RoundFigures Median { get; init; }

    public required double PipelineToRabbitMq { get; init; }

    public required double PipelineToMarten { get; init; }

    public required FreshnessFigures Freshness { get; init; }

    public required IReadOnlyList<RoundFigures> Rounds { get; init; }

    public static PipelineFigures Of(int windowsPerRound, int fleets, int workers, IReadOnlyList<RoundFigures> rounds, FreshnessFigures freshness) => new()
    {
        WindowsPerRound = windowsPerRound,
        Fleets = fleets,
        Workers = workers,
        Median = new RoundFigures(
            MedianOf(rounds, round => round.PipelinePerSecond),
            MedianOf(rounds, round => round.RabbitMqPerSecond),
            MedianOf(rounds, round => round.MartenPerSecond)),
        PipelineToRabbitMq = MedianOf(rounds, round => round.PipelinePerSecond / round.RabbitMqPerSecond),
        PipelineToMarten = MedianOf(rounds, round => round.PipelinePerSecond / round.MartenPerSecond),
        Freshness = freshness,
        Rounds = rounds,
    };

    public IEnumerable<string> ToLines() =>
    [
        $"{Rounds.Count} rounds of {WindowsPerRound} windows over {Fleets} fleets, {Workers} workers; medians",
        $"  publish to stored event              {Median.PipelinePerSecond,8:0} windows/s",
        $"  RabbitMQ alone, confirmed, unread    {Median.RabbitMqPerSecond,8:0} messages/s   the whole road does {PipelineToRabbitMq:0.00} of it",
        $"  Marten alone, the same batches       {Median.MartenPerSecond,8:0} windows/s    the whole road does {PipelineToMarten:0.00} of it",
        $"  publish to a solve that contains it  {Freshness.MedianSeconds,8:0.00} s median, {Freshness.Percentile95Seconds:0.00} s 95th percentile, "
            + $"{Freshness.LongestSeconds:0.00} s longest of {Freshness.Probes}; the fleet is solved every second",
    ];

    private static double MedianOf(IReadOnlyList<RoundFigures> rounds, Func<RoundFigures, double> figure)
    {
        double[] sorted = [.. rounds.Select(figure).Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
