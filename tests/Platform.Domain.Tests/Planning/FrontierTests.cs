using Platform.Domain.Allocation;
using Platform.Domain.Planning;
using Platform.Domain.Tests.Allocation;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Planning;

public sealed class FrontierTests
{
    private static readonly AllocationProblem Problem = new()
    {
        ArrivalRate = 0.05,
        AccuracyWeight = 30,
        TaskTypes = [Definitions.Math, Definitions.Chat],
    };

    [Theory]
    [InlineData(5, false)]
    [InlineData(30, false)]
    [InlineData(5, true)]
    public void Accuracy_and_time_rise_with_the_weight(int most, bool shared)
    {
        var (seeds, rising) = (shared ? 4 : 25, 0);
        for (var seed = 0; seed < seeds; seed++)
        {
            var problem = GeneratedProblems.Make(seed, most, wild: false);
            problem = shared ? problem with { Servers = 3, Dispatch = Dispatch.Shared } : problem;
            var points = Trace(problem, new FrontierQuery { Points = shared ? 6 : 31 });
            foreach (var (before, after) in points.Zip(points.Skip(1)))
            {
                Assert.True(after.AccuracyWeight > before.AccuracyWeight);
                Assert.True(after.WeightedAccuracy >= before.WeightedAccuracy, $"{seed}");
                Assert.True(after.MeanSystemTimeSeconds >= before.MeanSystemTimeSeconds, $"{seed}");
            }

            rising += points[^1].MeanSystemTimeSeconds > points[0].MeanSystemTimeSeconds ? 1 : 0;
        }

        // Some have nothing to choose.
        Assert.True(rising > seeds * 0.7, $"{rising} of {seeds}");
    }

    [Fact]
    public void Accuracy_and_time_rise_with_the_weight_where_servers_share()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var problem = SharingProblems.Make(seed, 5, SharingProblems.Costs.Near, capped: seed % 2 == 0);
            var points = Trace(problem, new FrontierQuery { Points = 15 });
            Assert.Equal(15, points.Count);
            foreach (var (before, after) in points.Zip(points.Skip(1)))
            {
                Assert.True(after.WeightedAccuracy >= before.WeightedAccuracy, $"{seed}");
                Assert.True(after.MeanSystemTimeSeconds >= before.MeanSystemTimeSeconds, $"{seed}");
            }
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData(9.0)]
    public void Each_point_is_the_solution_for_its_weight(double? limit)
    {
        var problem = Problem with { MaxMeanSystemTimeSeconds = limit };
        var query = new FrontierQuery
        {
            Points = 9,
            FromAccuracyWeight = 0.5,
            ToAccuracyWeight = 800,
        };
        foreach (var point in Trace(problem, query))
            Assert.Equal(
                FrontierPoint.Of(
                    point.AccuracyWeight,
                    AllocationSolver.Solve(problem with { AccuracyWeight = point.AccuracyWeight })
                ),
                point
            );
    }

    [Fact]
    public void A_worse_answer_for_one_weight_gives_way_to_that_of_its_neighbours()
    {
        var query = new FrontierQuery
        {
            Points = 5,
            FromAccuracyWeight = 20,
            ToAccuracyWeight = 45,
        };
        Assert.Null(query.TryReadWeights(Problem, out var weights));
        var points = Frontier.Trace(
            Problem,
            weights,
            (it, options) =>
                it.AccuracyWeight == weights[2]
                    ? AllocationSolver.Solve(it, options) with
                    {
                        MeanSystemTimeSeconds = 1_000,
                        WeightedAccuracy = 0.1,
                    }
                    : AllocationSolver.Solve(it, options)
        );
        Assert.Equal(weights, points.Select(point => point.AccuracyWeight));
        Assert.Contains(
            points[2] with
            {
                AccuracyWeight = 0,
            },
            points.Where((_, i) => i != 2).Select(point => point with { AccuracyWeight = 0 })
        );
    }

    [Fact]
    public void Weights_are_equally_spaced_in_their_logarithm_around_the_problems_own()
    {
        Assert.Null(new FrontierQuery { Points = 5 }.TryReadWeights(Problem, out var weights));
        Assert.Equal([0.3, 3, 30, 300, 3_000], weights, (one, other) => Math.Abs(one - other) <= 1e-12 * other);
        Assert.Null(new FrontierQuery().TryReadWeights(Problem, out weights));
        Assert.Equal(41, weights.Count);
    }

    [Fact]
    public void An_infeasible_problem_has_no_frontier() =>
        Assert.Empty(Trace(Problem with { ArrivalRate = 100 }, new FrontierQuery()));

    [Fact]
    public void Ranges_that_are_none_are_refused()
    {
        Assert.Equal(
            "/points",
            new FrontierQuery { Points = 1 }
                .TryReadWeights(Problem, out _)!
                .Pointer
        );
        Assert.Equal(
            "/points",
            new FrontierQuery { Points = 201 }
                .TryReadWeights(Problem, out _)!
                .Pointer
        );
        Assert.Equal(
            "/fromAccuracyWeight",
            new FrontierQuery { FromAccuracyWeight = 0 }
                .TryReadWeights(Problem, out _)!
                .Pointer
        );
        Assert.Equal(
            "/fromAccuracyWeight",
            new FrontierQuery().TryReadWeights(Problem with { AccuracyWeight = 0 }, out _)!.Pointer
        );
        Assert.Equal(
            "/toAccuracyWeight",
            new FrontierQuery { FromAccuracyWeight = 5, ToAccuracyWeight = 5 }
                .TryReadWeights(Problem, out _)!
                .Pointer
        );
        Assert.Equal(
            "/toAccuracyWeight",
            new FrontierQuery { ToAccuracyWeight = double.PositiveInfinity }
                .TryReadWeights(Problem, out _)!
                .Pointer
        );
    }

    private static IReadOnlyList<FrontierPoint> Trace(AllocationProblem problem, FrontierQuery query)
    {
        Assert.Null(query.TryReadWeights(problem, out var weights));
        return Frontier.Trace(problem, weights, AllocationSolver.Solve);
    }
}
