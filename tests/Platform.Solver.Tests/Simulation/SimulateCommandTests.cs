using System.Text.Json.Nodes;
using Platform.Solver.Simulation;
using Platform.Solver.Tests.Allocation;

namespace Platform.Solver.Tests.Simulation;

public sealed class SimulateCommandTests
{
    [Fact]
    public void A_solved_problem_is_simulated_and_the_prediction_lies_in_the_interval()
    {
        var (status, answer, _) = Simulate(Commands.Problem());
        Assert.Equal(0, status);
        var interval = answer!["simulated"]!["systemTime"]!;
        Assert.InRange((double)answer["predicted"]!["meanSystemTimeSeconds"]!, (double)interval["lowSeconds"]!, (double)interval["highSeconds"]!);
        Assert.True((bool)answer["predictionInInterval"]!);
        Assert.Equal(2, answer["tokens"]!.AsArray().Count);
    }

    [Fact]
    public void Given_tokens_are_simulated_instead()
    {
        var (_, answer, _) = Simulate(new JsonObject { ["problem"] = Commands.Problem(), ["tokens"] = new JsonArray(100, 0) });
        Assert.Equal((0.25 * 1.5) + (0.75 * 0.25), (double)answer!["predicted"]!["meanServiceSeconds"]!, 1e-12);
        Assert.Equal((0.25 * 1.5) + (0.75 * 0.25), (double)answer["simulated"]!["meanServiceSeconds"]!, 0.01);
    }

    [Fact]
    public void Given_tokens_may_be_too_many_and_it_says_so()
    {
        var (status, answer, _) = Simulate(new JsonObject { ["problem"] = Commands.Problem(), ["tokens"] = new JsonArray(8000, 4000) });
        Assert.Equal((0, false), (status, (bool)answer!["simulated"]!["stable"]!));
        Assert.Null(answer["predicted"]!["meanSystemTimeSeconds"]);
        Assert.Null(answer["predictionInInterval"]);
    }

    [Fact]
    public void Equal_seeds_give_equal_answers()
    {
        Assert.Equal(Time("--seed", "7"), Time("--seed", "7"));
        Assert.NotEqual(Time("--seed", "7"), Time("--seed", "8"));
        static double Time(params string[] words) => (double)Simulate(Commands.Problem(), words).Answer!["simulated"]!["systemTime"]!["meanSeconds"]!;
    }

    [Fact]
    public void An_array_has_an_array_of_answers_and_an_infeasible_one_is_status_1()
    {
        var (status, answer, _) = Simulate(new JsonArray(Commands.Problem(0.2), Commands.Problem(100)));
        Assert.Equal(1, status);
        Assert.Equal(["optimal", "infeasible"], answer!.AsArray().Select(it => (string)it!["status"]!));
    }

    [Theory]
    [InlineData("""{ "tokens": [] }""", "standard input: /: ")]
    [InlineData("""{ "problem": null, "tokens": [] }""", "standard input: /problem: ")]
    public void A_fault_of_shape_has_its_pointer(string input, string line)
    {
        var (status, output, error) = Commands.Run(SimulateCommand.Run, input, "-");
        Assert.Equal((2, ""), (status, output));
        Assert.StartsWith(line, Assert.Single(error), StringComparison.Ordinal);
    }

    [Fact]
    public void A_fault_of_the_problem_or_its_tokens_has_its_pointer()
    {
        var bad = Commands.Changed(it => it["servers"] = 0);
        var (status, _, error) = Simulate(new JsonObject { ["problem"] = bad, ["tokens"] = new JsonArray(1, -1, 1) });
        Assert.Equal(2, status);
        Assert.Equal(["/problem/servers", "/tokens", "/tokens/1"], error.Select(line => line.Split(": ")[1]));
    }

    [Theory]
    [InlineData("--arrivals", "0")]
    [InlineData("--arrivals", "many")]
    [InlineData("--seed", "-1")]
    [InlineData("--method", "newton")]
    public void Bad_usage_is_one_line_and_status_2(params string[] words)
    {
        var (status, _, error) = Simulate(Commands.Problem(), words);
        Assert.Equal(2, status);
        Assert.Single(error);
    }

    private static (int Status, JsonNode? Answer, string[] Error) Simulate(JsonNode input, params string[] words)
    {
        var (status, output, error) = Commands.Run(SimulateCommand.Run, input.ToJsonString(), ["-", .. words.Contains("--arrivals") ? [] : (string[])["--arrivals=100000"], .. words]);
        return (status, output.Length > 0 ? JsonNode.Parse(output) : null, error);
    }
}
