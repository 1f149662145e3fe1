using Platform.Domain.Allocation;
using Platform.Domain.Contracts;

namespace Platform.Domain.Planning;

/// <summary>A what-if whose accuracy weight runs through a range.</summary>
public sealed class FrontierQuery : WhatIf
{
    /// <summary>Most points.</summary>
    public const int MaxPoints = 200;

    /// <summary>How far the range goes from the accuracy weight to either side, unless it is given.</summary>
    private const double DefaultReach = 100;

    /// <summary>Number of accuracy weights, equally spaced in their logarithm, 2 to 200.</summary>
    public int Points { get; init; } = 41;

    /// <summary>The least accuracy weight, above 0; a hundredth of the problem's unless it is given.</summary>
    public double FromAccuracyWeight
    {
        get;
        init => field = Give(value);
    }

    /// <summary>
    /// The greatest accuracy weight, above the least; a hundred times the problem's unless it is given.
    /// </summary>
    public double ToAccuracyWeight
    {
        get;
        init => field = Give(value);
    }

    /// <summary>The accuracy weights, from the least to the greatest.</summary>
    /// <param name="problem">The problem that the range is around.</param>
    /// <param name="weights">The weights; empty when there is a fault.</param>
    /// <returns>What is wrong with points and range, or null.</returns>
    public InputError? TryReadWeights(AllocationProblem problem, out IReadOnlyList<double> weights)
    {
        weights = [];
        var from = Or(FromAccuracyWeight, problem.AccuracyWeight / DefaultReach);
        var to = Or(
            ToAccuracyWeight,
            Math.Min(problem.AccuracyWeight * DefaultReach, ProblemValidation.LargestAccuracyWeight)
        );
        if (Points is < 2 or > MaxPoints)
            return new InputError("/points", $"must be 2 to {MaxPoints}");
        if (!(from > 0 && from < ProblemValidation.LargestAccuracyWeight))
            return new InputError(
                "/fromAccuracyWeight",
                $"must be given, above 0 and below {ProblemValidation.LargestAccuracyWeight}"
            );
        if (!(to > from && to <= ProblemValidation.LargestAccuracyWeight))
            return new InputError(
                "/toAccuracyWeight",
                $"must be above fromAccuracyWeight and at most {ProblemValidation.LargestAccuracyWeight}"
            );
        var step = Elementary.Log(to / from) / (Points - 1);
        weights = [.. Enumerable.Range(0, Points).Select(i => i == Points - 1 ? to : from * Elementary.Exp(step * i))];
        return null;
    }
}

/// <summary>What an accuracy weight buys.</summary>
/// <param name="AccuracyWeight">α, seconds.</param>
/// <param name="MeanAccuracy">Σ share · accuracy.</param>
/// <param name="WeightedAccuracy">Σ share · weight · accuracy: with the time, what the objective trades.</param>
/// <param name="MeanSystemTimeSeconds">E[T], seconds.</param>
/// <param name="Utilization">ρ.</param>
/// <param name="MeanTokens">Σ share · tokens.</param>
public sealed record FrontierPoint(
    double AccuracyWeight,
    double MeanAccuracy,
    double WeightedAccuracy,
    double MeanSystemTimeSeconds,
    double Utilization,
    double MeanTokens
)
{
    /// <summary>That of a solution; null when it is infeasible.</summary>
    public static FrontierPoint? Of(double accuracyWeight, AllocationSolution solution) =>
        solution.Status == SolutionStatus.Infeasible
            ? null
            : new(
                accuracyWeight,
                solution.MeanAccuracy!.Value,
                solution.WeightedAccuracy!.Value,
                solution.MeanSystemTimeSeconds!.Value,
                solution.Utilization!.Value,
                solution.MeanTokens!.Value
            );
}

/// <summary>Accuracy against mean system time, as the accuracy weight runs.</summary>
public static class Frontier
{
    /// <summary>
    /// The best points within the problem's limits, none of which is beaten in accuracy and time by another: both rise
    /// with the weight. What is found for one weight is open to all, so that whole tokens that are not proven the best,
    /// as few are not, cannot make a step back.
    /// </summary>
    /// <param name="problem">The problem; its own accuracy weight does not count.</param>
    /// <param name="weights">The accuracy weights, rising.</param>
    /// <param name="solve">Solves a problem.</param>
    /// <returns>A point for each weight; empty when the problem is infeasible, which no weight can change.</returns>
    public static IReadOnlyList<FrontierPoint> Trace(
        AllocationProblem problem,
        IReadOnlyList<double> weights,
        Func<AllocationProblem, SolverOptions, AllocationSolution> solve
    )
    {
        var found = new List<FrontierPoint>();
        foreach (var weight in weights)
        {
            if (
                FrontierPoint.Of(weight, solve(problem with { AccuracyWeight = weight }, AllocationSolver.ForMany))
                is not { } point
            )
                return [];
            found.Add(point);
        }

        return Climb(
            [.. found.OrderBy(point => point.MeanSystemTimeSeconds).ThenByDescending(point => point.WeightedAccuracy)],
            weights
        );
    }

    /// <summary>
    /// The best for each weight of points that rise in time, never going back: then the accuracy rises too.
    /// </summary>
    private static List<FrontierPoint> Climb(List<FrontierPoint> points, IReadOnlyList<double> weights)
    {
        var (at, climbed) = (0, new List<FrontierPoint>());
        foreach (var weight in weights)
        {
            for (var next = at + 1; next < points.Count; next++)
                at = Objective(points[next]) > Objective(points[at]) ? next : at;
            climbed.Add(points[at] with { AccuracyWeight = weight });

            double Objective(FrontierPoint point) => (weight * point.WeightedAccuracy) - point.MeanSystemTimeSeconds;
        }

        return climbed;
    }
}
