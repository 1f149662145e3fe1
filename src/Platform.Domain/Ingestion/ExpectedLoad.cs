using Platform.Domain.Allocation;

namespace Platform.Domain.Ingestion;

/// <summary>What the others in service add to a query of a task type.</summary>
/// <param name="PerToken">Seconds for each output token; 0 where a server serves one query at a time.</param>
/// <param name="AnswerTokens">Output tokens beside the reasoning ones.</param>
internal readonly record struct AddedTime(double PerToken, double AnswerTokens)
{
    /// <summary>How far off the added time may be, as a part of it: the theory errs, and load moves.</summary>
    public const double Doubt = 0.1;
}

/// <summary>
/// How busy an allocation is expected to make the servers, and how queries in service slow each other.
/// </summary>
internal sealed class ExpectedLoad
{
    private readonly Dictionary<string, AddedTime> _added = new(StringComparer.Ordinal);

    /// <summary>ρ, at least 0; 0 without an allocation.</summary>
    public double Utilization { get; private init; }

    /// <summary>The load of an allocation.</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="tokens">Its tokens, in the order of the task types; null for none.</param>
    public static ExpectedLoad Of(AllocationProblem problem, IReadOnlyList<long>? tokens)
    {
        if (tokens is null)
            return new ExpectedLoad();
        return problem.Dispatch == Dispatch.Sharing ? OfSharing(problem, [.. tokens]) : OfQueue(problem, tokens);
    }

    /// <summary>What is added to a query of a task type.</summary>
    public AddedTime AddedTo(string taskType) => _added.GetValueOrDefault(taskType);

    private static ExpectedLoad OfQueue(AllocationProblem problem, IReadOnlyList<long> tokens)
    {
        var meanSeconds = problem
            .TaskTypes.Zip(tokens, (type, count) => type.Share * type.Service.SecondsAt(count))
            .Sum();
        return new ExpectedLoad { Utilization = problem.ArrivalRate * meanSeconds / problem.Servers };
    }

    private static ExpectedLoad OfSharing(AllocationProblem problem, long[] tokens)
    {
        var model = new AllocationModel(problem);
        var figures = WholeTokenFigures.Of(model, tokens);
        var load = new ExpectedLoad { Utilization = 1 - figures.Idle };
        if (!(figures.Idle > 0))
            return load;
        var perToken = figures.Sharing(model).Slowdown.AddedSecondsPerToken;
        foreach (var type in problem.TaskTypes)
            load._added[type.Id] = new AddedTime(perToken, type.AnswerTokens);
        return load;
    }
}
