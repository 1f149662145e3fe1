using System.Globalization;
using System.Text.Json;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;

namespace Platform.Domain.Tests.Allocation;

/// <summary>
/// The solver of servers that share against answers to 30 digits by another method, which <c>golden/sharing.py</c>
/// computes.
/// </summary>
public sealed class SharingGoldenTests
{
    private static readonly Dictionary<string, JsonElement> Vectors = Load();

    public static TheoryData<string> All => [.. Vectors.Keys];

    [Fact]
    public void Forty_seven_vectors_are_there() => Assert.Equal(47, Vectors.Count);

    [Theory]
    [MemberData(nameof(All))]
    public void The_continuous_optimum_agrees(string id)
    {
        var (solution, expected) = Solve(id);
        var objective = Number(expected, "objective");
        Near(objective, solution.Continuous!.Objective, 1e-12 * (1 + Math.Abs(objective)), "objective");
        var tokens = expected.GetProperty("tokensContinuous").EnumerateArray().Select(Number).ToArray();
        for (var k = 0; k < tokens.Length; k++)
            Near(tokens[k], solution.Allocation![k].TokensContinuous, 1e-9 * (1 + tokens[k]), $"tokens of type {k}");
        var bounds = expected.GetProperty("bound").EnumerateArray().Select(bound => bound.GetString()!);
        Assert.Equal(
            bounds,
            solution.Allocation!.Select(it => JsonNamingPolicy.CamelCase.ConvertName(it.Bound.ToString()))
        );
        Assert.True(solution.Continuous.KktResidual < 1e-12, $"KKT residual {solution.Continuous.KktResidual}");
        Assert.Equal(SolverExit.Converged, solution.Diagnostics!.Exit);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void The_gap_is_certified(string id)
    {
        var (solution, _) = Solve(id);
        var scale = 1 + Math.Abs(solution.Continuous!.Objective);
        Assert.InRange(solution.Continuous.OptimalityGap, 0, 1e-10 * scale);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Prices_and_sensitivities_agree(string id)
    {
        var (solution, expected) = Solve(id);
        var asked = expected.GetProperty("shadowPrices");
        var prices = solution.ShadowPrices!;
        Price("meanTokenBudget", prices.MeanTokenBudget);
        Price("maxMeanSystemTime", prices.MaxMeanSystemTime);
        Price("maxUtilization", prices.MaxUtilization);
        Price("maxInterTokenSeconds", prices.MaxInterTokenSeconds!.Value);
        Price("maxTimeToFirstAnswerTokenSeconds", prices.MaxTimeToFirstAnswerTokenSeconds!.Value);
        var sensitivities = solution.Diagnostics!.Sensitivities!;
        var perRate = Number(expected, "objectivePerArrivalRate");
        Near(perRate, sensitivities.ObjectivePerArrivalRate, 1e-8 * Math.Abs(perRate), "per arrival rate");
        var accuracy = Number(expected, "weightedAccuracy");
        Near(accuracy, sensitivities.ObjectivePerAccuracyWeight, 1e-11 * (1 + accuracy), "per accuracy weight");

        void Price(string name, double actual)
        {
            var price = Number(asked, name);
            Near(price, actual, 1e-9 * (1 + price), name);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Whole_tokens_are_no_worse_and_their_figures_agree(string id)
    {
        var (solution, expected) = Solve(id);
        var whole = expected.GetProperty("whole");
        long[] tokens = [.. whole.GetProperty("tokens").EnumerateArray().Select(it => it.GetInt64())];
        var objective = Number(whole, "objective");
        var slack = 1e-12 * (1 + Math.Abs(objective));
        Near(objective, AllocationSolver.Objective(Problem(id), tokens), slack, "objective of given tokens");
        Assert.True(solution.Objective >= objective - (20 * slack), $"{solution.Objective:R} against {objective:R}");
        if (!solution.Allocation!.Select(it => it.Tokens).SequenceEqual(tokens))
            return;
        Figure("meanSystemTimeSeconds", solution.MeanSystemTimeSeconds!.Value);
        Figure("meanWaitSeconds", solution.MeanWaitSeconds!.Value);
        Figure("meanInService", solution.MeanInService!.Value);
        Figure("interTokenSeconds", solution.InterTokenSeconds!.Value);
        Figure("meanTimeToFirstAnswerTokenSeconds", solution.MeanTimeToFirstAnswerTokenSeconds!.Value);
        Figure("utilization", solution.Utilization!.Value);

        void Figure(string name, double actual)
        {
            var figure = Number(whole, name);
            Near(figure, actual, 1e-11 * (1 + figure), name);
        }
    }

    private static (AllocationSolution Solution, JsonElement Expected) Solve(string id) =>
        (AllocationSolver.Solve(Problem(id)), Vectors[id].GetProperty("expected"));

    private static AllocationProblem Problem(string id)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(Vectors[id].GetProperty("problem"));
        Assert.True(StrictJson.TryRead<AllocationProblem>(json, out var problem, out var error), error?.ToString());
        return problem;
    }

    private static Dictionary<string, JsonElement> Load()
    {
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "golden", "sharing.json"));
        var vectors = JsonDocument.Parse(file).RootElement.EnumerateArray();
        return vectors.ToDictionary(vector => vector.GetProperty("id").GetString()!);
    }

    private static double Number(JsonElement element, string name) => Number(element.GetProperty(name));

    private static double Number(JsonElement text) => double.Parse(text.GetString()!, CultureInfo.InvariantCulture);

    private static void Near(double expected, double actual, double most, string what) =>
        Assert.True(
            Math.Abs(expected - actual) <= most,
            $"{what}: expected {expected:R}, got {actual:R}, off by {Math.Abs(expected - actual):E2} of {most:E2}"
        );
}
