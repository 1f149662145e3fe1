using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;
using Platform.Domain.Tests.Estimation;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Snapshots;

/// <summary>
/// A fleet is solved every minute on windows that vary by chance: versions come with changes, not with chance.
/// </summary>
public sealed class UnchangingFleetTests
{
    private const int WarmUp = 60;
    private const int Solves = 300;

    private static readonly DateTimeOffset Start = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    private static readonly FleetDefinition Definition = Definitions.Fleet() with
    {
        Servers = 8,
        ArrivalRate = 1,
        Objective = new FleetObjective { AccuracyWeight = 60 },
        Solving = new SolvingPolicy
        {
            EverySeconds = 60,
            HorizonSeconds = 3_600,
            MinimumGain = 0,
        },
    };

    public static TheoryData<string, FleetDefinition> Limited =>
        new()
        {
            { "none", Definition },
            { "utilization", Definition with { Objective = Definition.Objective with { MaxUtilization = 0.5 } } },
            { "tokens", Definition with { Objective = Definition.Objective with { MeanTokenBudget = 200 } } },
            { "time", Definition with { Objective = Definition.Objective with { MaxMeanSystemTimeSeconds = 5 } } },
            {
                "accuracy",
                Definition with
                {
                    TaskTypes = [Definitions.Math with { AccuracyFloor = 0.5 }, Definitions.Chat],
                }
            },
        };

    [Theory]
    [MemberData(nameof(Limited), DisableDiscoveryEnumeration = true)]
    public void Chance_alone_makes_no_versions(string limit, FleetDefinition definition)
    {
        var versions = 0;
        for (var seed = 1; seed <= 4; seed++)
        {
            var fleet = new ServedFleet(definition, seed);
            fleet.Run(WarmUp, rate: 1);
            versions += fleet.Run(Solves, rate: 1);
        }

        // 1,200 solves over 20 horizons' worth of windows: a version now and then is a false alarm, a version every
        // other solve is noise.
        Assert.True(versions <= 12, $"{limit}: {versions} versions");
    }

    [Fact]
    public void A_real_change_makes_a_version_within_minutes()
    {
        var fleet = new ServedFleet(Definition, 7);
        fleet.Run(WarmUp, rate: 1);
        Assert.True(fleet.Run(15, rate: 2) > 0);
    }

    [Theory]
    [InlineData(2.0)]
    [InlineData(0.4)]
    public void A_gain_that_is_real_is_not_missed_for_long(double rate)
    {
        var fleet = new ServedFleet(Definition, 3);
        fleet.Run(WarmUp, rate: 1);
        fleet.Run(90, rate);

        // The horizon has passed: what is in force is as good as the optimum for the new rate, up to what chance hides.
        var (best, inForce) = fleet.UnderTruth(rate);
        Assert.True(best - inForce < 0.02 * Math.Abs(best), $"{inForce} in force, {best} at best");
    }

    /// <summary>
    /// Serves what the allocation in force grants, exactly as the definition's curves say, and reports a window every
    /// 10 seconds.
    /// </summary>
    private sealed class ServedFleet(FleetDefinition definition, int seed)
    {
        private readonly Random _random = new(seed);
        private readonly WorkloadSums _sums = new(definition.Solving.HorizonSeconds);
        private DateTimeOffset _now = Start;
        private PreviousAllocation? _previous;
        private long _windows;

        /// <summary>Serves and solves a number of periods; returns the versions published.</summary>
        public int Run(int periods, double rate)
        {
            var before = _previous?.Version ?? 0;
            for (var i = 0; i < periods; i++)
            {
                for (var end = _now.AddSeconds(definition.Solving.EverySeconds); _now < end; _now = _now.AddSeconds(10))
                    Report(rate);
                Solve();
            }

            return (_previous?.Version ?? 0) - before;
        }

        public (double Best, double InForce) UnderTruth(double rate)
        {
            var problem = ProblemBuilder.OfDefinition(definition with { ArrivalRate = rate });
            return (
                AllocationSolver.Solve(problem).Objective!.Value,
                AllocationSolver.Objective(
                    problem,
                    [.. definition.TaskTypes.Select(type => _previous!.Summary.Tokens[type.Id])]
                )
            );
        }

        private void Solve()
        {
            var inputs = new SnapshotInputs
            {
                Tenant = "acme",
                Fleet = "chat",
                Definition = definition,
                DefinitionRevision = 1,
                Sums = _sums,
                WorkloadVersion = _windows,
                SolvedAt = _now,
            };
            if (SolvePolicy.Solve(inputs, _previous) is SolveOutcome.Published { Snapshot: var snapshot })
            {
                var bytes = snapshot.ToCanonicalBytes();
                _previous = new PreviousAllocation
                {
                    Version = snapshot.Version,
                    Hash = AllocationSnapshot.HashOf(bytes),
                    Summary = AllocationSummary.OfDocument(bytes),
                };
            }
        }

        private void Report(double rate)
        {
            _windows++;
            _sums.Fold(
                new WorkloadWindow
                {
                    Fleet = "chat",
                    WindowStart = _now,
                    WindowEnd = _now.AddSeconds(10),
                    Tasks = [.. definition.TaskTypes.Select(type => Serve(type, rate * 10))],
                }
            );
        }

        private TaskWindow Serve(TaskType type, double expected)
        {
            var (arrivals, granted) = (Poisson(expected * type.Share), _previous?.Summary.Tokens[type.Id] ?? 200);
            var queries = new (long Tokens, long Millis)[arrivals];
            var correct = 0L;
            for (var i = 0; i < arrivals; i++)
            {
                var used = (long)(granted * (0.7 + (0.3 * _random.NextDouble())));
                queries[i] = (
                    used,
                    (long)
                        Math.Round(
                            1e3
                                * (type.Service.BaseSeconds + (type.Service.SecondsPerToken * used))
                                * (0.9 + (0.2 * _random.NextDouble()))
                        )
                );
                correct +=
                    _random.NextDouble()
                    < type.Accuracy.Floor + (type.Accuracy.Gain * (1 - Math.Exp(-type.Accuracy.RatePerToken * granted)))
                        ? 1
                        : 0;
            }

            var served = Windows.Served(type.Id, queries);
            return served with
            {
                Service = served.Service! with { TokensGranted = granted * arrivals },
                Accuracy =
                    arrivals == 0
                        ? null
                        :
                        [
                            new AccuracyCount
                            {
                                Tokens = granted,
                                Trials = arrivals,
                                Correct = correct,
                            },
                        ],
            };
        }

        private long Poisson(double mean)
        {
            var (count, left) = (0L, Math.Exp(-mean));
            for (var product = _random.NextDouble(); product > left; product *= _random.NextDouble())
                count++;
            return count;
        }
    }
}
