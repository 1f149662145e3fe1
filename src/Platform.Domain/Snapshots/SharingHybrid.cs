using Platform.Domain.Allocation;
using Platform.Domain.Estimation;

namespace Platform.Domain.Snapshots;

/// <summary>
/// What a problem between two needs so that it is one: a discipline of the one side and service lines of the other may
/// not know each other's figures.
/// </summary>
internal static class SharingHybrid
{
    /// <summary>The cap of the side that the servers are of, the overhead of the side that the lines are of.</summary>
    public static SharingServer? Server(AllocationProblem servers, AllocationProblem lines)
    {
        if (servers.Dispatch != Dispatch.Sharing)
            return null;
        return new SharingServer(lines.Sharing?.OverheadSecondsPerToken, servers.Sharing?.MaxInService);
    }

    /// <summary>
    /// Without sharing its limits and its quadratic terms go; with it, an overhead that is not said or is more than the
    /// lines leave room for is the default of the lines.
    /// </summary>
    public static AllocationProblem Reconciled(AllocationProblem problem)
    {
        if (problem.Dispatch != Dispatch.Sharing)
            return HasLimits(problem) ? WithoutLimits(problem) : WithoutSquares(problem);
        var overhead = problem.Sharing?.OverheadSecondsPerToken;
        var leavesRoom = overhead is not null && problem.TaskTypes.All(type => LeavesRoom(type, overhead.Value));
        var asked = leavesRoom ? problem.Sharing : problem.Sharing! with { OverheadSecondsPerToken = null };
        return problem with { Sharing = ProblemBuilder.Completed(asked, problem.TaskTypes) };
    }

    private static bool LeavesRoom(TaskType type, double overhead) =>
        SharingValidation.LeavesRoom(type.Service.SecondsPerToken, overhead)
        && SharingValidation.LeavesRoom(type.Service.BaseSeconds, overhead * type.AnswerTokens);

    private static bool HasLimits(AllocationProblem problem) =>
        problem.MaxInterTokenSeconds is not null || problem.MaxTimeToFirstAnswerTokenSeconds is not null;

    private static AllocationProblem WithoutLimits(AllocationProblem problem) =>
        WithoutSquares(problem with { MaxInterTokenSeconds = null, MaxTimeToFirstAnswerTokenSeconds = null });

    /// <summary>The problem without what only lines of servers that share have.</summary>
    public static AllocationProblem WithoutSquares(AllocationProblem problem)
    {
        if (problem.TaskTypes.All(type => type.Service.SecondsPerTokenSquared == 0))
            return problem;
        return problem with
        {
            TaskTypes =
            [
                .. problem.TaskTypes.Select(type =>
                    type with
                    {
                        Service = type.Service with { SecondsPerTokenSquared = 0 },
                    }
                ),
            ],
        };
    }
}
