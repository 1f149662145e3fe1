using System.Globalization;
using System.Text.Json;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;

namespace Platform.Domain.Tests.Allocation;

/// <summary>
/// Problems with answers computed to 24 digits and more by other means (60-digit arithmetic, complete grids).
/// </summary>
public sealed class GoldenVectorTests
{
    private static readonly Dictionary<string, JsonElement> Vectors = Load();

    // A search for prices, a global proof, or a start from 1 − ρ far above that of the optimum sweeps more often than
    // Newton's method does.
    private static readonly string[] TakesLonger = ["g07", "g08", "g12", "g13", "g19", "g20"];

    public static TheoryData<string> Optimal =>
        [.. Vectors.Where(v => Status(v.Value) == "optimal").Select(v => v.Key)];

    [Fact]
    public void Twenty_vectors_are_there_and_nineteen_have_an_optimum() =>
        Assert.Equal((20, 19), (Vectors.Count, Optimal.Count));

    [Theory]
    [MemberData(nameof(Optimal))]
    public void Continuous_optimum_agrees(string id)
    {
        var (solution, expected) = Solve(id);
        Assert.Equal(SolutionStatus.Optimal, solution.Status);
        Near(Number(expected, "objective"), solution.Continuous!.Objective, 1e-12, 0);
        var tokens = expected.GetProperty("tokensContinuous").EnumerateArray().Select(Number).ToArray();
        for (var k = 0; k < tokens.Length; k++)
            Near(tokens[k], solution.Allocation![k].TokensContinuous, 1e-9, 1e-6);
        var bounds = expected.GetProperty("bound").EnumerateArray().Select(b => b.GetString()!).ToArray();
        Assert.Equal(
            bounds,
            solution.Allocation!.Select(a => JsonNamingPolicy.CamelCase.ConvertName(a.Bound.ToString()))
        );
        Assert.True(solution.Continuous.KktResidual < 1e-9, $"KKT residual {solution.Continuous.KktResidual}");
        Assert.Equal(SolverExit.Converged, solution.Diagnostics!.Exit);
        Assert.True(
            TakesLonger.Contains(id) || solution.Diagnostics.Iterations <= 12,
            $"{solution.Diagnostics.Iterations} sweeps"
        );
    }

    [Theory]
    [MemberData(nameof(Optimal))]
    public void Prices_agree(string id)
    {
        var (solution, expected) = Solve(id);
        var prices = expected.GetProperty("shadowPrices");
        Near(Number(prices, "meanTokenBudget"), solution.ShadowPrices!.MeanTokenBudget, 1e-6, 0);
        Near(Number(prices, "maxMeanSystemTime"), solution.ShadowPrices.MaxMeanSystemTime, 1e-6, 0);
        Assert.Equal(0, solution.ShadowPrices.MaxUtilization);
        if (expected.TryGetProperty("objectivePerArrivalRate", out var perRate))
            Near(Number(perRate), solution.Diagnostics!.Sensitivities!.ObjectivePerArrivalRate, 1e-8, 0);
    }

    [Theory]
    [MemberData(nameof(Optimal))]
    public void Whole_tokens_are_no_worse_than_the_proven_ones_and_the_nearest(string id)
    {
        var (solution, expected) = Solve(id);
        var problem = Problem(id);
        var nearest = Tokens(expected.GetProperty("nearest"));
        var nearestObjective = AllocationSolver.Objective(problem, nearest);
        if (double.IsFinite(nearestObjective))
        {
            Near(Number(expected.GetProperty("nearest"), "objective"), solution.Rounding!.NearestObjective, 1e-12, 0);
            Assert.True(solution.Objective >= nearestObjective);
        }
        else
        {
            // The vectors round without regard to limits and accuracy floors; ours must not.
            Assert.Contains(id, (string[])["g14", "g20"]);
        }

        if (!expected.TryGetProperty("integer", out var integer))
            return;
        var best = Number(integer, "objective");
        Near(best, solution.Objective!.Value, 1e-12, 0);
        Assert.Equal(Tokens(integer), solution.Allocation!.Select(a => a.Tokens));
        Assert.True(solution.Rounding!.ProvenOptimal);
    }

    [Theory]
    [MemberData(nameof(Optimal))]
    public void Uniform_budget_and_constants_agree(string id)
    {
        var (solution, expected) = Solve(id);
        if (expected.TryGetProperty("uniform", out var uniform))
        {
            Assert.Equal(uniform.GetProperty("tokens").GetInt64(), solution.Uniform!.Tokens);
            Near(Number(uniform, "objective"), solution.Uniform.Objective, 1e-12, 0);
            Assert.True(solution.Objective >= solution.Uniform.Objective);
        }

        if (!expected.TryGetProperty("constants", out var constants))
            return;
        Near(Number(constants, "gradientLipschitz"), solution.Diagnostics!.GradientLipschitz!.Value, 1e-9, 0);
        Near(Number(constants, "contractionModulus"), solution.Diagnostics.ContractionModulus!.Value, 1e-9, 0);
    }

    [Fact]
    public void Unstable_vector_is_infeasible_with_the_largest_rate()
    {
        var (solution, expected) = Solve("g11");
        Assert.Equal((SolutionStatus.Infeasible, InfeasibilityReason.Unstable), (solution.Status, solution.Reason));
        Near(Number(expected, "maxArrivalRate"), solution.MaxArrivalRate!.Value, 1e-14, 0);
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
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "golden", "golden.json"));
        return JsonDocument
            .Parse(file)
            .RootElement.EnumerateArray()
            .ToDictionary(v => v.GetProperty("id").GetString()!);
    }

    private static string Status(JsonElement vector) =>
        vector.GetProperty("expected").GetProperty("status").GetString()!;

    private static long[] Tokens(JsonElement element) =>
        [.. element.GetProperty("tokens").EnumerateArray().Select(t => t.GetInt64())];

    private static double Number(JsonElement element, string name) => Number(element.GetProperty(name));

    private static double Number(JsonElement text) => double.Parse(text.GetString()!, CultureInfo.InvariantCulture);

    private static void Near(double expected, double actual, double relative, double absolute) =>
        Assert.True(
            Math.Abs(expected - actual) <= Math.Max(absolute, relative * Math.Abs(expected)),
            $"expected {expected:R}, got {actual:R}, off by {Math.Abs(expected - actual) / Math.Max(Math.Abs(expected), 1e-300):E2} relative"
        );
}
