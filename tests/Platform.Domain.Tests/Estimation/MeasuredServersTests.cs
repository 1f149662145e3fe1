using System.Globalization;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Queueing;

namespace Platform.Domain.Tests.Estimation;

/// <summary>
/// Latencies of vLLM with Llama-3.1-8B on one H100, measured by others (vllm-guidellm/SOURCE): 16 workloads at eight
/// even rates each. What the platform learns from the lower rates is held against what was measured at the higher ones.
/// </summary>
public sealed class MeasuredServersTests(ITestOutputHelper output)
{
    private const int Horizon = 21_600;
    private const int BucketSeconds = 338;
    private const int BucketsARate = 3;
    private const int WindowSeconds = 60;
    private const double MostInFlight = 130;

    [Fact]
    public void Five_lower_rates_predict_the_higher_ones()
    {
        var errors = new List<double>();
        foreach (var workload in Workloads())
        {
            var seen = workload.Rates[..5];
            var estimate = Estimate(seen);
            Assert.True(estimate.Sharing!.Identifiable);
            var problem = ProblemBuilder.Build(Definition, estimate);
            Assert.Empty(ProblemValidation.Validate(problem));
            foreach (var run in workload.Rates[5..].Where(run => run.InFlight < MostInFlight))
                errors.Add(Math.Abs((Predicted(problem, run) / run.Seconds) - 1));
        }

        errors.Sort();
        output.WriteLine(
            $"{errors.Count} points: median {Quantile(errors, 0.5):P2}, 90th percentile {Quantile(errors, 0.9):P2}"
        );
        Assert.InRange(Quantile(errors, 0.5), 0, 0.03);
    }

    [Fact]
    public void One_rate_alone_tells_nothing_of_the_overhead()
    {
        foreach (var workload in Workloads())
        {
            foreach (var run in workload.Rates[..5])
            {
                var sharing = Estimate([run]).Sharing!;
                Assert.False(sharing.Identifiable);
                Assert.True(sharing.DoubtLeft > 0.99);
                Assert.InRange(Prior, sharing.OverheadSecondsPerToken.Lower, sharing.OverheadSecondsPerToken.Upper);
            }
        }
    }

    /// <summary>The constants that were fitted to all of these runs; no figure of ours is in the prediction.</summary>
    [Fact]
    public void Processor_sharing_by_the_published_constants_gives_the_measured_latencies()
    {
        const double Overhead = 6.58e-3;
        const double PerOutput = 0.0193e-3;
        const double PerContext = 5.46e-8;
        var errors = new List<double>();
        foreach (var run in Workloads().SelectMany(workload => workload.Rates))
        {
            var context = run.Input + ((run.Output + 1) / 2);
            var work =
                ((PerOutput + PerContext) * run.Input) + (PerOutput * run.Output) + (PerContext * run.Output * context);
            var predicted = ProcessorSharing.MeanSystemTimeSeconds(
                run.Rate,
                new SharingLoad(Overhead * run.Output, work)
            );
            errors.Add(Math.Abs((predicted / run.Seconds) - 1));
        }

        errors.Sort();
        output.WriteLine(
            $"{errors.Count} points: median {Quantile(errors, 0.5):P2}, 90th percentile {Quantile(errors, 0.9):P2}"
        );
        Assert.Equal(128, errors.Count);
        Assert.InRange(Quantile(errors, 0.5), 0, 0.04);
    }

    private static double Prior => ProblemBuilder.OfDefinition(Definition).Sharing!.OverheadSecondsPerToken!.Value;

    private static double Predicted(AllocationProblem problem, Run run)
    {
        var (type, overhead) = (problem.TaskTypes[0], problem.Sharing!.OverheadSecondsPerToken!.Value);
        var lone = type.Service.BaseSeconds + (type.Service.SecondsPerToken * run.Output);
        var made = overhead * (type.AnswerTokens + run.Output);
        return ProcessorSharing.MeanSystemTimeSeconds(run.Rate, new SharingLoad(made, lone - made));
    }

    private static double Quantile(List<double> sorted, double part) => sorted[(int)(part * sorted.Count)];

    private static readonly FleetDefinition Definition = new()
    {
        DisplayName = "vLLM",
        Dispatch = Dispatch.Sharing,
        Objective = new FleetObjective { AccuracyWeight = 30 },
        ArrivalRate = 1,
        Solving = new SolvingPolicy { HorizonSeconds = Horizon },
        TaskTypes =
        [
            new TaskType
            {
                Id = "llama",
                Share = 1,
                MaxTokens = 32_768,
                Service = new ServiceLine(0.05, 0.01),
                Accuracy = new AccuracyCurve(0.2, 0.6, 0.001),
            },
        ],
    };

    /// <summary>What windows of a minute say of runs one after the other, each over some age buckets.</summary>
    private static FleetEstimate Estimate(IReadOnlyList<Run> runs)
    {
        var sums = new WorkloadSums(Horizon);
        var end = 0;
        foreach (var run in runs)
        {
            for (var until = end + (BucketSeconds * BucketsARate); end < until; end += WindowSeconds)
                sums.Fold(Windows.Of(end, end + WindowSeconds, run.Window(WindowSeconds)));
        }

        return Estimator.Estimate(Definition, sums, Windows.Start.AddSeconds(end));
    }

    private static List<(string Name, Run[] Rates)> Workloads()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "Estimation", "vllm-guidellm", "llama-3.1-8b.csv");
        var rows = File.ReadLines(path).Skip(1).Select(line => line.Split(','));
        return
        [
            .. rows.Where(row => row[2].StartsWith("constant", StringComparison.Ordinal))
                .GroupBy(row => row[1])
                .Select(group => (group.Key, group.Select(Run.Of).OrderBy(run => run.Rate).ToArray())),
        ];
    }

    /// <summary>One run at an even rate.</summary>
    private sealed record Run(
        double Rate,
        double InFlight,
        double Input,
        double Output,
        double OutputDeviation,
        double Seconds,
        double Deviation,
        double PerToken
    )
    {
        public static Run Of(string[] row) =>
            new(
                Number(row[4]),
                Number(row[5]),
                Number(row[6]),
                Number(row[8]),
                Number(row[9]),
                Number(row[10]),
                Number(row[11]),
                Number(row[24]) / 1e3
            );

        /// <summary>The sums of as many queries as arrive in a window, with the run's means and deviations.</summary>
        public TaskWindow Window(int seconds)
        {
            var n = Math.Round(Rate * seconds);
            var millis = Deviation * 1e3;
            var covariance = Math.Min(
                PerToken * 1e3 * OutputDeviation * OutputDeviation,
                0.999 * millis * OutputDeviation
            );
            return new TaskWindow
            {
                TaskType = "llama",
                Arrivals = (long)n,
                Service = new ServiceSums
                {
                    Completions = (long)n,
                    Tokens = (long)Math.Round(n * Output),
                    TokensSquared = (long)Math.Round(n * ((Output * Output) + (OutputDeviation * OutputDeviation))),
                    Millis = (long)Math.Round(n * Seconds * 1e3),
                    MillisSquared = (long)Math.Round(n * ((Seconds * Seconds * 1e6) + (millis * millis))),
                    TokenMillis = (long)Math.Round(n * ((Output * Seconds * 1e3) + covariance)),
                },
            };
        }

        private static double Number(string field) => double.Parse(field, CultureInfo.InvariantCulture);
    }
}
