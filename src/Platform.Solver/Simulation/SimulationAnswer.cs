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

    /// <summary>
    /// λ E[S] / k, or with servers that batch that of the work; at least 1 where the queue is unstable.
    /// </summary>
    public required double Utilization { get; init; }

    /// <summary>Queries in service on a server; of servers that batch alone, as all that follows.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MeanInService { get; init; }

    /// <summary>Seconds from one output token of a query to the next, over all tokens.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? InterTokenSeconds { get; init; }

    /// <summary>Seconds from arrival to the first token of the answer, or to the end where there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MeanTimeToFirstAnswerTokenSeconds { get; init; }

    /// <summary>Each task type's figures, in the problem's order.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<PredictedTaskType>? TaskTypes { get; init; }

    /// <summary>The formula used in place of an exact one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public QueueingApproximation? Approximation { get; init; }
}

/// <summary>What the formulas say of a task type on servers that batch.</summary>
/// <param name="TaskType">Its id.</param>
/// <param name="SystemSeconds">Seconds from arrival to end.</param>
/// <param name="TimeToFirstAnswerTokenSeconds">
/// Seconds from arrival to the first token of the answer, or to the end where there is none.
/// </param>
internal sealed record PredictedTaskType(string TaskType, double SystemSeconds, double TimeToFirstAnswerTokenSeconds);

/// <summary>Prediction beside simulation.</summary>
internal sealed record SimulationAnswer
{
    public required SolutionStatus Status { get; init; }

    /// <summary>Tokens of each task type that were simulated, in the problem's order.</summary>
    public required IReadOnlyList<long> Tokens { get; init; }

    public required PredictedFigures Predicted { get; init; }

    public required SimulationResult Simulated { get; init; }

    /// <summary>
    /// By how much the simulated mean system time is above the predicted one, as a part of that; of servers that batch
    /// alone, and null where they are unstable.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? RelativeDifference { get; init; }

    /// <summary>
    /// Whether the predicted mean system time lies in the simulated 95 % interval; null without an interval or a
    /// prediction.
    /// </summary>
    public required bool? PredictionInInterval { get; init; }

    public required ulong Seed { get; init; }
}
