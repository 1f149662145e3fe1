using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;

namespace Platform.Domain.Snapshots;

/// <summary>Something for each figure of an allocation that people look at.</summary>
/// <param name="Objective">Of accuracyWeight · weightedAccuracy − meanSystemTimeSeconds, in seconds.</param>
/// <param name="MeanAccuracy">Of Σ share · accuracy.</param>
/// <param name="MeanSystemTimeSeconds">Of the mean seconds from arrival to end.</param>
/// <param name="Utilization">Of ρ.</param>
/// <param name="MeanTokens">Of Σ share · tokens.</param>
public sealed record Figures<T>(T Objective, T MeanAccuracy, T MeanSystemTimeSeconds, T Utilization, T MeanTokens);

/// <summary>A problem with what matters of its solution.</summary>
/// <param name="Problem">The problem.</param>
/// <param name="Figures">The solution's figures.</param>
/// <param name="Tokens">Tokens by task type.</param>
public sealed record SolvedProblem(
    AllocationProblem Problem,
    Figures<double> Figures,
    IReadOnlyDictionary<string, long> Tokens
)
{
    /// <summary>A problem with its solution; null when it is infeasible.</summary>
    public static SolvedProblem? Of(AllocationProblem problem, AllocationSolution solution) =>
        solution.Status == SolutionStatus.Infeasible
            ? null
            : new SolvedProblem(
                problem,
                new(
                    solution.Objective!.Value,
                    solution.MeanAccuracy!.Value,
                    solution.MeanSystemTimeSeconds!.Value,
                    solution.Utilization!.Value,
                    solution.MeanTokens!.Value
                ),
                solution.Allocation!.ToDictionary(type => type.TaskType, type => type.Tokens, StringComparer.Ordinal)
            );

    /// <summary>
    /// The figures in their order, then the tokens of the given task types; 0 for one that this problem does not have.
    /// </summary>
    internal double[] Components(IReadOnlyList<string> taskTypes) =>
        [
            Figures.Objective,
            Figures.MeanAccuracy,
            Figures.MeanSystemTimeSeconds,
            Figures.Utilization,
            Figures.MeanTokens,
            .. taskTypes.Select(type => (double)Tokens.GetValueOrDefault(type)),
        ];
}

/// <summary>What two allocations are compared by, as any version of the snapshot's format has it.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record ComparableSnapshot
{
    /// <summary>Version, from 1.</summary>
    public required int Version { get; init; }

    /// <summary>When it was solved, UTC.</summary>
    public required DateTimeOffset SolvedAt { get; init; }

    /// <summary>What it was derived from.</summary>
    public required Provenance Provenance { get; init; }

    /// <summary>The problem.</summary>
    public required AllocationProblem Problem { get; init; }

    /// <summary>The solution.</summary>
    public required StoredSolution Solution { get; init; }

    /// <summary>What is sent in its place, or null.</summary>
    public SentAllocation? Sent { get; init; }

    /// <summary>The task types that are held back; null where none is.</summary>
    public IReadOnlyList<HeldBack>? HeldBack { get; init; }

    /// <summary>Why these are the fewest tokens allowed; null where every limit is kept.</summary>
    public Shortfall? Shortfall { get; init; }

    /// <summary>Tokens for surges; null where there are none.</summary>
    public SurgeLadder? Ladder { get; init; }

    /// <summary>
    /// What a gateway is given, in the problem's order: what is sent, or the optimum where any tokens can be.
    /// </summary>
    [JsonIgnore]
    public IReadOnlyList<SentTokens> Given =>
        Sent?.Allocation ?? [.. Solution.Allocation.Select(type => new SentTokens(type.TaskType, type.Tokens))];

    /// <summary>The problem with its solution.</summary>
    [JsonIgnore]
    public SolvedProblem Solved =>
        new(
            Problem,
            new(
                Solution.Objective,
                Solution.MeanAccuracy,
                Solution.MeanSystemTimeSeconds,
                Solution.Utilization,
                Solution.MeanTokens
            ),
            Solution.Allocation.ToDictionary(type => type.TaskType, type => type.Tokens, StringComparer.Ordinal)
        );

    /// <summary>Reads it from a snapshot's canonical JSON.</summary>
    /// <param name="document">The stored bytes.</param>
    /// <param name="snapshot">The snapshot, or null when there is a fault.</param>
    /// <param name="fault">What is wrong with the document, or null.</param>
    public static bool TryRead(
        ReadOnlySpan<byte> document,
        [NotNullWhen(true)] out ComparableSnapshot? snapshot,
        [NotNullWhen(false)] out InputError? fault
    ) => StrictJson.TryRead(document, out snapshot, out fault);
}

/// <summary>What is compared of a stored solution; each member as in <see cref="AllocationSolution"/>.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record StoredSolution
{
    /// <summary>J, seconds.</summary>
    public required double Objective { get; init; }

    /// <summary>Σ share · accuracy.</summary>
    public required double MeanAccuracy { get; init; }

    /// <summary>E[T], seconds.</summary>
    public required double MeanSystemTimeSeconds { get; init; }

    /// <summary>ρ.</summary>
    public required double Utilization { get; init; }

    /// <summary>Σ share · tokens.</summary>
    public required double MeanTokens { get; init; }

    /// <summary>Mean queries in service on a server; null before dual-newton/6.</summary>
    public double? MeanInService { get; init; }

    /// <summary>Mean wait before service, seconds; null before dual-newton/6.</summary>
    public double? MeanWaitSeconds { get; init; }

    /// <summary>Mean seconds between two output tokens of a query; null before dual-newton/6.</summary>
    public double? InterTokenSeconds { get; init; }

    /// <summary>Mean seconds to the first token of the answer; null before dual-newton/6.</summary>
    public double? MeanTimeToFirstAnswerTokenSeconds { get; init; }

    /// <summary>Tokens of each task type.</summary>
    public required IReadOnlyList<StoredTokens> Allocation { get; init; }

    /// <summary>The best single budget for all types; null where none keeps within the limits.</summary>
    public UniformAllocation? Uniform { get; init; }
}

/// <summary>What one task type was granted.</summary>
/// <param name="TaskType">Id of the task type.</param>
/// <param name="Tokens">Whole tokens for one query.</param>
/// <param name="Accuracy">p(tokens), 0 to 1.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record StoredTokens(string TaskType, long Tokens, double Accuracy)
{
    /// <summary>Mean seconds from arrival to end; null before dual-newton/6.</summary>
    public double? SystemSeconds { get; init; }

    /// <summary>Mean seconds to the first token of the answer; null before dual-newton/6.</summary>
    public double? TimeToFirstAnswerTokenSeconds { get; init; }
}
