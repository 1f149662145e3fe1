using Platform.Domain.Allocation;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Simulation;

namespace Platform.Domain.Tests.Estimation;

/// <summary>
/// Servers that batch, simulated iteration by iteration with prompts, under a load that follows the day, seen through
/// windows and learnt from: nothing of the simulator is known to the estimator.
/// </summary>
public sealed class BatchingEstimationTests(ITestOutputHelper output)
{
    private const int Horizon = 21_600;
    private const int Servers = 2;
    private const double Overhead = 0.012;

    private static readonly TokenCosts Costs = new(2.5e-4, 0, 2e-5);

    private static readonly BatchedType[] Types =
    [
        new()
        {
            Share = 0.4,
            PromptTokens = TokenLaw.Geometric(800),
            ReasoningTokens = TokenLaw.Geometric(600),
            AnswerTokens = TokenLaw.Geometric(200),
            Costs = Costs,
        },
        new()
        {
            Share = 0.6,
            PromptTokens = TokenLaw.Geometric(300),
            ReasoningTokens = TokenLaw.Geometric(120),
            AnswerTokens = TokenLaw.Geometric(60),
            Costs = Costs,
        },
    ];

    internal static readonly FleetDefinition Definition = new()
    {
        DisplayName = "Batching",
        Servers = Servers,
        Dispatch = Dispatch.Sharing,
        Objective = new FleetObjective { AccuracyWeight = 30 },
        ArrivalRate = 2,
        Solving = new SolvingPolicy { HorizonSeconds = Horizon },
        TaskTypes =
        [
            .. Types.Select(
                (type, k) =>
                    new TaskType
                    {
                        Id = $"type-{k}",
                        Share = type.Share,
                        MaxTokens = 32_768,
                        Service = new ServiceLine(1, 0.02),
                        Accuracy = new AccuracyCurve(0.3, 0.5, 0.002),
                    }
            ),
        ],
    };

    [Fact]
    public void A_day_on_servers_that_batch_tells_overhead_lines_answer_tokens_and_utilization()
    {
        for (var seed = 0UL; seed < 5; seed++)
        {
            var (estimate, rate) = Learnt(seed, 0.45, 0.5);
            var problem = ProblemBuilder.Build(Definition, estimate);
            Assert.Empty(ProblemValidation.Validate(problem));
            var utilization =
                Utilization(problem, rate) / (rate / Servers * Types.Sum(type => type.Share * Work(type)));
            output.WriteLine(
                $"utilization over true {utilization:0.000}, overhead {estimate.Sharing!.OverheadSecondsPerToken.Value / Overhead:0.000} of true"
            );
            Assert.True(estimate.Sharing.Identifiable);
            Assert.Equal(1, utilization, 0.03);
            Assert.Equal(1, estimate.Sharing.OverheadSecondsPerToken.Value / Overhead, 0.05);
            foreach (var (type, seen) in Types.Zip(problem.TaskTypes))
            {
                var lone = Work(type) + (Overhead * (type.ReasoningTokens.Mean + type.AnswerTokens.Mean));
                var seenLone = seen.Service.BaseSeconds + (seen.Service.SecondsPerToken * type.ReasoningTokens.Mean);
                output.WriteLine(
                    $"  lone {seenLone / lone:0.000}, per token {seen.Service.SecondsPerToken / (Overhead + Costs.SecondsPerOutputToken):0.000}, answer tokens {seen.AnswerTokens:0}"
                );
                Assert.Equal(1, seenLone / lone, 0.03);
                Assert.Equal(1, seen.AnswerTokens / type.AnswerTokens.Mean, 0.1);
            }
        }
    }

    private static double Work(BatchedType type)
    {
        var output = type.ReasoningTokens.Mean + type.AnswerTokens.Mean;
        return (Costs.SecondsPerOutputToken * output) + (Costs.SecondsPerPromptToken * type.PromptTokens.Mean);
    }

    private static double Utilization(AllocationProblem problem, double rate)
    {
        var overhead = problem.Sharing!.OverheadSecondsPerToken!.Value;
        return rate / Servers * Types.Zip(problem.TaskTypes, WorkOf).Sum();

        double WorkOf(BatchedType type, TaskType seen)
        {
            var lone = seen.Service.BaseSeconds + (seen.Service.SecondsPerToken * type.ReasoningTokens.Mean);
            return type.Share * (lone - (overhead * (seen.AnswerTokens + type.ReasoningTokens.Mean)));
        }
    }

    /// <summary>What is learnt of a horizon whose rate swings around that of a utilization.</summary>
    internal static (FleetEstimate Estimate, double Rate) Learnt(
        ulong seed,
        double utilization,
        double swing,
        int? maxInService = null,
        bool isCapTold = true
    )
    {
        var rate = utilization * Servers / Types.Sum(type => type.Share * Work(type));
        var fleet = new BatchingFleet(Servers, new BatchingConstants(Overhead, maxInService), Types);
        LoadSegment[] load =
        [
            .. Enumerable
                .Range(0, 72)
                .Select(i => new LoadSegment(300, rate * (1 + (swing * Math.Sin(2 * Math.PI * i / 72))))),
        ];
        var sums = new WorkloadSums(Horizon);
        foreach (var window in BatchedWindows.Of(fleet.Serve(load, seed), Horizon, ["type-0", "type-1"]))
            sums.Fold(window);
        var definition = Definition with { Sharing = isCapTold ? new SharingServer(null, maxInService) : null };
        return (Estimator.Estimate(definition, sums, Windows.Start.AddSeconds(Horizon)), rate);
    }
}
