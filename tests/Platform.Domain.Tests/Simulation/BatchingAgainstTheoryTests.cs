using Platform.Domain.Queueing;
using Platform.Domain.Simulation;

namespace Platform.Domain.Tests.Simulation;

/// <summary>
/// The simulator of servers that batch and the theory of processor sharing check each other. The theory serves tokens
/// like a fluid; the simulated server goes by iterations, so that a query waits for the one that runs when it comes.
/// </summary>
public sealed class BatchingAgainstTheoryTests
{
    private const double Overhead = 0.0206;
    private const double PerToken = 0.00041;
    private const double PerPromptToken = 0.00002;

    private readonly ITestOutputHelper _output = TestContext.Current.TestOutputHelper!;

    /// <summary>Laws of output lengths, each with a mean of 400.</summary>
    private static readonly Dictionary<string, TokenLaw> Lengths = new()
    {
        ["fixed"] = TokenLaw.Fixed(400),
        ["geometric"] = TokenLaw.Geometric(400),
        ["mixed"] = TokenLaw.Mixed(
            (0.5, TokenLaw.Fixed(100)),
            (0.3, TokenLaw.Geometric(300)),
            (0.2, TokenLaw.Fixed(1300))
        ),
    };

    public static TheoryData<string, double, double, double, long> Cases { get; } =
        new()
        {
            { "fixed", 0.2, 0, 0.01, 1_000_000 },
            { "fixed", 0.6, 0, 0.01, 1_000_000 },
            { "fixed", 0.9, 0, 0.03, 2_000_000 },
            { "geometric", 0.2, 0, 0.01, 1_000_000 },
            { "geometric", 0.6, 0, 0.01, 1_000_000 },
            { "geometric", 0.9, 0, 0.03, 2_000_000 },
            { "mixed", 0.2, 0, 0.01, 1_000_000 },
            { "mixed", 0.6, 0, 0.01, 1_000_000 },
            { "mixed", 0.9, 0, 0.03, 2_000_000 },
            { "fixed", 0.6, 1500, 0.01, 1_000_000 },
            { "fixed", 0.9, 1500, 0.03, 2_000_000 },
            { "mixed", 0.6, 1500, 0.01, 1_000_000 },
            { "mixed", 0.9, 1500, 0.03, 2_000_000 },
        };

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_mean_system_time_is_the_lone_time_over_the_idle_part(
        string law,
        double utilization,
        double promptTokens,
        double tolerance,
        long arrivals
    )
    {
        var type = Type(Lengths[law], promptTokens);
        var load = Load(type);
        var rate = utilization / load.WorkSeconds;
        var result = Simulate(rate, type, arrivals);
        var truth = ProcessorSharing.MeanSystemTimeSeconds(rate, load);
        Near(result.SystemTime, truth, tolerance);
        Assert.Equal(utilization, result.Utilization, 0.02 * utilization);
        Assert.Equal(rate * truth, result.InSystem!.Mean, (tolerance + 0.015) * rate * truth);
        Assert.Equal(load.LoneSeconds, result.MeanServiceSeconds, 0.02 * load.LoneSeconds);
    }

    [Theory]
    [InlineData("geometric", 0.3, 0.01)]
    [InlineData("geometric", 0.6, 0.02)]
    [InlineData("geometric", 0.85, 0.03)]
    [InlineData("fixed", 0.6, 0.03)]
    [InlineData("fixed", 0.85, 0.03)]
    public void With_a_cap_the_number_in_system_is_a_birth_death_process(
        string law,
        double utilization,
        double tolerance
    )
    {
        const int Cap = 32;
        var type = Type(Lengths[law]);
        var load = Load(type);
        var rate = utilization / ProcessorSharing.Utilization(1, load, Cap);
        var result = Simulate(rate, type, 2_000_000, Cap);
        var truth = ProcessorSharing.Means(rate, load, Cap);
        Near(result.SystemTime, truth.SystemSeconds, tolerance);
        Near(result.Wait, truth.WaitSeconds, 0, tolerance * truth.SystemSeconds);
        Assert.Equal(utilization, result.Utilization, 0.02);
        Assert.True(result.InService!.Mean <= Cap);
    }

    [Fact]
    public void The_number_in_system_is_negative_binomial()
    {
        // E[N] = ρ (1 + a)/(1 − ρ), with a = α/δ = 50.
        var type = Type(Lengths["fixed"]) with
        {
            Costs = new(Overhead / 50),
        };
        var rate = 0.5 / Load(type).WorkSeconds;
        Assert.Equal(51, Simulate(rate, type, 1_000_000).InSystem!.Mean, 1.0);
    }

    [Fact]
    public void Each_type_is_slowed_by_its_output_tokens()
    {
        BatchedType[] types =
        [
            Type(TokenLaw.Fixed(100)) with
            {
                Share = 0.7,
            },
            Type(TokenLaw.Geometric(1500), promptTokens: 1000) with
            {
                Share = 0.3,
            },
        ];
        var work = types.Sum(type => type.Share * Work(type));
        var rate = 0.6 / work;
        var result = BatchingSimulator.Simulate(new(1, new(Overhead), types), rate, new() { Arrivals = 200_000 });

        // T_k = s_k + o_k X, X = (U/O) ρ/(1 − ρ).
        var output = types.Sum(type => type.Share * Output(type));
        var slowing = ((Overhead * output) + work) / output * 0.6 / 0.4;
        for (var k = 0; k < types.Length; k++)
        {
            var truth = Work(types[k]) + (Output(types[k]) * (Overhead + slowing));
            Near(result.TaskTypes[k].SystemTime!, truth, 0.015);
        }
    }

    [Fact]
    public void Tokens_come_at_the_pace_of_all_and_the_answer_after_the_reasoning()
    {
        // The pace is (α + δ)/(1 − ρ), and the first token of the answer is the 301st.
        var type = Type(TokenLaw.Fixed(100)) with
        {
            ReasoningTokens = TokenLaw.Fixed(300),
        };
        var result = Simulate(0.6 / Work(type), type, 1_000_000);
        var pace = (Overhead + PerToken) / 0.4;
        Near(result.InterToken!, pace, 0.01);
        Near(result.TimeToFirstAnswerToken!, 301 * pace, 0.01);
    }

    [Fact]
    public void A_growing_context_counts_as_the_work_that_it_adds()
    {
        var type = Type(TokenLaw.Fixed(1000)) with { Costs = new(PerToken, SecondsPerEarlierToken: 0.000001) };
        var load = new SharingLoad(Overhead * 1000, type.Costs.WorkSeconds(0, 1000));
        var rate = 0.6 / load.WorkSeconds;
        Near(Simulate(rate, type, 1_000_000).SystemTime, ProcessorSharing.MeanSystemTimeSeconds(rate, load), 0.01);
    }

    [Fact]
    public void Each_of_several_servers_is_as_one_with_its_part_of_the_arrivals()
    {
        var type = Type(Lengths["mixed"]);
        var rate = 0.6 / Work(type);
        var result = BatchingSimulator.Simulate(new(4, new(Overhead), [type]), 4 * rate, new() { Arrivals = 200_000 });
        var truth = ProcessorSharing.MeanSystemTimeSeconds(rate, Load(type));
        Near(result.SystemTime, truth, 0.01);
        Assert.Equal(rate * truth, result.InSystem!.Mean, 0.02 * rate * truth);
        Assert.Equal(4 * rate, result.QueriesPerSecond!.Mean, 0.02 * rate * 4);
        Assert.Equal(4 * rate * 400, result.OutputTokensPerSecond!.Mean, 0.02 * rate * 4 * 400);
        Assert.Equal(0.6, result.Utilization, 0.01);
    }

    private static BatchedType Type(TokenLaw answer, double promptTokens = 0) =>
        new()
        {
            Share = 1,
            AnswerTokens = answer,
            PromptTokens = promptTokens > 0 ? TokenLaw.Geometric(promptTokens) : TokenLaw.None,
            Costs = new(PerToken, 0, PerPromptToken),
        };

    private static double Output(BatchedType type) => type.ReasoningTokens.Mean + type.AnswerTokens.Mean;

    private static double Work(BatchedType type) =>
        (type.PromptTokens.Mean * type.Costs.SecondsPerPromptToken) + (Output(type) * type.Costs.SecondsPerOutputToken);

    private static SharingLoad Load(BatchedType type) => new(Overhead * Output(type), Work(type));

    private static SimulationResult Simulate(double rate, BatchedType type, long arrivals, int? cap = null) =>
        BatchingSimulator.Simulate(new(1, new(Overhead, cap), [type]), rate, new() { Arrivals = arrivals, Seed = 3 });

    /// <summary>In the interval, or within the tolerance, as a part of the truth or in seconds.</summary>
    private void Near(SimulatedMean mean, double truth, double tolerance, double seconds = 0)
    {
        var difference = mean.MeanSeconds - truth;
        var halfInterval = mean.HighSeconds - mean.MeanSeconds;
        _output.WriteLine($"{difference / truth:0.00 %} of {truth:0.0000} s, interval ±{halfInterval / truth:0.00 %}");
        var isInInterval = truth >= mean.LowSeconds && truth <= mean.HighSeconds;
        var isNear = Math.Abs(difference) <= Math.Max(tolerance * truth, seconds);
        Assert.True(isInInterval || isNear, $"{mean} is not near {truth}");
    }
}
