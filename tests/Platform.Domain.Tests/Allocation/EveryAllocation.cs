using Platform.Domain.Allocation;

namespace Platform.Domain.Tests.Allocation;

/// <summary>All whole tokens of a small problem, one after the other: what searches are held against.</summary>
internal static class EveryAllocation
{
    /// <summary>
    /// The best objective of all, as <see cref="AllocationSolver.Objective"/> forms it, with the problem taken in once;
    /// −∞ where no tokens keep within the limits.
    /// </summary>
    public static double BestObjective(AllocationProblem problem)
    {
        var model = new AllocationModel(problem);
        if (model.UnreachableFloors.Count > 0)
            return double.NegativeInfinity;
        return Best(model, new long[model.Count], 0);
    }

    private static double Best(AllocationModel model, long[] tokens, int k)
    {
        if (k == tokens.Length)
            return Objective(model, tokens);
        var best = double.NegativeInfinity;
        for (tokens[k] = model.WholeLower[k]; tokens[k] <= model.WholeUpper[k]; tokens[k]++)
            best = Math.Max(best, Best(model, tokens, k + 1));
        return best;
    }

    private static double Objective(AllocationModel model, long[] tokens)
    {
        var figures = WholeTokenFigures.Of(model, tokens);
        return figures.KeepsLimits(model.Problem) ? figures.Objective : double.NegativeInfinity;
    }
}
