using Platform.Domain.Allocation;
using Platform.Domain.Fleets;

namespace Platform.Domain.Estimation;

/// <summary>Puts a fleet's estimates in the place of its priors: what is left is the problem to solve.</summary>
public static class ProblemBuilder
{
    /// <summary>The problem of a fleet: limits and weights from the definition, λ, shares, lines and curves from the estimate.</summary>
    /// <param name="definition">The definition from which the estimate was made.</param>
    /// <param name="estimate">The estimate; its task types are the definition's, in the same order.</param>
    /// <exception cref="ArgumentException">The estimate was made from another definition.</exception>
    public static AllocationProblem Build(FleetDefinition definition, FleetEstimate estimate)
    {
        if (!definition.TaskTypes.Select(type => type.Id).SequenceEqual(estimate.TaskTypes.Select(type => type.Id), StringComparer.Ordinal))
            throw new ArgumentException("The estimate has other task types than the definition.", nameof(estimate));
        return new AllocationProblem
        {
            ArrivalRate = estimate.ArrivalRate.Value,
            Servers = definition.Servers,
            Dispatch = definition.Dispatch,
            AccuracyWeight = definition.Objective.AccuracyWeight,
            MaxUtilization = definition.Objective.MaxUtilization,
            MeanTokenBudget = definition.Objective.MeanTokenBudget,
            MaxMeanSystemTimeSeconds = definition.Objective.MaxMeanSystemTimeSeconds,
            TaskTypes = [.. definition.TaskTypes.Zip(estimate.TaskTypes, (type, seen) => type with
            {
                Aliases = null,
                Share = seen.Share.Value,
                Service = seen.Service.Line,
                Accuracy = seen.Accuracy.Curve,
            })],
        };
    }
}
