using Platform.Domain.Allocation;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;

namespace Platform.Domain.Estimation;

/// <summary>Puts a fleet's estimates in the place of its priors: what is left is the problem to solve.</summary>
public static class ProblemBuilder
{
    /// <summary>The problem of a definition by itself, as it is before the first window.</summary>
    /// <param name="definition">The definition.</param>
    public static AllocationProblem OfDefinition(FleetDefinition definition) => new()
    {
        ArrivalRate = definition.ArrivalRate,
        Servers = definition.Servers,
        Dispatch = definition.Dispatch,
        AccuracyWeight = definition.Objective.AccuracyWeight,
        MaxUtilization = definition.Objective.MaxUtilization,
        MeanTokenBudget = definition.Objective.MeanTokenBudget,
        MaxMeanSystemTimeSeconds = definition.Objective.MaxMeanSystemTimeSeconds,
        TaskTypes = [.. definition.TaskTypes.Select(type => type is null ? null! : type with { Aliases = null })],
    };

    /// <summary>The problem of a fleet: limits and weights from the definition, λ, shares, lines and curves from the estimate.</summary>
    /// <param name="definition">The definition from which the estimate was made.</param>
    /// <param name="estimate">The estimate; its task types are the definition's, in the same order.</param>
    /// <exception cref="ArgumentException">The estimate was made from another definition.</exception>
    public static AllocationProblem Build(FleetDefinition definition, FleetEstimate estimate)
    {
        if (!definition.TaskTypes.Select(type => type.Id).SequenceEqual(estimate.TaskTypes.Select(type => type.Id), StringComparer.Ordinal))
            throw new ArgumentException("The estimate has other task types than the definition.", nameof(estimate));
        return OfDefinition(definition) with
        {
            ArrivalRate = estimate.ArrivalRate.Value,
            TaskTypes = [.. definition.TaskTypes.Zip(estimate.TaskTypes, (type, seen) => type with
            {
                Aliases = null,
                Share = seen.Share.Value,
                Service = seen.Service.Line,
                Accuracy = seen.Accuracy.Curve,
            })],
        };
    }

    /// <summary>The same with the figures of an alarm where they are the greater.</summary>
    /// <param name="problem">The problem by the estimate.</param>
    /// <param name="alarm">The alarm that stands.</param>
    public static AllocationProblem UnderAlarm(AllocationProblem problem, LoadAlarm alarm) => problem with
    {
        ArrivalRate = Math.Max(problem.ArrivalRate, alarm.ArrivalRate),
        TaskTypes = [.. problem.TaskTypes.Select(type => type with { Service = Slower(type.Service, alarm.ServiceFactor) })],
    };

    private static ServiceLine Slower(ServiceLine line, double factor) =>
        new(line.BaseSeconds * factor, line.SecondsPerToken * factor, line.VarianceSecondsSquared * factor * factor);
}
