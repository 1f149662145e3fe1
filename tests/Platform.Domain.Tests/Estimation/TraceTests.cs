using System.Globalization;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Simulation;

namespace Platform.Domain.Tests.Estimation;

/// <summary>
/// Recorded arrivals, through windows and estimator: how bursty they are is reported as it is. The data lie beside the
/// checkout and are no part of it; without them the tests say so and are skipped.
/// </summary>
public sealed class TraceTests(ITestOutputHelper output)
{
    /// <summary>Whole minutes in both Azure traces.</summary>
    private const int Minutes = 57;

    private static readonly string Data = Path.Combine(Checkout(), "..", "shared", "data");

    /// <summary>
    /// An hour each. Times between arrivals have a coefficient of variation of 1.1 in the one, which looks like
    /// Poisson, and of 13 in the other; over a minute the counts of both scatter more than by chance.
    /// </summary>
    [Theory]
    [InlineData("conv", 19_366, 1.09, 2.3)]
    [InlineData("code", 8_819, 13.15, 137)]
    public void The_Azure_traces_are_as_bursty_as_they_are(
        string name,
        int requests,
        double timeVariation,
        double dispersion
    )
    {
        var instants = Azure(name);
        Assert.Equal(requests, instants.Length);
        Assert.Equal(timeVariation, Variation(instants), 0.01);

        // Of a horizon of 3,840 s a bucket is a minute.
        var estimate = Estimate(
            3_840,
            Folded(3_840, Windowed("query", instants, 10, Minutes * 60)),
            Minutes * 60,
            "query"
        );
        var seen = estimate.Validity.Burstiness;
        output.WriteLine(
            $"{name}: coefficient of variation {Variation(instants):F2}, index of dispersion {seen.Value:F2} over a minute, score {seen.Score:F1}; λ {estimate.ArrivalRate}"
        );
        Assert.Equal(60, estimate.Validity.TimescaleSeconds);
        Assert.Equal(Dispersion(instants, 60, Minutes * 60), seen.Value!.Value, 1e-9);
        Assert.Equal(dispersion, seen.Value.Value, 0.01 * dispersion);
        Assert.True(seen.Flagged);

        // λ is as uncertain as such counts make it: by √dispersion more than Poisson counts.
        var average = estimate.Traffic!.AverageRate;
        var poisson = Math.Sqrt(average.Value / (Minutes * 60));
        Assert.Equal(Math.Sqrt(dispersion), average.StandardError / poisson, 0.1 * Math.Sqrt(dispersion));
    }

    /// <summary>
    /// Every ten minutes of a client that sent 300 requests or more, drawn from the law that ServeGen fitted: the flag
    /// tells the bursty stretches from the calm ones.
    /// </summary>
    [Fact]
    public void Ten_minutes_of_a_ServeGen_client_are_flagged_when_its_law_is_bursty()
    {
        var classes = new SortedDictionary<string, List<ValidityCheck>>(StringComparer.Ordinal);
        foreach (var stretch in ServeGen().Where(stretch => stretch.Rate >= 0.5))
        {
            double[] instants = [.. stretch.Instants().Select(time => time - stretch.StartSeconds)];
            var seen = Estimate(
                640,
                Folded(640, Windowed("query", instants, 2, 600)),
                600,
                "query"
            ).Validity.Burstiness;
            Assert.Equal(Dispersion(instants, 10, 600), seen.Value!.Value, 1e-9);
            var name = stretch.Variation switch
            {
                < 0.8 => "0 below 0.8",
                < 1.1 => "1 to 1.1",
                < 1.5 => "2 to 1.5",
                < 3 => "3 to 3",
                _ => "4 above 3",
            };
            (classes.TryGetValue(name, out var all) ? all : classes[name] = []).Add(seen);
        }

        foreach (var (name, all) in classes)
            output.WriteLine(
                $"coefficient of variation {name[2..]}: {all.Count} stretches, mean index {all.Average(check => check.Value):F2}, flagged {Flagged(all):P1}"
            );
        Assert.InRange(classes["0 below 0.8"].Average(check => check.Value!.Value), 0.2, 0.8);
        Assert.InRange(classes["1 to 1.1"].Average(check => check.Value!.Value), 0.8, 1.2);
        Assert.InRange(Flagged(classes["0 below 0.8"]), 0, 0.001);
        Assert.InRange(Flagged(classes["1 to 1.1"]), 0, 0.02);
        Assert.InRange(Flagged(classes["3 to 3"]), 0.7, 1);
        Assert.InRange(Flagged(classes["4 above 3"]), 0.95, 1);
    }

    /// <summary>
    /// The day of all 73 clients, each a publisher and a task type of its own: what the servers see, and what each
    /// client adds.
    /// </summary>
    [Fact]
    public void All_ServeGen_clients_together_make_one_bursty_fleet()
    {
        const int Horizon = 38_400;
        const int Day = 86_400;
        var clients = ServeGen().GroupBy(stretch => stretch.Client).OrderBy(client => client.Key).ToArray();
        double[][] instants = [.. clients.Select(client => client.SelectMany(stretch => stretch.Instants()).ToArray())];
        string[] names = [.. clients.Select(client => $"client-{client.Key}")];
        var estimate = Estimate(
            Horizon,
            Folded(Horizon, [.. instants.SelectMany((times, k) => Windowed(names[k], times, 60, Day))]),
            Day,
            names
        );
        double[] all = [.. instants.SelectMany(times => times).Order()];
        var recent = all.Where(time => time >= Day - Horizon).Select(time => time - (Day - Horizon)).ToArray();
        var seen = estimate.Validity.Burstiness;
        output.WriteLine(
            $"{all.Length} requests: index {seen.Value:F1} over {estimate.Validity.TimescaleSeconds} s, score {seen.Score:F1}, "
                + $"{estimate.TaskTypes.Count(type => type.Validity.ShareDispersion.Flagged)} of {names.Length} shares bursty"
        );
        Assert.Equal(recent.Length, estimate.Arrivals);
        Assert.Equal(Dispersion(recent, 600, Horizon), seen.Value!.Value, 1e-6 * seen.Value.Value);
        Assert.True(seen.Flagged);
        Assert.Equal(1, estimate.TaskTypes.Sum(type => type.Share.Value), 1e-9);
        Assert.InRange(estimate.TaskTypes.Count(type => type.Validity.ShareDispersion.Flagged), 10, names.Length);
    }

    /// <summary>
    /// The arrivals of a window count as even over its length: stretches of less than four windows would hide what is
    /// in it.
    /// </summary>
    [Theory]
    [InlineData(10, 60)]
    [InlineData(60, 240)]
    [InlineData(300, 1_200)]
    public void Long_windows_are_compared_over_longer_stretches(int windowSeconds, int timescale)
    {
        var random = new Xoshiro256(11);
        var law = new GammaLaw(0.5, 0.5 * 0.5 * 16);
        var instants = new List<double>();
        for (var time = 0.0; time < 3_600; time += law.Next(ref random))
            instants.Add(time);
        var validity = Estimate(
            3_840,
            Folded(3_840, Windowed("query", [.. instants], windowSeconds, 3_600)),
            3_600,
            "query"
        ).Validity;
        Assert.Equal(timescale, validity.TimescaleSeconds);
        Assert.InRange(validity.Burstiness.Value!.Value, 5, 25);
    }

    private static string Checkout()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Platform.sln")))
            folder =
                Path.GetDirectoryName(folder.TrimEnd('/'))
                ?? throw new InvalidOperationException("not inside a checkout");
        return folder;
    }

    private static IEnumerable<string[]> Rows(params string[] path)
    {
        Assert.SkipUnless(Directory.Exists(Data), $"there is no folder of recorded arrivals at {Data}");
        return File.ReadLines(Path.Combine([Data, .. path])).Skip(1).Select(line => line.Split(','));
    }

    private static double[] Azure(string name)
    {
        DateTime[] times =
        [
            .. Rows("azure-llm-2023", $"AzureLLMInferenceTrace_{name}.csv")
                .Select(row => DateTime.Parse(row[0], CultureInfo.InvariantCulture)),
        ];
        return [.. times.Select(time => (time - times[0]).TotalSeconds)];
    }

    private static IEnumerable<Stretch> ServeGen() =>
        Rows("servegen-deepseek-r1", "traces_all_clients.csv")
            .Where(row => Number(row[2]) > 0)
            .Select(row => new Stretch(
                int.Parse(row[0], CultureInfo.InvariantCulture),
                Number(row[1]),
                Number(row[2]),
                Number(row[3]),
                row[4],
                Number(row[5])
            ));

    private static double Number(string field) => double.Parse(field, CultureInfo.InvariantCulture);

    private static double Flagged(List<ValidityCheck> checks) =>
        (double)checks.Count(check => check.Flagged) / checks.Count;

    /// <summary>Standard deviation of the times between arrivals over their mean.</summary>
    private static double Variation(double[] instants)
    {
        double[] times = [.. instants.Zip(instants.Skip(1), (one, next) => next - one)];
        var mean = times.Average();
        return Math.Sqrt(times.Average(time => (time - mean) * (time - mean))) / mean;
    }

    /// <summary>
    /// Of counts over whole stretches: half the mean square of their successive differences over their mean, without
    /// windows or buckets.
    /// </summary>
    private static double Dispersion(double[] instants, int seconds, int until)
    {
        var counts = new double[until / seconds];
        foreach (var time in instants.Where(time => time < counts.Length * seconds))
            counts[(int)(time / seconds)]++;
        return counts.Zip(counts.Skip(1), (one, next) => (one - next) * (one - next)).Sum()
            / counts.Zip(counts.Skip(1), (one, next) => one + next).Sum();
    }

    private static IEnumerable<WorkloadWindow> Windowed(string taskType, double[] instants, int seconds, int until)
    {
        var next = 0;
        for (var start = 0; start + seconds <= until; start += seconds)
        {
            var first = next;
            while (next < instants.Length && instants[next] < start + seconds)
                next++;
            yield return Windows.Of(start, start + seconds, Windows.Arrivals(taskType, next - first));
        }
    }

    private static WorkloadSums Folded(int horizon, IEnumerable<WorkloadWindow> windows)
    {
        var sums = new WorkloadSums(horizon);
        foreach (var window in windows.OrderBy(window => window.WindowEnd))
            sums.Fold(window);
        return sums;
    }

    private static FleetEstimate Estimate(int horizon, WorkloadSums sums, int atSecond, params string[] taskTypes)
    {
        var definition = EstimatorTests.Definition with
        {
            Solving = new SolvingPolicy { HorizonSeconds = horizon },
            TaskTypes =
            [
                .. taskTypes.Select(id =>
                    EstimatorTests.Definition.TaskTypes[0] with
                    {
                        Id = id,
                        Share = 1.0 / taskTypes.Length,
                    }
                ),
            ],
        };
        return Estimator.Estimate(definition, sums, Windows.Start.AddSeconds(atSecond));
    }

    /// <summary>
    /// Ten minutes of one client: a renewal process with this mean rate and law of the times between arrivals.
    /// </summary>
    private sealed record Stretch(
        int Client,
        double StartSeconds,
        double Rate,
        double Variation,
        string Law,
        double Shape
    )
    {
        public double[] Instants()
        {
            var random = new Xoshiro256(((ulong)Client << 32) + (ulong)StartSeconds);
            var gamma = new GammaLaw(1 / Rate, Variation * Variation / (Rate * Rate));
            var instants = new List<double>();
            for (var time = Next(); time < 600; time += Next())
                instants.Add(StartSeconds + time);
            return [.. instants];

            double Next() =>
                Law == "Weibull"
                    ? Math.Pow(random.NextExponential(), 1 / Shape) / (Rate * Math.Exp(LogGamma(1 + (1 / Shape))))
                    : gamma.Next(ref random);
        }

        /// <summary>Stirling's series after a shift by six.</summary>
        private static double LogGamma(double x)
        {
            var shift = 0.0;
            for (; x < 7; x++)
                shift += Math.Log(x);
            return ((x - 0.5) * Math.Log(x))
                - x
                + (0.5 * Math.Log(2 * Math.PI))
                + (1 / (12 * x))
                - (1 / (360 * x * x * x))
                - shift;
        }
    }
}
