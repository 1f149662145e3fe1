using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Solver.Allocation;
using Platform.Testing;

namespace Platform.Solver.Tests.Allocation;

public sealed class SolveCommandTests
{
    [Fact]
    public void A_golden_problem_has_the_golden_objective()
    {
        var golden = Golden("g01");
        var (status, output, error) = Solve(golden["problem"]!.ToJsonString());
        Assert.Equal(0, status);
        Assert.Empty(error);
        var expected = double.Parse(
            (string)golden["expected"]!["integer"]!["objective"]!,
            CultureInfo.InvariantCulture
        );
        Assert.Equal(expected, (double)JsonNode.Parse(output)!["objective"]!, 1e-12 * expected);
    }

    [Fact]
    public void What_may_be_left_out_has_the_contracts_defaults()
    {
        var written = Commands.Changed(problem =>
        {
            (problem["servers"], problem["dispatch"]) = (1, "split");
            foreach (var type in problem["taskTypes"]!.AsArray())
                (type!["weight"], type["minTokens"], type["accuracyFloor"]) = (1.0, 0, null);
        });
        Assert.Equal(Solve(written.ToJsonString()).Output, Solve(Commands.Problem().ToJsonString()).Output);
    }

    [Fact]
    public void An_array_has_an_array_of_solutions_in_its_order()
    {
        double[] rates = [.. Enumerable.Range(1, 1200).Select(i => i / 10_000.0)];
        var (status, output, _) = Solve(new JsonArray([.. rates.Select(Commands.Problem)]).ToJsonString());
        Assert.Equal(0, status);
        var solutions = JsonSerializer.Deserialize<AllocationSolution[]>(output, StrictJson.Options)!;
        Assert.Equal(rates.Length, solutions.Length);
        Assert.All(
            rates,
            (rate, i) =>
                Assert.Equal(rate * solutions[i].MeanServiceSeconds!.Value, solutions[i].Utilization!.Value, 1e-12)
        );
    }

    [Theory]
    [InlineData("[]", "[\n]\n")]
    [InlineData(" [ ] ", "[\n]\n")]
    public void An_empty_array_has_an_empty_answer(string input, string answer) =>
        Assert.Equal((0, answer), Solve(input) is var it ? (it.Status, it.Output) : default);

    [Theory]
    [InlineData("", "standard input: /: is empty: there is no JSON value")]
    [InlineData("{", "standard input: /: ends before it is complete")]
    [InlineData("7", "standard input: /: must be an object")]
    [InlineData("[{}]", "standard input: /0: lacks arrivalRate, accuracyWeight, taskTypes")]
    [InlineData("{ \"arrivalRate\": \"0.1\" }", "standard input: /arrivalRate: must be a number, not in quotes")]
    [InlineData("{ \"dispatch\": \"round-robin\" }", "standard input: /dispatch: must be one of \"split\", \"shared\"")]
    [InlineData(
        "{ \"rate\": 1 }",
        "standard input: /rate: is no name that belongs here; those that do are accuracyWeight, arrivalRate, dispatch"
    )]
    public void Bad_input_is_told_in_words_of_JSON(string input, string line)
    {
        var (status, output, error) = Solve(input);
        Assert.Equal((2, ""), (status, output));
        Assert.StartsWith(line, Assert.Single(error), StringComparison.Ordinal);
        foreach (
            var inside in (string[])["System.", "Platform.", "Nullable", "Exception", "Path:", "LineNumber", ".NET"]
        )
            Assert.DoesNotContain(inside, error[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Equal_input_has_equal_output()
    {
        var input = new JsonArray([
            .. Enumerable.Range(1, 600).Select(i => Commands.Problem(i / 5000.0)),
        ]).ToJsonString();
        Assert.Equal(Solve(input).Output, Solve(input).Output);
    }

    [Fact]
    public void An_infeasible_problem_is_status_1_with_its_reason()
    {
        var (status, output, error) = Solve(Commands.Problem(arrivalRate: 100).ToJsonString());
        Assert.Equal(1, status);
        Assert.Empty(error);
        Assert.Equal(
            ("infeasible", "unstable"),
            ((string?)JsonNode.Parse(output)!["status"], (string?)JsonNode.Parse(output)!["reason"])
        );
        Assert.Equal(1, Solve($"[{Commands.Problem().ToJsonString()},{Commands.Problem(100).ToJsonString()}]").Status);
    }

    [Fact]
    public void Problems_are_read_and_solutions_written_as_the_serializer_does()
    {
        foreach (var id in Enumerable.Range(1, 20).Select(i => $"g{i:00}"))
        {
            var json = Golden(id)["problem"]!.ToJsonString();
            Assert.NotNull(ProblemReader.TryRead(Encoding.UTF8.GetBytes(json)));
            var problem = JsonSerializer.Deserialize<AllocationProblem>(json, StrictJson.Options)!;
            var solution = AllocationSolver.Solve(problem);
            Assert.Equal(
                JsonSerializer.Serialize(new[] { solution }, StrictJson.Options),
                Solve($"[{json}]").Output.ReplaceLineEndings("")
            );
        }
    }

    [Fact]
    public void The_shortest_problem_is_read_as_the_serializer_does()
    {
        var json = Encoding.UTF8.GetBytes(Commands.Problem().ToJsonString());
        Assert.True(StrictJson.TryRead<AllocationProblem>(json, out var expected, out _));
        Assert.Equivalent(expected, ProblemReader.TryRead(json), strict: true);
    }

    [Fact]
    public void A_variance_of_the_service_time_is_read_as_the_serializer_does()
    {
        var json = Encoding.UTF8.GetBytes(
            Commands.Changed(it => it["taskTypes"]![0]!["service"]!["varianceSecondsSquared"] = 2.5).ToJsonString()
        );
        Assert.True(StrictJson.TryRead<AllocationProblem>(json, out var expected, out _));
        var read = ProblemReader.TryRead(json);
        Assert.Equivalent(expected, read, strict: true);
        Assert.Equal([2.5, 0], read!.TaskTypes.Select(type => type.Service.VarianceSecondsSquared));
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public void What_the_serializer_refuses_is_never_read(string input, string line)
    {
        var json = Encoding.UTF8.GetBytes(input);
        Assert.StartsWith("standard input: /", line, StringComparison.Ordinal);
        Assert.True(StrictJson.TryRead<AllocationProblem>(json, out _, out _) || ProblemReader.TryRead(json) is null);
    }

    [Theory]
    [InlineData("newton")]
    [InlineData("fixed-point")]
    [InlineData("projected-gradient")]
    [InlineData("accelerated-projected-gradient")]
    public void Every_method_answers_with_its_name(string method)
    {
        var (status, output, _) = Solve(Commands.Problem().ToJsonString(), "--method", method);
        Assert.Equal((0, method), (status, (string?)JsonNode.Parse(output)!["diagnostics"]!["method"]));
    }

    [Fact]
    public void Nearest_is_plain_rounding()
    {
        var (_, output, _) = Solve(Commands.Problem().ToJsonString(), "--rounding=nearest");
        var solution = JsonSerializer.Deserialize<AllocationSolution>(output, StrictJson.Options)!;
        Assert.Equal(RoundingMethod.Nearest, solution.Rounding!.Method);
        Assert.All(solution.Allocation!, type => Assert.Equal(Math.Round(type.TokensContinuous), type.Tokens));
    }

    public static TheoryData<string, string> Faults =>
        new()
        {
            { "{", "standard input: /: " },
            { "", "standard input: /: " },
            { "nonsense", "standard input: /: " },
            { "null", "standard input: /: " },
            { Commands.Changed(it => it["surprise"] = 1).ToJsonString(), "standard input: /surprise: " },
            { Commands.Changed(it => it.Remove("arrivalRate")).ToJsonString(), "standard input: /: " },
            { Commands.Changed(it => it["arrivalRate"] = "NaN").ToJsonString(), "standard input: /arrivalRate: " },
            {
                Commands
                    .Problem()
                    .ToJsonString()
                    .Replace("\"arrivalRate\":0.1", "\"arrivalRate\":1e400", StringComparison.Ordinal),
                "standard input: /arrivalRate: "
            },
            {
                Commands
                    .Problem()
                    .ToJsonString()
                    .Replace(
                        "\"accuracyWeight\":30",
                        "\"accuracyWeight\":30,\"accuracyWeight\":30",
                        StringComparison.Ordinal
                    ),
                "standard input: /accuracyWeight: "
            },
            {
                Commands.Changed(it => it["taskTypes"]![0]!["maxTokens"] = 1.5).ToJsonString(),
                "standard input: /taskTypes/0/maxTokens: "
            },
            {
                Commands.Changed(it => it["taskTypes"]![0]!["service"]!["x"] = 1).ToJsonString(),
                "standard input: /taskTypes/0/service/x: "
            },
            { Commands.Changed(it => it["dispatch"] = "both").ToJsonString(), "standard input: /dispatch: " },
            { Commands.Changed(it => it["arrivalRate"] = -1).ToJsonString(), "standard input: /arrivalRate: " },
            {
                Commands.Changed(it => it["taskTypes"]![0]!["share"] = 0.3).ToJsonString(),
                "standard input: /taskTypes: shares must sum to 1"
            },
            {
                Commands.Changed(it => it["taskTypes"]![1]!["id"] = "math").ToJsonString(),
                "standard input: /taskTypes/1/id: repeats"
            },
            {
                Commands.Changed(it => it["taskTypes"]![1]!["minTokens"] = 5000).ToJsonString(),
                "standard input: /taskTypes/1/maxTokens: "
            },
            {
                Commands.Changed(it => it["taskTypes"]![0]!["service"]!["secondsPerToken"] = -1).ToJsonString(),
                "standard input: /taskTypes/0/service/secondsPerToken: "
            },
            {
                Commands.Changed(it => it["taskTypes"]![0]!["service"]!["varianceSecondsSquared"] = -1).ToJsonString(),
                "standard input: /taskTypes/0/service/varianceSecondsSquared: "
            },
            { Commands.Changed(it => it["taskTypes"] = null).ToJsonString(), "standard input: /taskTypes: " },
            {
                $"[{Commands.Problem().ToJsonString()},{Commands.Changed(it => it["servers"] = 0).ToJsonString()}]",
                "standard input: /1/servers: "
            },
            {
                $"[{Commands.Problem().ToJsonString()},{Commands.Changed(it => it["x"] = 0).ToJsonString()}]",
                "standard input: /1/x: "
            },
            { $"[{Commands.Problem().ToJsonString()},null]", "standard input: /1: must be an object" },
            { $"[{Commands.Problem().ToJsonString()}", "standard input: /" },
            { $"[{Commands.Problem().ToJsonString()}] 1", "standard input: /" },
        };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_is_one_line_with_its_pointer_status_2_and_no_output(string input, string line)
    {
        var (status, output, error) = Solve(input);
        Assert.Equal((2, ""), (status, output));
        Assert.StartsWith(line, Assert.Single(error), StringComparison.Ordinal);
    }

    [Fact]
    public void Each_fault_has_its_line()
    {
        var bad = Commands.Changed(it => (it["servers"], it["accuracyWeight"]) = (0, -1)).ToJsonString();
        var (_, _, error) = Solve($"[{bad},{bad}]");
        Assert.Equal(
            ["/0/servers", "/0/accuracyWeight", "/1/servers", "/1/accuracyWeight"],
            error.Select(line => line.Split(": ")[1])
        );
    }

    [Fact]
    public void A_method_that_cannot_take_a_limit_is_bad_input() =>
        Assert.Contains(
            "/method: ",
            Assert.Single(
                Solve(
                    Commands.Changed(it => it["meanTokenBudget"] = 50).ToJsonString(),
                    "--method",
                    "fixed-point"
                ).Error
            ),
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData]
    [InlineData("-", "-")]
    [InlineData("-", "--nonsense")]
    [InlineData("-", "--method")]
    [InlineData("-", "--method", "magic")]
    [InlineData("-", "--rounding", "up")]
    [InlineData("-", "--rounding=exact", "--rounding=exact")]
    [InlineData("/nowhere/problem.json")]
    [InlineData("/")]
    public void Bad_usage_is_one_line_and_status_2(params string[] words)
    {
        var (status, output, error) = Commands.Run(SolveCommand.Run, Commands.Problem().ToJsonString(), words);
        Assert.Equal((2, ""), (status, output));
        Assert.StartsWith("platform: ", Assert.Single(error), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_script_reads_a_file_and_says_where_a_fault_is()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(
                file,
                Commands.Problem().ToJsonString(),
                TestContext.Current.CancellationToken
            );
            var (status, output, _) = await Script.RunAsync("solve", file);
            Assert.Equal((0, "optimal"), (status, (string?)JsonNode.Parse(output)!["status"]));
            await File.WriteAllTextAsync(file, "{}", TestContext.Current.CancellationToken);
            (status, output, var error) = await Script.RunAsync("solve", file);
            Assert.Equal((2, ""), (status, output));
            Assert.StartsWith($"{file}: /: ", error, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    internal static JsonObject Golden(string id)
    {
        var path = Path.Combine(Script.Root, "tests", "Platform.Domain.Tests", "golden", "golden.json");
        return JsonNode
            .Parse(File.ReadAllText(path))!
            .AsArray()
            .Single(vector => (string)vector!["id"]! == id)!
            .AsObject();
    }

    private static (int Status, string Output, string[] Error) Solve(string input, params string[] words) =>
        Commands.Run(SolveCommand.Run, input, ["-", .. words]);
}
