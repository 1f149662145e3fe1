using System.Text.Json;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;

namespace Platform.Domain.Tests.Estimation;

/// <summary>
/// Servers that share with a hidden truth, through the estimator: the figures of docs/estimation.md, which each test
/// prints.
/// </summary>
public sealed class SharingRecoveryTests(ITestOutputHelper output)
{
    /// <summary>
    /// At a swing of 0.6 around 0.5 the utilization reaches 0.8, where the queue lags behind the load by a part of a
    /// bucket: α is then 0.8 % too high, which is as much as its interval.
    /// </summary>
    [Theory]
    [InlineData(0.3, 0.6, 0.92)]
    [InlineData(0.5, 0.6, 0.8)]
    [InlineData(0.5, 0.3, 0.88)]
    public void A_load_that_moves_tells_overhead_lines_and_answer_tokens(double utilization, double swing, double least)
    {
        var seen = Seen(200, seed => new SharingFleet(seed, utilization, swing));
        output.WriteLine($"utilization {utilization}, swing {swing}: {seen}");
        Assert.Equal(200, seen.Identifiable);
        Assert.All(
            [seen.Overhead, seen.Base, seen.PerToken, seen.Answer],
            figure => Assert.InRange(figure.CoveredPart, least, 1)
        );
        Assert.InRange(seen.Overhead.Median, -0.015, 0.015);
        Assert.InRange(seen.Base.Median, -0.015, 0.015);
        Assert.InRange(seen.Answer.Median, -0.015, 0.015);
        Assert.InRange(seen.Utilization.Median, -0.01, 0.01);
        Assert.All([seen.Utilization.Low, seen.Utilization.High], error => Assert.InRange(error, -0.03, 0.03));
    }

    /// <summary>The servers are taken for slower together than they are, never for faster.</summary>
    [Fact]
    public void A_load_that_only_chance_moves_keeps_the_prior()
    {
        var seen = Seen(200, seed => new SharingFleet(seed, 0.4, 0));
        output.WriteLine($"{seen}");
        Assert.Equal(0, seen.Identifiable);
        Assert.InRange(seen.OverheadOverPrior.Low, -0.4, 0);
        Assert.InRange(seen.OverheadOverPrior.High, -0.4, 0.1);
        Assert.InRange(seen.Utilization.Low, 0, 2);
        Assert.InRange(seen.Base.CoveredPart, 0.9, 1);
    }

    [Fact]
    public void Any_order_and_batching_of_windows_gives_the_same_bytes()
    {
        var fleet = new SharingFleet(1, 0.4, 0.5);
        var windows = fleet.Windows();
        var expected = Bytes(fleet, Folded(windows));
        var random = new Random(1);
        for (var i = 0; i < 5; i++)
        {
            var shuffled = windows.ToArray();
            random.Shuffle(shuffled);
            var merged = Folded(shuffled[..100]);
            merged.Add(Folded(shuffled[100..]));
            Assert.Equal(expected, Bytes(fleet, merged));
            Assert.Equal(expected, Bytes(fleet, WorkloadSums.FromBytes(merged.ToBytes())));
        }
    }

    /// <summary>What the definition tells of answer tokens is held unless the windows say otherwise.</summary>
    [Fact]
    public void Answer_tokens_that_the_definition_tells_are_kept_at_one_load()
    {
        var fleet = new SharingFleet(3, 0.4, 0, guess: 0);
        var told = fleet.Definition with
        {
            Sharing = new SharingServer(fleet.Overhead),
            TaskTypes =
            [
                .. fleet.Definition.TaskTypes.Zip(fleet.Answers, (type, tokens) => type with { AnswerTokens = tokens }),
            ],
        };
        var estimate = Estimator.Estimate(
            told,
            Folded(fleet.Windows()),
            Windows.Start.AddSeconds(SharingFleet.Horizon)
        );
        Assert.Equal(fleet.Overhead, estimate.Sharing!.OverheadSecondsPerToken.Value, 0.02 * fleet.Overhead);
        for (var k = 0; k < told.TaskTypes.Count; k++)
            Assert.Equal(fleet.Answers[k], estimate.TaskTypes[k].AnswerTokens!.Value, 0.05 * fleet.Answers[k]);
    }

    /// <summary>Whatever windows say, the estimate is finite and the problem valid.</summary>
    [Fact]
    public void Any_windows_give_a_valid_problem()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var definition = Wild(random);
            var sums = new WorkloadSums(SharingFleet.Horizon);
            for (var (end, last) = (0, random.Next(60, 20_000)); end < last; end += 60)
                sums.Fold(
                    Windows.Of(
                        end,
                        end + 60,
                        [.. definition.TaskTypes.Where(_ => random.Next(3) > 0).Select(type => Wild(random, type.Id))]
                    )
                );
            var estimate = Estimator.Estimate(definition, sums, Windows.Start.AddSeconds(20_000));
            Assert.NotEmpty(JsonSerializer.SerializeToUtf8Bytes(estimate, StrictJson.Options));
            Assert.Empty(ProblemValidation.Validate(ProblemBuilder.Build(definition, estimate)));
        }
    }

    private static FleetDefinition Wild(Random random)
    {
        var plain = new SharingFleet(1, 0.4, 0.5).Definition;
        return plain with
        {
            Servers = random.Next(1, 20),
            TaskTypes =
            [
                .. plain.TaskTypes.Select(type =>
                    type with
                    {
                        Service = new ServiceLine(
                            Size(random, 1e-3, 100),
                            Size(random, 1e-5, 1),
                            0,
                            random.Next(4) == 0 ? Size(random, 1e-9, 1e-6) : 0
                        ),
                        AnswerTokens = Size(random, 1, 1_000),
                    }
                ),
            ],
        };
    }

    private static TaskWindow Wild(Random random, string type)
    {
        var (tokens, millis) = (Size(random, 1, 1e6), Size(random, 1, 1e6));
        var window = Windows.Served(
            type,
            [
                .. Enumerable
                    .Range(0, random.Next(1, 20))
                    .Select(_ => ((long)(tokens * random.NextDouble()), (long)(millis * random.NextDouble()))),
            ]
        );
        var told = random.Next(10_000);
        var concurrency = new ConcurrencySums { Tokens = told, InService = told * (1L + random.Next(100)) };
        var service = window.Service! with
        {
            AnswerTokens = random.Next(2) == 0 ? null : told,
            Concurrency = random.Next(2) == 0 ? null : concurrency,
        };
        return window with { Service = service };
    }

    private static double Size(Random random, double least, double most) =>
        random.Next(8) == 0 ? 0 : least * Math.Pow(most / least, random.NextDouble());

    /// <summary>Windows that count answer tokens tell them, whatever the load and the definition.</summary>
    [Fact]
    public void Answer_tokens_that_windows_tell_are_theirs()
    {
        var fleet = new SharingFleet(4, 0.4, 0.5);
        var windows = fleet
            .Windows()
            .Select(window =>
                window with
                {
                    Tasks =
                    [
                        .. window.Tasks.Zip(
                            fleet.Answers,
                            (task, answer) =>
                                task with
                                {
                                    Service = task.Service! with
                                    {
                                        AnswerTokens = (long)Math.Round(answer * task.Service.Completions),
                                    },
                                }
                        ),
                    ],
                }
            );
        var sums = WorkloadSums.FromBytes(Folded(windows).ToBytes());
        var estimate = Estimator.Estimate(fleet.Definition, sums, Windows.Start.AddSeconds(SharingFleet.Horizon));
        for (var k = 0; k < fleet.Answers.Length; k++)
        {
            var answer = estimate.TaskTypes[k].AnswerTokens!;
            Assert.Equal(fleet.Answers[k], answer.Value, 0.02 * fleet.Answers[k]);
            Assert.True(answer.StandardError < 0.02 * fleet.Answers[k]);
        }
    }

    /// <summary>
    /// Little's law takes the queries that are reported for all there are. Where half of them are, it finds twice the
    /// work of a token, and takes what is too much of it off the overhead.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(0.5)]
    public void Concurrency_that_windows_tell_stands_for_the_load(double reportedPart)
    {
        const int Fleets = 40;
        var byAllTokens = new Figures();
        var byLastToken = new Figures();
        var byLittle = new Figures();
        Parallel.For(
            0,
            Fleets,
            seed =>
            {
                var fleet = new SharingFleet(seed, 0.5, 0.6, reportedPart: reportedPart);
                byAllTokens.Add(fleet, fleet.Observed(fleet.Windows(ConcurrencySample.AllTokens)));
                byLastToken.Add(fleet, fleet.Observed(fleet.Windows(ConcurrencySample.LastToken)));
                byLittle.Add(fleet, fleet.Observed());
            }
        );
        output.WriteLine($"{reportedPart:P0} of the queries reported");
        output.WriteLine($"told of every token: {byAllTokens}");
        output.WriteLine($"told of the last token: {byLastToken}");
        output.WriteLine($"by Little's law: {byLittle}");
        foreach (var told in new[] { byAllTokens, byLastToken })
        {
            Assert.Equal(Fleets, told.Identifiable);
            Assert.All(
                [told.Overhead, told.Base, told.PerToken, told.Answer, told.Utilization],
                figure => Assert.InRange(figure.Median, -0.01, 0.01)
            );
            Assert.InRange(told.Overhead.TypicalError, 0, byLittle.Overhead.TypicalError);
            Assert.InRange(told.PerToken.TypicalError, 0, byLittle.PerToken.TypicalError);
        }

        if (reportedPart < 1)
            Assert.InRange(byLittle.Utilization.Median, 0.7, 1.3);
    }

    [Fact]
    public void Without_windows_the_problem_is_the_definition_s()
    {
        var fleet = new SharingFleet(2, 0.4, 0.5);
        var none = Estimator.Estimate(fleet.Definition, new WorkloadSums(SharingFleet.Horizon), Windows.Start);
        var expected = ProblemBuilder.OfDefinition(fleet.Definition);
        var problem = ProblemBuilder.Build(fleet.Definition, none);
        Assert.Equal(expected.Sharing, problem.Sharing);
        Assert.Equal(expected.TaskTypes.Select(type => type.Service), problem.TaskTypes.Select(type => type.Service));
        Assert.Equal(
            expected.TaskTypes.Select(type => type.AnswerTokens),
            problem.TaskTypes.Select(type => type.AnswerTokens)
        );
        Assert.False(none.Sharing!.Identifiable);
    }

    private static WorkloadSums Folded(IEnumerable<WorkloadWindow> windows)
    {
        var sums = new WorkloadSums(SharingFleet.Horizon);
        foreach (var window in windows)
            sums.Fold(window);
        return sums;
    }

    private static byte[] Bytes(SharingFleet fleet, WorkloadSums sums)
    {
        var estimate = Estimator.Estimate(fleet.Definition, sums, Windows.Start.AddSeconds(SharingFleet.Horizon));
        return JsonSerializer.SerializeToUtf8Bytes(estimate, StrictJson.Options);
    }

    private static Figures Seen(int fleets, Func<int, SharingFleet> make)
    {
        var figures = new Figures();
        Parallel.For(
            0,
            fleets,
            seed =>
            {
                var fleet = make(seed);
                figures.Add(fleet, fleet.Observed());
            }
        );
        return figures;
    }

    private sealed class Figures
    {
        private readonly Lock _lock = new();

        public Figure Overhead { get; } = new();

        public Figure OverheadOverPrior { get; } = new();

        public Figure Base { get; } = new();

        public Figure PerToken { get; } = new();

        public Figure Answer { get; } = new();

        /// <summary>ρ by the problem that is built, at the true rate.</summary>
        public Figure Utilization { get; } = new();

        public int Identifiable { get; private set; }

        public void Add(SharingFleet fleet, FleetEstimate estimate)
        {
            lock (_lock)
            {
                Identifiable += estimate.Sharing!.Identifiable ? 1 : 0;
                Overhead.Add(estimate.Sharing.OverheadSecondsPerToken, fleet.Overhead);
                var prior = ProblemBuilder.OfDefinition(fleet.Definition).Sharing!.OverheadSecondsPerToken!.Value;
                OverheadOverPrior.Add(estimate.Sharing.OverheadSecondsPerToken, prior);
                foreach (var (type, truth) in estimate.TaskTypes.Zip(fleet.Truth.TaskTypes))
                {
                    Base.Add(type.Service.BaseSeconds, truth.Service.BaseSeconds);
                    PerToken.Add(type.Service.SecondsPerToken, truth.Service.SecondsPerToken);
                    Answer.Add(type.AnswerTokens!, truth.AnswerTokens);
                }

                var problem = ProblemBuilder.Build(fleet.Definition, estimate);
                Assert.Empty(ProblemValidation.Validate(problem));
                Utilization.Add(Load(problem, fleet) / Load(fleet.Truth, fleet));
            }
        }

        public override string ToString() =>
            $"identifiable {Identifiable}; overhead {Overhead}, over the prior {OverheadOverPrior}, base {Base}, "
            + $"per token {PerToken}, answer tokens {Answer}, utilization {Utilization}";

        private static double Load(AllocationProblem problem, SharingFleet fleet)
        {
            var overhead = problem.Sharing!.OverheadSecondsPerToken!.Value;
            return problem.TaskTypes.Index().Sum(it => fleet.Truth.TaskTypes[it.Index].Share * Work(it.Item, it.Index));

            double Work(TaskType type, int k) =>
                type.Service.BaseSeconds
                + (type.Service.SecondsPerToken * fleet.Reasoning[k])
                - (overhead * (type.AnswerTokens + fleet.Reasoning[k]));
        }
    }

    /// <summary>Relative errors of a figure, and how often its interval holds the truth.</summary>
    private sealed class Figure
    {
        private readonly List<double> _errors = [];
        private int _covered;

        public double CoveredPart => (double)_covered / _errors.Count;

        public double Median => Quantile(0.5);

        /// <summary>Median of the size of the errors.</summary>
        public double TypicalError => _errors.Select(Math.Abs).Order().ElementAt(_errors.Count / 2);

        public double Low => Quantile(0.05);

        public double High => Quantile(0.95);

        public void Add(double overTruth) => _errors.Add(overTruth - 1);

        public void Add(IntervalEstimate interval, double truth)
        {
            Add(interval.Value / truth);
            _covered += interval.Lower <= truth && truth <= interval.Upper ? 1 : 0;
        }

        public override string ToString() =>
            $"{CoveredPart:P1} ({Median:P1}; {Low:P1} to {High:P1}; size {TypicalError:P2})";

        private double Quantile(double part)
        {
            _errors.Sort();
            return _errors[(int)(part * (_errors.Count - 1))];
        }
    }
}
