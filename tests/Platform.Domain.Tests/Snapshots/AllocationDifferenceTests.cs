using System.Text.Json;
using System.Text.Json.Nodes;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Snapshots;
using Platform.Domain.Tests.Allocation;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Snapshots;

public sealed class AllocationDifferenceTests
{
    private static readonly AllocationProblem Base = new()
    {
        ArrivalRate = 0.05,
        AccuracyWeight = 30,
        TaskTypes = [Definitions.Math, Definitions.Chat],
    };

    [Fact]
    public void Contributions_add_up_to_the_whole_change()
    {
        var explained = 0;
        for (var seed = 0; seed < 150; seed++)
        {
            var (from, to) = Pair(seed);
            if (Compare(from, to) is not { Explained: { } explanation } difference)
                continue;
            explained++;
            Assert.InRange(explanation.FeasibleOrders, 1, explanation.Orders);
            foreach (var (figure, change) in Changes(difference))
                Assert.Equal(change, difference.Inputs.Sum(input => Part(input, figure)), Near);
        }

        Assert.True(explained > 100, $"only {explained} explained");
    }

    [Fact]
    public void Causes_have_each_input_once_and_explain_what_their_inputs_explain()
    {
        var explained = 0;
        for (var seed = 0; seed < 40; seed++)
        {
            var (from, to) = Pair(seed);
            if (Compare(from, to) is not { Explained: not null } difference)
                continue;
            explained++;
            Assert.Equal(
                difference.Inputs.Select(it => it.Input).Order(),
                difference.Causes.SelectMany(it => it.Inputs).Order()
            );
            foreach (var cause in difference.Causes)
                AssertSums(cause, difference);
        }

        Assert.True(explained > 20, $"only {explained} explained");
    }

    [Fact]
    public void Arrival_rate_and_mix_are_traffic_and_what_the_team_sets_is_the_definition()
    {
        var to = Base with
        {
            ArrivalRate = 0.06,
            Servers = 2,
            AccuracyWeight = 31,
            TaskTypes =
            [
                Definitions.Math with
                {
                    Share = 0.5,
                    Service = new ServiceLine(0.4, 0.021),
                },
                Definitions.Chat with
                {
                    Share = 0.5,
                    Accuracy = new AccuracyCurve(0.5, 0.3, 0.005),
                },
            ],
        };
        var causes = Compare(Base, to)!.Causes.Select(it => $"{it.Cause}: {string.Join(' ', it.Inputs)}");
        Assert.Equal(
            ["Traffic: ArrivalRate Mix", "Service: Service", "Accuracy: Accuracy", "Definition: Objective Servers"],
            causes
        );
    }

    [Fact]
    public void The_way_back_is_the_way_there_with_its_signs_turned()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var (from, to) = Pair(seed);
            if (Compare(from, to) is not { Explained: { } there } difference || Compare(to, from) is not { } back)
                continue;
            Assert.Equal(there, back.Explained);
            foreach (var (figure, change) in Changes(difference))
            {
                Assert.Equal(change, -Changes(back)[figure]);
                foreach (var input in difference.Inputs)
                    Assert.Equal(
                        Part(input, figure),
                        -Part(back.Inputs.Single(it => it.Input == input.Input), figure),
                        Near
                    );
            }
        }
    }

    /// <summary>
    /// Between servers that share, and from and to those that do not, whose figures do not know each other.
    /// </summary>
    [Fact]
    public void Contributions_add_up_where_servers_share()
    {
        var explained = 0;
        for (var seed = 0; seed < 60; seed++)
        {
            var sharing = SharingProblems.Make(seed, 4, SharingProblems.Costs.Near, capped: seed % 3 == 0);
            var other =
                seed % 2 == 0
                    ? GeneratedProblems.Make(seed, 4, wild: false)
                    : SharingProblems.Make(seed + 1_000, 4, SharingProblems.Costs.Wild) with
                    {
                        MaxInterTokenSeconds = 10,
                    };
            if (Compare(sharing, other) is not { Explained: not null } difference)
                continue;
            explained++;
            foreach (var (figure, change) in Changes(difference))
                Assert.Equal(change, difference.Inputs.Sum(input => Part(input, figure)), Near);
        }

        Assert.True(explained > 30, $"only {explained} explained");
    }

    [Fact]
    public void Where_nothing_moved_nothing_changed()
    {
        var difference = Compare(Base, Base with { TaskTypes = [.. Base.TaskTypes] })!;
        Assert.Empty(difference.Inputs);
        Assert.All(Changes(difference).Values, change => Assert.Equal(0, change));
        Assert.Equal(new Explanation(1, 1), difference.Explained);
    }

    /// <summary>Every leaf of a problem's JSON: none is forgotten, and each alone explains the whole change.</summary>
    [Fact]
    public void Each_parameter_is_in_one_group_which_explains_all_when_it_moves_alone()
    {
        var problem = Base with
        {
            Servers = 2,
            MaxUtilization = 0.9,
            MeanTokenBudget = 400,
            MaxMeanSystemTimeSeconds = 9,
            TaskTypes =
            [
                .. Base.TaskTypes.Select(type =>
                    type with
                    {
                        Weight = 1.5,
                        MinTokens = 10,
                        AccuracyFloor = 0.25,
                        Service = type.Service with { VarianceSecondsSquared = 0.5 },
                    }
                ),
            ],
        };
        var leaves = Leaves(JsonNode.Parse(StrictJson.Write(problem))!, "")
            .Where(leaf => !leaf.EndsWith("/id", StringComparison.Ordinal))
            .ToList();
        Assert.Equal(7 + (2 * 11), leaves.Count);
        foreach (var leaf in leaves.Where(leaf => !leaf.EndsWith("/share", StringComparison.Ordinal)))
        {
            var (from, to) =
                leaf == "/dispatch"
                    ? (WithoutLimits(problem), Changed(WithoutLimits(problem), leaf))
                    : (problem, Changed(problem, leaf));
            var difference = Compare(from, to)!;
            var input = Assert.Single(difference.Inputs);
            Assert.Equal(leaf, Assert.Single(input.Parameters!).Pointer);
            Assert.Equal(input.Largest, input.Parameters![0]);
            Assert.Equal(new Explanation(1, 1), difference.Explained);
            foreach (var (figure, change) in Changes(difference))
                Assert.Equal(change, Part(input, figure));
        }
    }

    [Fact]
    public void Shares_move_together()
    {
        var difference = Compare(
            Base,
            Base with
            {
                TaskTypes = [Definitions.Math with { Share = 0.7 }, Definitions.Chat with { Share = 0.3 }],
            }
        )!;
        var mix = Assert.Single(difference.Inputs);
        Assert.Equal(ProblemInput.Mix, mix.Input);
        Assert.Equal(["/taskTypes/0/share", "/taskTypes/1/share"], mix.Parameters!.Select(change => change.Pointer));
        Assert.Equal(new ParameterChange(ProblemInput.Mix, "/taskTypes/1/share", "chat", 0.6, 0.3), mix.Largest);
        Assert.Equal(1, mix.Explains!.Figures.MeanTokens.Share);
    }

    [Fact]
    public void Hybrids_of_all_inputs_are_the_later_problem_and_of_none_the_earlier()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var (from, to) = Pair(seed);
            var hybrids = new HybridProblems(from, to);
            Assert.Equal(CanonicalJson.Write(from), CanonicalJson.Write(hybrids.Take(new HashSet<ProblemInput>())));
            Assert.Equal(
                CanonicalJson.Write(to),
                CanonicalJson.Write(hybrids.Take(Enum.GetValues<ProblemInput>().ToHashSet()))
            );
        }
    }

    [Fact]
    public void A_hybrid_of_one_input_has_that_of_the_later_problem_and_the_rest_of_the_earlier()
    {
        var (first, other) = (GeneratedProblems.Make(7, 5, wild: false), GeneratedProblems.Make(1_007, 5, wild: false));
        var to = other with
        {
            Servers = 7,
            TaskTypes =
            [
                .. first.TaskTypes.Select((type, k) => Matched(type, other.TaskTypes[k % other.TaskTypes.Count])),
            ],
        };
        foreach (var input in ProblemParameters.Differences(first, to).Select(change => change.Input).ToHashSet())
        {
            var hybrid = new HybridProblems(first, to).Take(new HashSet<ProblemInput> { input });
            Assert.Equal(
                [input],
                ProblemParameters.Differences(first, hybrid).Select(change => change.Input).Distinct()
            );
            Assert.DoesNotContain(input, ProblemParameters.Differences(hybrid, to).Select(change => change.Input));
        }
    }

    [Fact]
    public void A_task_type_that_only_one_side_has_keeps_its_share_and_the_others_have_the_rest()
    {
        var to = Base with
        {
            TaskTypes = [Definitions.Chat with { Share = 0.1 }, Definitions.Math with { Share = 0.1 }, New(0.8)],
        };
        var hybrids = new HybridProblems(Base, to);

        var added = hybrids.Take(new HashSet<ProblemInput> { ProblemInput.TaskTypes }).TaskTypes;
        Assert.Equal(
            [("chat", 0.6 * 0.2), ("math", 0.4 * 0.2), ("new", 0.8)],
            added.Select(type => (type.Id, type.Share)),
            Alike
        );
        Assert.Equal(New(0.8), added[2]);
        var mixed = hybrids.Take(new HashSet<ProblemInput> { ProblemInput.Mix }).TaskTypes;
        Assert.Equal([("math", 0.5), ("chat", 0.5)], mixed.Select(type => (type.Id, type.Share)), Alike);
    }

    [Fact]
    public void Added_and_removed_task_types_are_said_so()
    {
        var difference = Compare(Base, Base with { TaskTypes = [Definitions.Math, New(0.6)] })!;
        Assert.Equal(
            [("math", TaskTypePresence.Kept), ("new", TaskTypePresence.Added), ("chat", TaskTypePresence.Removed)],
            difference.TaskTypes.Select(type => (type.TaskType, type.Presence))
        );
        Assert.Equal(difference.TaskTypes[1].To, difference.TaskTypes[1].Change);
        Assert.Equal(-difference.TaskTypes[2].From, difference.TaskTypes[2].Change);
        var input = Assert.Single(difference.Inputs);
        Assert.Equal(ProblemInput.TaskTypes, input.Input);
        Assert.Equal(
            [("/taskTypes/1", "new"), ("/taskTypes/1", "chat")],
            input.Parameters!.Select(change => (change.Pointer, change.TaskType))
        );
        Assert.All(Changes(difference), it => Assert.Equal(it.Value, Part(input, it.Key)));
    }

    /// <summary>Where a limit binds, whole tokens that are not the best may be a hundred tokens away.</summary>
    [Fact]
    public void The_steps_between_are_the_best_as_well()
    {
        var explained = 0;
        for (var seed = 0; seed < 40; seed++)
        {
            var (earlier, later) = Pair(seed);
            var limit =
                0.8
                * Math.Max(
                    Solved(earlier)!.Figures.MeanSystemTimeSeconds,
                    Solved(later)?.Figures.MeanSystemTimeSeconds ?? 0
                );
            if (
                Solved(earlier with { MaxMeanSystemTimeSeconds = limit }) is not { } before
                || Solved(later with { MaxMeanSystemTimeSeconds = limit }) is not { } after
            )
                continue;
            var difference = AllocationDifference.Between(before, after, false, AllocationSolver.Solve);
            Assert.Equal(
                CanonicalJson.Write(
                    AllocationDifference.Between(before, after, false, (it, _) => AllocationSolver.Solve(it))
                ),
                CanonicalJson.Write(difference)
            );
            explained += difference.Explained?.FeasibleOrders > 1 ? 1 : 0;
        }

        Assert.True(explained > 10, $"{explained}");
    }

    [Fact]
    public void Orders_with_a_step_that_no_allocation_keeps_do_not_count()
    {
        var to = Base with { ArrivalRate = 10, Servers = 20 };
        var difference = Compare(Base, to)!;
        Assert.Equal(new Explanation(2, 1), difference.Explained);
        var between = Solved(Base with { Servers = 20 })!;
        var servers = difference.Inputs.Single(input => input.Input == ProblemInput.Servers);
        Assert.Equal(between.Figures.MeanTokens - Solved(Base)!.Figures.MeanTokens, Part(servers, "meanTokens"));
    }

    [Fact]
    public void Orders_with_a_step_that_is_no_valid_problem_do_not_count()
    {
        var difference = Compare(
            Base with
            {
                Servers = 2,
                MeanTokenBudget = 400,
            },
            Base with
            {
                Servers = 2,
                Dispatch = Dispatch.Shared,
            }
        )!;
        Assert.Equal([ProblemInput.Objective, ProblemInput.Servers], difference.Inputs.Select(input => input.Input));
        Assert.Equal(new Explanation(2, 1), difference.Explained);
    }

    [Fact]
    public void Without_an_order_that_counts_there_is_no_explanation_and_a_reason()
    {
        var (can, cannot) = (new AccuracyCurve(0.2, 0.6, 0.001), new AccuracyCurve(0.2, 0.1, 0.001));
        var from = Base with
        {
            TaskTypes =
            [
                Definitions.Math with
                {
                    AccuracyFloor = 0.5,
                    Accuracy = can,
                },
                Definitions.Chat with
                {
                    Accuracy = cannot,
                },
            ],
        };
        var to = Base with
        {
            TaskTypes =
            [
                Definitions.Math with
                {
                    Accuracy = cannot,
                },
                Definitions.Chat with
                {
                    AccuracyFloor = 0.5,
                    Accuracy = can,
                },
            ],
        };
        var difference = Compare(from, to)!;
        Assert.Null(difference.Explained);
        Assert.NotEmpty(difference.NotExplained!);
        Assert.Equal([ProblemInput.Accuracy, ProblemInput.Objective], difference.Inputs.Select(input => input.Input));
        Assert.All(difference.Inputs, input => Assert.Null(input.Explains));
        Assert.Equal([ChangeCause.Accuracy, ChangeCause.Definition], difference.Causes.Select(cause => cause.Cause));
        Assert.All(difference.Causes, cause => Assert.Null(cause.Explains));
        Assert.Equal(
            difference.Figures.MeanTokens.To - difference.Figures.MeanTokens.From,
            difference.Figures.MeanTokens.Change
        );
    }

    [Fact]
    public void What_another_solver_has_made_of_a_problem_is_put_down_to_the_solver()
    {
        var (before, after) = (Solved(Base)!, Solved(Base with { ArrivalRate = 0.06 })!);
        var stored = before with
        {
            Tokens = new Dictionary<string, long>(before.Tokens) { ["math"] = before.Tokens["math"] - 3 },
        };
        var difference = AllocationDifference.Between(stored, after, false, AllocationSolver.Solve);
        Assert.Equal([ProblemInput.ArrivalRate, ProblemInput.Solver], difference.Inputs.Select(input => input.Input));
        Assert.Equal(3, difference.Inputs[1].Explains!.TaskTypes["math"].Change);
        Assert.Equal([ChangeCause.Traffic, ChangeCause.Solver], difference.Causes.Select(cause => cause.Cause));
        Assert.Equal(difference.TaskTypes[0].Change, difference.Inputs.Sum(input => Part(input, "math")));
    }

    [Fact]
    public void A_stored_snapshot_of_the_first_format_can_be_compared()
    {
        var document = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Snapshots", "snapshot-example.json"));
        Assert.True(ComparableSnapshot.TryRead(document, out var snapshot, out _));
        var difference = AllocationDifference.Between(snapshot.Solved, Solved(Base)!, true, AllocationSolver.Solve);
        Assert.Equal([812, 96], difference.TaskTypes.Select(type => type.From!.Value));
        Assert.Equal(10.6, difference.Figures.Objective.From);
        Assert.Equal(
            2,
            difference.Inputs.Count(input => input.Input is ProblemInput.ArrivalRate or ProblemInput.Servers)
        );
    }

    private static TaskType New(double share) =>
        Definitions.Math with
        {
            Id = "new",
            Share = share,
            Accuracy = new AccuracyCurve(0.1, 0.8, 0.002),
        };

    private static AllocationProblem WithoutLimits(AllocationProblem problem) =>
        problem with
        {
            MeanTokenBudget = null,
            MaxMeanSystemTimeSeconds = null,
        };

    private static SolvedProblem? Solved(AllocationProblem problem) =>
        SolvedProblem.Of(problem, AllocationSolver.Solve(problem));

    private static AllocationDifference? Compare(AllocationProblem from, AllocationProblem to) =>
        Solved(from) is { } before && Solved(to) is { } after
            ? AllocationDifference.Between(before, after, true, AllocationSolver.Solve)
            : null;

    /// <summary>
    /// Two problems of which a few to all inputs differ, sometimes with limits, sometimes with other task types.
    /// </summary>
    private static (AllocationProblem From, AllocationProblem To) Pair(int seed)
    {
        var random = new Random(seed);
        var (first, other) = (
            GeneratedProblems.Make(seed, 5, wild: false),
            GeneratedProblems.Make(seed + 1_000, 5, wild: false)
        );
        var moved = Enum.GetValues<ProblemInput>().Where(_ => random.Next(3) > 0).ToHashSet();
        if (!moved.Contains(ProblemInput.TaskTypes))
            other = other with
            {
                TaskTypes =
                [
                    .. first.TaskTypes.Select((type, k) => Matched(type, other.TaskTypes[k % other.TaskTypes.Count])),
                ],
            };
        if (random.Next(3) == 0)
            first = first with { MaxMeanSystemTimeSeconds = Solved(first)!.Figures.MeanSystemTimeSeconds * 1.5 };
        return (first, new HybridProblems(first, other).Take(moved));
    }

    private static TaskType Matched(TaskType type, TaskType other) => other with { Id = type.Id, Share = type.Share };

    private static Dictionary<string, double> Changes(AllocationDifference difference) =>
        new[]
        {
            ("objective", difference.Figures.Objective.Change),
            ("meanAccuracy", difference.Figures.MeanAccuracy.Change),
            ("meanSystemTimeSeconds", difference.Figures.MeanSystemTimeSeconds.Change),
            ("utilization", difference.Figures.Utilization.Change),
            ("meanTokens", difference.Figures.MeanTokens.Change),
        }
            .Concat(difference.TaskTypes.Select(type => (type.TaskType, (double)type.Change)))
            .ToDictionary(StringComparer.Ordinal);

    private static void AssertSums(CauseChange cause, AllocationDifference difference)
    {
        var inputs = difference.Inputs.Where(it => cause.Inputs.Contains(it.Input)).ToList();
        Assert.All(inputs, input => Assert.Equal(cause.Cause, ChangeCauses.Find(input.Input)));
        foreach (var figure in Changes(difference).Keys)
            Assert.Equal(inputs.Sum(input => Part(input, figure)), Part(cause.Explains!, figure), Near);
    }

    private static double Part(InputChange input, string figure) => Part(input.Explains!, figure);

    private static double Part(InputContributions explains, string figure) =>
        figure switch
        {
            "objective" => explains.Figures.Objective.Change,
            "meanAccuracy" => explains.Figures.MeanAccuracy.Change,
            "meanSystemTimeSeconds" => explains.Figures.MeanSystemTimeSeconds.Change,
            "utilization" => explains.Figures.Utilization.Change,
            "meanTokens" => explains.Figures.MeanTokens.Change,
            _ => explains.TaskTypes.GetValueOrDefault(figure)?.Change ?? 0,
        };

    private static IEnumerable<string> Leaves(JsonNode? node, string at) =>
        node switch
        {
            JsonObject members => members.SelectMany(member => Leaves(member.Value, $"{at}/{member.Key}")),
            JsonArray items => items.SelectMany((item, i) => Leaves(item, $"{at}/{i}")),
            _ => [at],
        };

    private static AllocationProblem Changed(AllocationProblem problem, string leaf)
    {
        var document = JsonNode.Parse(StrictJson.Write(problem))!;
        var node = leaf[1..]
            .Split('/')
            .Aggregate(document, (at, step) => at is JsonArray items ? items[int.Parse(step)]! : at[step]!);
        node.ReplaceWith(
            node.GetValueKind() == JsonValueKind.String ? JsonValue.Create("shared")
            : leaf is "/servers" or "/maxMeanSystemTimeSeconds" ? JsonNode.Parse("8")!
            : JsonNode.Parse(Shrunk(node.ToJsonString()))!
        );
        return StrictJson.TryRead<AllocationProblem>(StrictJson.Write(document), out var changed, out var fault)
            ? changed
            : throw new InvalidOperationException($"{leaf}: {fault}");
    }

    private static string Shrunk(string number) =>
        number.Contains('.', StringComparison.Ordinal)
            ? CanonicalJson.Number(double.Parse(number) * 0.98)
            : $"{long.Parse(number) - 1}";

    private static bool Alike((string Id, double Share) one, (string Id, double Share) other) =>
        one.Id == other.Id && Near(one.Share, other.Share);

    private static bool Near(double one, double other) =>
        Math.Abs(one - other) <= 1e-9 * (1 + Math.Max(Math.Abs(one), Math.Abs(other)));
}
