using Platform.Domain.Allocation;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;

namespace Platform.Domain.Estimation;

/// <summary>Puts a fleet's estimates in the place of its priors: what is left is the problem to solve.</summary>
public static class ProblemBuilder
{
    /// <summary>
    /// α of a definition that leaves it out, as part of the least seconds a token: little is taken to be shared before
    /// windows tell, so that the servers are not trusted with more than they may carry.
    /// </summary>
    public const double OverheadPart = 0.9;

    /// <summary>The problem of a definition by itself, as it is before the first window.</summary>
    /// <param name="definition">The definition.</param>
    public static AllocationProblem OfDefinition(FleetDefinition definition) =>
        new()
        {
            ArrivalRate = definition.ArrivalRate,
            Servers = definition.Servers,
            Dispatch = definition.Dispatch,
            Sharing = Sharing(definition),
            AccuracyWeight = definition.Objective.AccuracyWeight,
            MaxUtilization = definition.Objective.MaxUtilization,
            MeanTokenBudget = definition.Objective.MeanTokenBudget,
            MaxMeanSystemTimeSeconds = definition.Objective.MaxMeanSystemTimeSeconds,
            MaxInterTokenSeconds = definition.Objective.MaxInterTokenSeconds,
            MaxTimeToFirstAnswerTokenSeconds = definition.Objective.MaxTimeToFirstAnswerTokenSeconds,
            TaskTypes = [.. definition.TaskTypes.Select(type => type is null ? null! : type with { Aliases = null })],
        };

    /// <summary>
    /// The problem of a fleet: limits and weights from the definition, λ, shares, lines and curves from the estimate. λ
    /// is the rate that the true one is below with the definition's probability: too much is granted at a greater cost
    /// than too little.
    /// </summary>
    /// <param name="definition">The definition from which the estimate was made.</param>
    /// <param name="estimate">The estimate; its task types are the definition's, in the same order.</param>
    /// <exception cref="ArgumentException">The estimate was made from another definition.</exception>
    public static AllocationProblem Build(FleetDefinition definition, FleetEstimate estimate)
    {
        if (
            !definition
                .TaskTypes.Select(type => type.Id)
                .SequenceEqual(estimate.TaskTypes.Select(type => type.Id), StringComparer.Ordinal)
        )
            throw new ArgumentException("The estimate has other task types than the definition.", nameof(estimate));
        var prior = OfDefinition(definition);
        return prior with
        {
            ArrivalRate = estimate.Traffic?.UpperRate ?? estimate.ArrivalRate.Value,
            Sharing = estimate.Sharing is { } seen
                ? new SharingServer(seen.OverheadSecondsPerToken.Value, definition.Sharing?.MaxInService)
                : prior.Sharing,
            TaskTypes =
            [
                .. definition.TaskTypes.Zip(
                    estimate.TaskTypes,
                    (type, seen) =>
                        type with
                        {
                            Aliases = null,
                            Share = seen.Share.Value,
                            AnswerTokens = seen.AnswerTokens?.Value ?? type.AnswerTokens,
                            Service = seen.Service.Line,
                            Accuracy = seen.Accuracy.Curve,
                        }
                ),
            ],
        };
    }

    /// <summary>The same with the figures of an alarm where they are the greater.</summary>
    /// <param name="problem">The problem by the estimate.</param>
    /// <param name="alarm">The alarm that stands.</param>
    public static AllocationProblem UnderAlarm(AllocationProblem problem, LoadAlarm alarm)
    {
        var faster = problem with { ArrivalRate = Math.Max(problem.ArrivalRate, alarm.ArrivalRate) };

        // Where servers share, more arrivals alone make every query slower: their lone times stay.
        return problem.Dispatch == Dispatch.Sharing
            ? faster
            : faster with
            {
                TaskTypes =
                [
                    .. problem.TaskTypes.Select(type =>
                        type with
                        {
                            Service = Slower(type.Service, alarm.ServiceFactor),
                        }
                    ),
                ],
            };
    }

    /// <summary>
    /// How the queries of a problem share a server where nothing says so: by the least seconds a token.
    /// </summary>
    /// <param name="sharing">What is said; null for nothing.</param>
    /// <param name="taskTypes">The task types.</param>
    public static SharingServer Completed(SharingServer? sharing, IReadOnlyList<TaskType> taskTypes)
    {
        if (sharing?.OverheadSecondsPerToken is not null)
            return sharing;
        var least = taskTypes.Min(MostOverhead);
        return new SharingServer(OverheadPart * least, sharing?.MaxInService);
    }

    /// <summary>No token is made faster than its overhead, those of the answer included.</summary>
    private static double MostOverhead(TaskType? type)
    {
        var perToken = type?.Service?.SecondsPerToken ?? 0;
        return type is { AnswerTokens: > 0, Service: not null }
            ? Math.Min(perToken, type.Service.BaseSeconds / type.AnswerTokens)
            : perToken;
    }

    private static SharingServer? Sharing(FleetDefinition definition) =>
        definition.Dispatch == Dispatch.Sharing && definition.TaskTypes.Count > 0
            ? Completed(definition.Sharing, definition.TaskTypes)
            : definition.Sharing;

    private static ServiceLine Slower(ServiceLine line, double factor) =>
        new(
            line.BaseSeconds * factor,
            line.SecondsPerToken * factor,
            line.VarianceSecondsSquared * factor * factor,
            line.SecondsPerTokenSquared * factor
        );
}
