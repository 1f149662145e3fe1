using Platform.Domain.Contracts;

namespace Platform.Domain.Allocation;

/// <summary>The ranges of a problem's numbers, and the check that reports every one that is broken.</summary>
public static class ProblemValidation
{
    /// <summary>Most task types in a problem.</summary>
    public const int MaxTaskTypes = 1_000_000;

    /// <summary>Most servers in a fleet.</summary>
    public const int MaxServers = 10_000;

    /// <summary>Most tokens: the largest whole number that every JSON reader keeps exact, 2^53 − 1.</summary>
    public const long MaxTokens = 9_007_199_254_740_991;

    /// <summary>Longest id of a task type, in characters.</summary>
    public const int MaxIdLength = 128;

    /// <summary>How far the shares may sum from 1.</summary>
    public const double ShareTolerance = 1e-9;

    // Beyond any real rate, time or weight, and small enough that no product of the solver's overflows.
    internal const double Largest = 1e12;

    // The weight of accuracy may be larger: it alone carries the unit of the objective.
    internal const double LargestAccuracyWeight = 1e30;

    /// <summary>Checks a problem.</summary>
    /// <returns>Every fault, in the document's order; empty for a valid problem.</returns>
    public static IReadOnlyList<InputError> Validate(AllocationProblem problem)
    {
        var errors = new List<InputError>();
        Range(problem.ArrivalRate, 0, Largest, "/arrivalRate", errors);
        if (problem.Servers is < 1 or > MaxServers)
            errors.Add(new("/servers", $"must be 1 to {MaxServers}"));
        if (!Enum.IsDefined(problem.Dispatch))
            errors.Add(new("/dispatch", "must be split, shared or sharing"));
        SharingValidation.ValidateServer(problem, errors);
        ValidateObjective(
            problem.AccuracyWeight,
            problem.MaxUtilization,
            problem.MeanTokenBudget,
            problem.MaxMeanSystemTimeSeconds,
            "",
            errors
        );
        SharingValidation.ValidateLimits(problem, errors);
        if (problem.Dispatch == Dispatch.Shared && problem.Servers > 1)
            ValidateSharedQueue(problem, errors);
        ValidateTaskTypes(problem.TaskTypes, "/taskTypes", errors);
        SharingValidation.ValidateTaskTypes(problem, errors);
        return errors;
    }

    /// <summary>Checks a problem together with how it is to be solved.</summary>
    /// <returns>
    /// Every fault: those of the problem, then those of the options, whose members sit at the document's root.
    /// </returns>
    public static IReadOnlyList<InputError> Validate(AllocationProblem problem, SolverOptions options)
    {
        List<InputError> errors = [.. Validate(problem)];
        if (!Enum.IsDefined(options.Method))
            errors.Add(
                new("/method", "must be newton, fixed-point, projected-gradient or accelerated-projected-gradient")
            );
        else if (options.Method != SolverMethod.Newton && BeyondThePaper(problem) is { } what)
            errors.Add(new("/method", $"must be newton for a problem with {what}"));
        if (!Enum.IsDefined(options.Rounding))
            errors.Add(new("/rounding", "must be exact, exchange or nearest"));
        if (!(options.Tolerance > 0 && options.Tolerance < 1))
            errors.Add(new("/tolerance", "must be above 0 and below 1"));
        if (options.MaxIterations < 1)
            errors.Add(new("/maxIterations", "must be at least 1"));
        return errors;
    }

    /// <summary>
    /// Checks the objective's weight and the limits, whose members sit beneath <paramref name="pointer"/>.
    /// </summary>
    /// <param name="accuracyWeight">α ≥ 0.</param>
    /// <param name="maxUtilization">In (0, 1), or null.</param>
    /// <param name="meanTokenBudget">At least 0, or null.</param>
    /// <param name="maxMeanSystemTimeSeconds">Above 0, or null.</param>
    /// <param name="pointer">JSON Pointer to the object that holds them; empty for the document.</param>
    /// <param name="errors">Where faults go.</param>
    public static void ValidateObjective(
        double accuracyWeight,
        double? maxUtilization,
        double? meanTokenBudget,
        double? maxMeanSystemTimeSeconds,
        string pointer,
        ICollection<InputError> errors
    )
    {
        Range(accuracyWeight, 0, LargestAccuracyWeight, $"{pointer}/accuracyWeight", errors);
        if (maxUtilization is { } utilization && !(utilization > 0 && utilization < 1))
            errors.Add(new($"{pointer}/maxUtilization", "must be above 0 and below 1"));
        if (meanTokenBudget is { } budget)
            Range(budget, 0, MaxTokens, $"{pointer}/meanTokenBudget", errors);
        if (maxMeanSystemTimeSeconds is { } time && !(time > 0 && double.IsFinite(time)))
            errors.Add(new($"{pointer}/maxMeanSystemTimeSeconds", "must be a finite number above 0"));
    }

    /// <summary>Checks the task types, which sit at <paramref name="pointer"/>.</summary>
    /// <param name="taskTypes">The list.</param>
    /// <param name="pointer">JSON Pointer to the list.</param>
    /// <param name="errors">Where faults go.</param>
    public static void ValidateTaskTypes(
        IReadOnlyList<TaskType> taskTypes,
        string pointer,
        ICollection<InputError> errors
    )
    {
        if (taskTypes is null || taskTypes.Count is 0 or > MaxTaskTypes)
        {
            errors.Add(new(pointer, $"must have 1 to {MaxTaskTypes} task types"));
            return;
        }

        var ids = new HashSet<string>(taskTypes.Count, StringComparer.Ordinal);
        var shares = 0.0;
        for (var i = 0; i < taskTypes.Count; i++)
        {
            if (taskTypes[i] is not { } type)
            {
                errors.Add(new($"{pointer}/{i}", "must be an object, not null"));
                continue;
            }

            ValidateTaskType(type, $"{pointer}/{i}", errors);
            if (type.Id is not null && !ids.Add(type.Id))
                errors.Add(new($"{pointer}/{i}/id", $"repeats \"{type.Id}\""));
            shares += type.Share;
        }

        if (!(Math.Abs(shares - 1) <= ShareTolerance))
            errors.Add(new(pointer, $"shares must sum to 1, not {shares}"));
    }

    // The paper's methods know bounds on tokens and the queue's own limit; prices of other limits are known to Newton's
    // method alone.
    private static string? BeyondThePaper(AllocationProblem problem) =>
        problem switch
        {
            { MeanTokenBudget: not null } => "meanTokenBudget",
            { MaxMeanSystemTimeSeconds: not null } => "maxMeanSystemTimeSeconds",
            { MaxUtilization: not null } => "maxUtilization",
            { Dispatch: Dispatch.Sharing } => "servers that share",
            { Dispatch: Dispatch.Shared, Servers: > 1 } => "a queue shared by several servers",
            _ => null,
        };

    // With several servers J is not concave, and prices of these limits would prove nothing: refused rather than
    // answered wrongly.
    private static void ValidateSharedQueue(AllocationProblem problem, List<InputError> errors)
    {
        const string Detail = "is not available yet with one shared queue for several servers";
        if (problem.MeanTokenBudget is not null)
            errors.Add(new("/meanTokenBudget", Detail));
        if (problem.MaxMeanSystemTimeSeconds is not null)
            errors.Add(new("/maxMeanSystemTimeSeconds", Detail));
    }

    private static void ValidateTaskType(TaskType type, string at, ICollection<InputError> errors)
    {
        ValidateId(type.Id, at, errors);
        Range(type.Share, 0, 1, $"{at}/share", errors);
        if (!(type.Weight > 0 && type.Weight <= Largest))
            errors.Add(new($"{at}/weight", $"must be above 0 and at most {Largest}"));
        if (type.MinTokens is < 0 or > MaxTokens)
            errors.Add(new($"{at}/minTokens", $"must be 0 to {MaxTokens}"));
        if (type.MaxTokens is < 0 or > MaxTokens)
            errors.Add(new($"{at}/maxTokens", $"must be 0 to {MaxTokens}"));
        else if (type.MaxTokens < type.MinTokens)
            errors.Add(new($"{at}/maxTokens", "must be at least minTokens"));
        if (type.AccuracyFloor is { } floor)
            Range(floor, 0, 1, $"{at}/accuracyFloor", errors);
        Range(type.AnswerTokens, 0, MaxTokens, $"{at}/answerTokens", errors);
        if (type.Aliases is not null)
            errors.Add(new($"{at}/aliases", "must not be given: only a fleet's definition has aliases"));
        ValidateService(type.Service, $"{at}/service", errors);
        ValidateAccuracy(type.Accuracy, $"{at}/accuracy", errors);
    }

    private static void ValidateId(string? id, string at, ICollection<InputError> errors)
    {
        if (string.IsNullOrEmpty(id) || id.Length > MaxIdLength)
            errors.Add(new($"{at}/id", $"must have 1 to {MaxIdLength} characters"));
        else if (id.Any(char.IsControl))
            errors.Add(new($"{at}/id", "must have no control characters"));
    }

    private static void ValidateService(ServiceLine? service, string at, ICollection<InputError> errors)
    {
        if (service is null)
        {
            errors.Add(new(at, "must be an object, not null"));
            return;
        }

        Range(service.BaseSeconds, 0, Largest, $"{at}/baseSeconds", errors);
        Range(service.SecondsPerToken, 0, Largest, $"{at}/secondsPerToken", errors);
        Range(service.VarianceSecondsSquared, 0, Largest, $"{at}/varianceSecondsSquared", errors);
        Range(service.SecondsPerTokenSquared, 0, Largest, $"{at}/secondsPerTokenSquared", errors);
    }

    private static void ValidateAccuracy(AccuracyCurve? curve, string at, ICollection<InputError> errors)
    {
        if (curve is null)
        {
            errors.Add(new(at, "must be an object, not null"));
            return;
        }

        Range(curve.Floor, -1, 1, $"{at}/floor", errors);
        Range(curve.Gain, 0, 2, $"{at}/gain", errors);
        Range(curve.RatePerToken, 0, Largest, $"{at}/ratePerToken", errors);

        // Decimal fractions such as 0.7 + 0.3 may come out a few units in the last place above 1.
        if (curve.Floor + curve.Gain > 1 + 1e-12 && curve is { Floor: <= 1, Gain: <= 2 })
            errors.Add(new($"{at}/gain", "floor + gain must be at most 1"));
        if (curve.Floor + curve.Gain < -1e-12 && curve is { Floor: >= -1, Gain: >= 0 })
            errors.Add(new($"{at}/gain", "floor + gain must be at least 0"));
    }

    internal static void Range(double value, double least, double most, string at, ICollection<InputError> errors)
    {
        if (!(value >= least && value <= most))
            errors.Add(new(at, $"must be a number from {least} to {most}"));
    }
}
