using Platform.Domain.Allocation;

namespace Platform.Domain.Snapshots;

/// <summary>What the tokens in force ask of the servers at the arrival rate as it is now.</summary>
/// <param name="Version">The version in force.</param>
/// <param name="Load">ρ: the work that is asked over what the servers can do, at least 0.</param>
/// <param name="Fewest">The same with the fewest tokens allowed.</param>
internal sealed record LoadInForce(int Version, double Load, double Fewest)
{
    /// <summary>
    /// How much more than another load still counts as the same: fewest tokens move a little with each estimate.
    /// </summary>
    private const double Slack = 0.02;

    /// <summary>Whether queues grow for ever.</summary>
    public bool IsUnstable => Load >= 1;

    /// <summary>Whether other tokens would ask less.</summary>
    public bool IsMoreThanFewest => Load > Fewest * (1 + Slack);

    /// <summary>Whether another load is the same but for what each estimate moves it.</summary>
    public static bool IsSame(double one, double other) => Math.Abs(one - other) <= Slack * other;

    /// <summary>What is asked by the tokens in force; null where nothing is in force.</summary>
    /// <param name="asked">The problem as it is now.</param>
    /// <param name="previous">The latest allocation, and what is in force; null before the first.</param>
    public static LoadInForce? Of(AllocationProblem asked, PreviousAllocation? previous)
    {
        if (previous is null || previous.InForce == 0)
            return null;
        return new LoadInForce(previous.InForce, LoadOf(asked, previous.GivenInForce), OfFewest(asked));
    }

    /// <summary>What the fewest tokens ask.</summary>
    public static double OfFewest(AllocationProblem asked) => LoadOf(asked, null);

    /// <summary>ρ of tokens; a task type that they lack is taken at its fewest.</summary>
    public static double LoadOf(AllocationProblem asked, IReadOnlyDictionary<string, long>? tokens)
    {
        var model = new AllocationModel(Reachable(asked));
        long[] granted = [.. asked.TaskTypes.Select((type, k) => Granted(type, model.WholeLower[k]))];
        return Math.Max(1 - WholeTokenFigures.Of(model, granted).Idle, 0);

        long Granted(TaskType type, long fewest) =>
            tokens is not null && tokens.TryGetValue(type.Id, out var given) ? given : fewest;
    }

    /// <summary>
    /// Without accuracy floors where one is out of reach: then there are no fewest tokens but the bounds.
    /// </summary>
    private static AllocationProblem Reachable(AllocationProblem asked) =>
        new AllocationModel(asked).UnreachableFloors.Count == 0
            ? asked
            : asked with
            {
                TaskTypes = [.. asked.TaskTypes.Select(type => type with { AccuracyFloor = null })],
            };
}
