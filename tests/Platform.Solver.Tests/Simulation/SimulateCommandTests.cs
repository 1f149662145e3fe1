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
        Assert.InRange(
            (double)answer["predicted"]!["meanSystemTimeSeconds"]!,
            (double)interval["lowSeconds"]!,
            (double)interval["highSeconds"]!
        );
        Assert.True((bool)answer["predictionInInterval"]!);
        Assert.Equal(2, answer["tokens"]!.AsArray().Count);
    }

    [Fact]
    public void Given_tokens_are_simulated_instead()
    {
        var (_, answer, _) = Simulate(
            new JsonObject { ["problem"] = Commands.Problem(), ["tokens"] = new JsonArray(100, 0) }
        );
        Assert.Equal((0.25 * 1.5) + (0.75 * 0.25), (double)answer!["predicted"]!["meanServiceSeconds"]!, 1e-12);
        Assert.Equal((0.25 * 1.5) + (0.75 * 0.25), (double)answer["simulated"]!["meanServiceSeconds"]!, 0.01);
    }

    [Fact]
    public void Given_tokens_may_be_too_many_and_it_says_so()
    {
        var (status, answer, _) = Simulate(
            new JsonObject { ["problem"] = Commands.Problem(), ["tokens"] = new JsonArray(8000, 4000) }
        );
        Assert.Equal((0, false), (status, (bool)answer!["simulated"]!["stable"]!));
        Assert.Null(answer["predicted"]!["meanSystemTimeSeconds"]);
        Assert.Null(answer["predictionInInterval"]);
    }

    [Fact]
    public void Servers_that_share_are_simulated_iteration_by_iteration_beside_the_theory()
    {
        var problem = Commands.SharingProblem();
        var (status, answer, _) = Simulate(
            new JsonObject { ["problem"] = problem, ["tokens"] = new JsonArray(800, 100) }
        );
        var (predicted, simulated) = (answer!["predicted"]!, answer["simulated"]!);
        Assert.Equal(0, status);
        Assert.Equal("birth-death", (string)predicted["approximation"]!);
        Near(predicted["meanSystemTimeSeconds"], simulated["systemTime"]!["meanSeconds"], 0.01);
        Near(predicted["meanServiceSeconds"], simulated["meanServiceSeconds"], 0.01);
        Near(predicted["utilization"], simulated["utilization"], 0.02);
        Near(predicted["meanInService"], simulated["inService"]!["mean"], 0.02);
        Near(predicted["interTokenSeconds"], simulated["interToken"]!["meanSeconds"], 0.015);
        Near(
            predicted["meanTimeToFirstAnswerTokenSeconds"],
            simulated["timeToFirstAnswerToken"]!["meanSeconds"],
            0.015
        );
        Near(JsonValue.Create(1.0), simulated["queriesPerSecond"]!["mean"], 0.02);
        for (var k = 0; k < 2; k++)
        {
            var (predictedType, simulatedType) = (predicted["taskTypes"]![k]!, simulated["taskTypes"]![k]!);
            Near(predictedType["systemSeconds"], simulatedType["meanSystemTimeSeconds"], 0.01);
            Near(
                predictedType["timeToFirstAnswerTokenSeconds"],
                simulatedType["timeToFirstAnswerToken"]!["meanSeconds"],
                0.015
            );
        }

        Assert.InRange((double)answer["relativeDifference"]!, -0.01, 0.01);
    }

    [Fact]
    public void Servers_that_share_are_simulated_with_the_tokens_that_are_best_for_them()
    {
        var (status, answer, _) = Simulate(Commands.SharingProblem());
        Assert.Equal(0, status);
        Assert.All(answer!["tokens"]!.AsArray(), tokens => Assert.True((long)tokens! > 0));
        Assert.InRange((double)answer["relativeDifference"]!, -0.02, 0.02);
    }

    [Fact]
    public void Servers_that_share_too_much_are_unstable_and_have_no_prediction()
    {
        var problem = Commands.SharingProblem(arrivalRate: 8);
        var (status, answer, _) = Simulate(
            new JsonObject { ["problem"] = problem, ["tokens"] = new JsonArray(2000, 500) }
        );
        Assert.Equal((0, false), (status, (bool)answer!["simulated"]!["stable"]!));
        Assert.Null(answer["predicted"]!["meanSystemTimeSeconds"]);
        Assert.Null(answer["relativeDifference"]);
    }

    [Fact]
    public void Other_queues_have_no_figures_of_tokens()
    {
        var (_, answer, _) = Simulate(Commands.Problem());
        Assert.Null(answer!["simulated"]!["inService"]);
        Assert.Null(answer["predicted"]!["interTokenSeconds"]);
        Assert.Null(answer["simulated"]!["taskTypes"]![0]!["systemTime"]);
    }

    [Fact]
    public void Equal_seeds_give_equal_answers()
    {
        Assert.Equal(Time("--seed", "7"), Time("--seed", "7"));
        Assert.NotEqual(Time("--seed", "7"), Time("--seed", "8"));
        static double Time(params string[] words) =>
            (double)Simulate(Commands.Problem(), words).Answer!["simulated"]!["systemTime"]!["meanSeconds"]!;
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

    private static void Near(JsonNode? predicted, JsonNode? simulated, double tolerance) =>
        Assert.Equal((double)predicted!, (double)simulated!, tolerance * (double)predicted!);

    private static (int Status, JsonNode? Answer, string[] Error) Simulate(JsonNode input, params string[] words)
    {
        var (status, output, error) = Commands.Run(
            SimulateCommand.Run,
            input.ToJsonString(),
            ["-", .. words.Contains("--arrivals") ? [] : (string[])["--arrivals=100000"], .. words]
        );
        return (status, output.Length > 0 ? JsonNode.Parse(output) : null, error);
    }
}
