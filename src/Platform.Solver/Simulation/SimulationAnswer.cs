using System.Text.Json.Serialization;
using Platform.Domain.Allocation;
using Platform.Domain.Simulation;

namespace Platform.Solver.Simulation;

/// <summary>A problem whose allocation is given rather than solved for.</summary>
/// <param name="Problem">The problem.</param>
/// <param name="Tokens">Tokens of each task type, in the problem's order.</param>
internal sealed record SimulationRequest(AllocationProblem Problem, IReadOnlyList<long> Tokens);

/// <summary>What the formulas say. Null where the queue is unstable.</summary>
internal sealed record PredictedFigures
{
    public required double? MeanSystemTimeSeconds { get; init; }

    public required double? MeanWaitSeconds { get; init; }

    public required double MeanServiceSeconds { get; init; }

    /// <summary>λ E[S] / k; at least 1 where the queue is unstable.</summary>
    public required double Utilization { get; init; }

    /// <summary>The formula used in place of an exact one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public QueueingApproximation? Approximation { get; init; }
}

/// <summary>Prediction beside simulation.</summary>
internal sealed record SimulationAnswer
{
    public required SolutionStatus Status { get; init; }

    /// <summary>Tokens of each task type that were simulated, in the problem's order.</summary>
    public required IReadOnlyList<long> Tokens { get; init; }

    public required PredictedFigures Predicted { get; init; }

    public required SimulationResult Simulated { get; init; }

    /// <summary>Whether the predicted mean system time lies in the simulated 95 % interval; null without an interval or a prediction.</summary>
    public required bool? PredictionInInterval { get; init; }

    public required ulong Seed { get; init; }
}
