using System.Globalization;
using System.Text.Json;
using Platform.Domain.Allocation;

namespace Platform.Domain.Snapshots;

/// <summary>The allocation that a new one must beat.</summary>
public sealed record PreviousAllocation
{
    /// <summary>Its version.</summary>
    public required int Version { get; init; }

    /// <summary>Its hash.</summary>
    public required string Hash { get; init; }

    /// <summary>The revision of the definition that it was solved for.</summary>
    public required int DefinitionRevision { get; init; }

    /// <summary>Tokens by task type.</summary>
    public required IReadOnlyDictionary<string, long> Tokens { get; init; }

    /// <summary>Reads what matters of a stored snapshot. Only names that every version of the format has are looked at.</summary>
    /// <param name="version">The snapshot's version.</param>
    /// <param name="hash">The snapshot's hash.</param>
    /// <param name="document">The snapshot's canonical JSON.</param>
    public static PreviousAllocation Read(int version, string hash, ReadOnlyMemory<byte> document)
    {
        using var json = JsonDocument.Parse(document);
        var root = json.RootElement;
        return new PreviousAllocation
        {
            Version = version,
            Hash = hash,
            DefinitionRevision = root.GetProperty("provenance").GetProperty("definitionRevision").GetInt32(),
            Tokens = root.GetProperty("solution").GetProperty("allocation").EnumerateArray()
                .ToDictionary(type => type.GetProperty("taskType").GetString()!, type => type.GetProperty("tokens").GetInt64(), StringComparer.Ordinal),
        };
    }
}

/// <summary>What a solve has to go on.</summary>
public sealed record SolveCase
{
    /// <summary>The tenant's id.</summary>
    public required string Tenant { get; init; }

    /// <summary>The fleet's id.</summary>
    public required string Fleet { get; init; }

    /// <summary>Revision of the definition.</summary>
    public required int DefinitionRevision { get; init; }

    /// <summary>Version of the workload stream that the problem was estimated from.</summary>
    public required long WorkloadVersion { get; init; }

    /// <summary>Version of the estimator.</summary>
    public required string Estimator { get; init; }

    /// <summary>The problem.</summary>
    public required AllocationProblem Problem { get; init; }

    /// <summary>Gain in the objective below which the allocation in force is kept, at least 0.</summary>
    public required double MinimumGain { get; init; }

    /// <summary>The allocation in force, or null.</summary>
    public required PreviousAllocation? Previous { get; init; }

    /// <summary>The moment of the solve.</summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>Solves a fleet's problem and decides what becomes of the answer.</summary>
public static class SolvePolicy
{
    /// <summary>
    /// Solves. There is a new version when there was none, when the definition was revised, when the one in force breaks a limit of the
    /// problem as it is now, or when the gain exceeds the definition's minimum; else the one in force is confirmed.
    /// </summary>
    public static SolveOutcome Solve(SolveCase input)
    {
        var solution = AllocationSolver.Solve(input.Problem);
        if (solution.Status == SolutionStatus.Infeasible)
            return new SolveOutcome.Infeasible(Reason(solution));
        return IsWorthANewVersion(input, solution) ? new SolveOutcome.Published(Snapshot(input, solution)) : new SolveOutcome.Confirmed();
    }

    private static bool IsWorthANewVersion(SolveCase input, AllocationSolution solution)
    {
        if (input.Previous is not { } previous || previous.DefinitionRevision != input.DefinitionRevision)
            return true;
        var types = input.Problem.TaskTypes;
        if (types.Count != previous.Tokens.Count || !types.All(type => previous.Tokens.ContainsKey(type.Id)))
            return true;
        var inForce = AllocationSolver.Objective(input.Problem, [.. types.Select(type => previous.Tokens[type.Id])]);
        return !(solution.Objective - inForce <= input.MinimumGain);
    }

    private static AllocationSnapshot Snapshot(SolveCase input, AllocationSolution solution) => new()
    {
        Tenant = input.Tenant,
        Fleet = input.Fleet,
        Version = (input.Previous?.Version ?? 0) + 1,
        SolvedAt = input.At,
        Provenance = new Provenance
        {
            DefinitionRevision = input.DefinitionRevision,
            WorkloadVersion = input.WorkloadVersion,
            Estimator = input.Estimator,
            Solver = AllocationSolver.Version,
            ProblemHash = AllocationSnapshot.HashOf(CanonicalJson.Write(input.Problem)),
            PreviousHash = input.Previous?.Hash,
        },
        Problem = input.Problem,
        Solution = solution,
    };

    private static string Reason(AllocationSolution solution) => solution.Reason switch
    {
        InfeasibilityReason.Unstable => string.Create(
            CultureInfo.InvariantCulture, $"unstable: the fewest tokens allowed carry at most {solution.MaxArrivalRate} arrivals per second"),
        InfeasibilityReason.AccuracyFloor => $"accuracyFloor: out of reach for {string.Join(", ", solution.TaskTypes!)}",
        InfeasibilityReason.MeanTokenBudget => string.Create(
            CultureInfo.InvariantCulture, $"meanTokenBudget: the fewest tokens allowed have a mean of {solution.MinMeanTokenBudget}"),
        InfeasibilityReason.MaxMeanSystemTime => string.Create(
            CultureInfo.InvariantCulture,
            $"maxMeanSystemTime: the fewest tokens allowed take {solution.MinMeanSystemTimeSeconds} seconds in the mean"),
        var other => throw new InvalidOperationException($"An infeasible solution has the reason {other}."),
    };
}
