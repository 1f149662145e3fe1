using Platform.Domain.Contracts;

namespace Platform.Domain.Allocation;

/// <summary>What a problem must keep where its servers share, and must not say where they do not.</summary>
internal static class SharingValidation
{
    private const string SharingAlone = "must not be given unless dispatch is sharing";

    // Sums of decimal fractions come out a few units in the last place beside each other.
    private const double Rounding = 1e-12;

    /// <summary>
    /// Whether lone seconds are at least the overhead in them, but for rounding; so are those that are no number, which
    /// is another fault.
    /// </summary>
    public static bool LeavesRoom(double loneSeconds, double overheadSeconds) =>
        !(loneSeconds < overheadSeconds * (1 - Rounding));

    /// <summary>Checks <c>sharing</c>.</summary>
    public static void ValidateServer(AllocationProblem problem, ICollection<InputError> errors)
    {
        var isSharing = problem.Dispatch == Dispatch.Sharing;
        if (!isSharing && problem.Sharing is not null)
            errors.Add(new("/sharing", SharingAlone));
        if (!isSharing)
            return;
        const string Overhead = "/sharing/overheadSecondsPerToken";
        if (problem.Sharing?.OverheadSecondsPerToken is { } overhead)
            ProblemValidation.Range(overhead, 0, ProblemValidation.Largest, Overhead, errors);
        else
            errors.Add(new(Overhead, "must be given: the seconds of an iteration that all queries in service share"));
        if (problem.Sharing?.MaxInService is < 1 or > SharingServer.MostInService)
            errors.Add(new("/sharing/maxInService", $"must be 1 to {SharingServer.MostInService}, or null"));
    }

    /// <summary>Checks the limits that only servers that share have.</summary>
    public static void ValidateLimits(AllocationProblem problem, ICollection<InputError> errors)
    {
        Limit(problem.MaxInterTokenSeconds, "/maxInterTokenSeconds");
        Limit(problem.MaxTimeToFirstAnswerTokenSeconds, "/maxTimeToFirstAnswerTokenSeconds");

        void Limit(double? seconds, string pointer)
        {
            if (seconds is not null && problem.Dispatch != Dispatch.Sharing)
                errors.Add(new(pointer, SharingAlone));
            else if (seconds is { } limit && !(limit > 0 && double.IsFinite(limit)))
                errors.Add(new(pointer, "must be a finite number above 0"));
        }
    }

    /// <summary>
    /// Checks that no query is faster than the overhead of its own tokens, which would leave it less than no work.
    /// </summary>
    public static void ValidateTaskTypes(AllocationProblem problem, ICollection<InputError> errors)
    {
        foreach (var (i, type) in (problem.TaskTypes ?? []).Index())
        {
            if (type?.Service is not { } service)
                continue;
            var at = $"/taskTypes/{i}/service";
            if (problem.Dispatch != Dispatch.Sharing && service.SecondsPerTokenSquared > 0)
                errors.Add(new($"{at}/secondsPerTokenSquared", SharingAlone));
            if (problem.Dispatch == Dispatch.Sharing && problem.Sharing?.OverheadSecondsPerToken is { } overhead)
                ValidateWork(type, service, overhead, at, errors);
        }
    }

    private static void ValidateWork(
        TaskType type,
        ServiceLine service,
        double overhead,
        string at,
        ICollection<InputError> errors
    )
    {
        if (!LeavesRoom(service.SecondsPerToken, overhead))
        {
            errors.Add(
                new(
                    $"{at}/secondsPerToken",
                    $"must be at least sharing.overheadSecondsPerToken, {overhead}, which is part of it"
                )
            );
        }

        var answer = overhead * type.AnswerTokens;
        if (!LeavesRoom(service.BaseSeconds, answer))
        {
            errors.Add(
                new(
                    $"{at}/baseSeconds",
                    $"must be at least answerTokens · sharing.overheadSecondsPerToken, {answer}, which is part of it"
                )
            );
        }
    }
}
