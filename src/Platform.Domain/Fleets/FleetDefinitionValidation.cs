using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;

namespace Platform.Domain.Fleets;

/// <summary>The ranges of a fleet definition, and the check that reports every one that is broken.</summary>
public static class FleetDefinitionValidation
{
    /// <summary>Most task types of a fleet.</summary>
    public const int MaxTaskTypes = 1_000;

    /// <summary>Most aliases of a task type.</summary>
    public const int MaxAliases = 20;

    private const double LeastRateProbability = 0.5;
    private const double MostRateProbability = 0.999;
    private const int MaxNameLength = 200;
    private const int MaxLevelLength = 64;
    private const int MaxEverySeconds = 86_400;
    private const int MinHorizonSeconds = 60;
    private const int MaxHorizonSeconds = WorkloadWindowReader.LongestHorizonSeconds;
    private const int MinRungs = 2;
    private const int MinApprovalSeconds = 60;
    private const int MaxApprovalSeconds = 30 * 86_400;

    /// <summary>Checks a definition.</summary>
    /// <returns>Every fault; empty for a valid definition.</returns>
    public static IReadOnlyList<InputError> Validate(FleetDefinition definition)
    {
        var errors = new List<InputError>();
        ValidateName(definition.DisplayName, errors);
        ValidateSolving(definition.Solving, errors);
        foreach (var (i, type) in definition.TaskTypes.Index())
        {
            if (type is not null && !Identifiers.IsTaskType(type.Id))
                errors.Add(new($"/taskTypes/{i}/id", $"must match {Identifiers.TaskTypePattern}"));
        }

        ValidateAliases(definition.TaskTypes, errors);
        if (definition.TaskTypes.Count > MaxTaskTypes)
            errors.Add(new("/taskTypes", $"must have at most {MaxTaskTypes} task types"));
        else
            errors.AddRange(
                ProblemFaults(definition).Where(fault => !errors.Exists(known => known.Pointer == fault.Pointer))
            );
        if (errors.Count == 0 && definition.Actuator is { } actuator)
            ValidateActuator(actuator, definition.TaskTypes, errors);
        return errors;
    }

    // A definition is a problem with a name and a timetable; what a problem must keep is said there.
    private static IEnumerable<InputError> ProblemFaults(FleetDefinition definition) =>
        ProblemValidation
            .Validate(ProblemBuilder.OfDefinition(definition))
            .Select(fault => fault with { Pointer = InDefinition(fault.Pointer) });

    private static string InDefinition(string pointer)
    {
        var isObjective =
            pointer
            is "/accuracyWeight"
                or "/maxUtilization"
                or "/meanTokenBudget"
                or "/maxMeanSystemTimeSeconds"
                or "/maxInterTokenSeconds"
                or "/maxTimeToFirstAnswerTokenSeconds";
        return isObjective ? $"/objective{pointer}" : pointer;
    }

    private static void ValidateName(string name, List<InputError> errors)
    {
        if (string.IsNullOrWhiteSpace(name) || name.Length > MaxNameLength)
            errors.Add(new("/displayName", $"must have 1 to {MaxNameLength} characters that are not all white space"));
        else if (name.Any(char.IsControl))
            errors.Add(new("/displayName", "must have no control characters"));
    }

    private static void ValidateAliases(IReadOnlyList<TaskType> taskTypes, List<InputError> errors)
    {
        var ids = taskTypes.Select(type => type?.Id).OfType<string>();
        var names = new HashSet<string>(ids, StringComparer.Ordinal);
        foreach (var (i, type) in taskTypes.Index())
        {
            var aliases = type?.Aliases ?? [];
            if (aliases.Count > MaxAliases)
                errors.Add(new($"/taskTypes/{i}/aliases", $"must have at most {MaxAliases} names"));
            foreach (var (j, alias) in aliases.Index())
            {
                var pointer = $"/taskTypes/{i}/aliases/{j}";
                if (!Identifiers.IsTaskType(alias))
                    errors.Add(new(pointer, $"must match {Identifiers.TaskTypePattern}"));
                else if (!names.Add(alias))
                    errors.Add(new(pointer, $"repeats \"{alias}\", an id or another alias of the definition"));
            }
        }
    }

    private static void ValidateActuator(Actuator actuator, IReadOnlyList<TaskType> taskTypes, List<InputError> errors)
    {
        const string Pointer = "/actuator/allowed";
        if (actuator.Allowed.Count is 0 or > Actuator.MostRanges)
            errors.Add(new(Pointer, $"must have 1 to {Actuator.MostRanges} ranges"));
        var last = -1L;
        foreach (var (i, range) in actuator.Allowed.Index())
        {
            if (range is null)
                errors.Add(new($"{Pointer}/{i}", "must be a range, not null"));
            else if (range.Min <= last || range.Max < range.Min)
                errors.Add(
                    new(
                        $"{Pointer}/{i}",
                        "must have a min above the max before it, at least 0, and a max of at least its min"
                    )
                );
            else if (
                range.Name is { } name
                && (name.Length is 0 or > MaxLevelLength || name.Any(char.IsControl) || range.Min != range.Max)
            )
                errors.Add(
                    new(
                        $"{Pointer}/{i}/name",
                        $"must have 1 to {MaxLevelLength} characters, none of them control characters, and belong to one number: min and max must be equal"
                    )
                );
            last = range?.Max ?? last;
        }

        if (errors.Count > 0)
            return;
        foreach (var (i, type) in taskTypes.Index())
        {
            if (!actuator.Allowed.Any(it => it.Max >= type.MinTokens && it.Min <= type.MaxTokens))
                errors.Add(new($"/taskTypes/{i}", "must allow a number of tokens that the actuator allows"));
        }
    }

    private static void ValidateSolving(SolvingPolicy solving, List<InputError> errors)
    {
        if (solving.EverySeconds is < 1 or > MaxEverySeconds)
            errors.Add(new("/solving/everySeconds", $"must be 1 to {MaxEverySeconds}"));
        if (solving.HorizonSeconds is < MinHorizonSeconds or > MaxHorizonSeconds)
            errors.Add(new("/solving/horizonSeconds", $"must be {MinHorizonSeconds} to {MaxHorizonSeconds}"));
        if (!(solving.MinimumGain >= 0 && double.IsFinite(solving.MinimumGain)))
            errors.Add(new("/solving/minimumGain", "must be a finite number of at least 0"));
        if (!(solving.Step >= 1 && solving.Step <= SolvingPolicy.LargestStep))
            errors.Add(new("/solving/maxStep", $"must be 1 to {SolvingPolicy.LargestStep}"));
        if (!(solving.RateProbability >= LeastRateProbability && solving.RateProbability <= MostRateProbability))
            errors.Add(new("/solving/arrivalRateQuantile", $"must be {LeastRateProbability} to {MostRateProbability}"));
        if (solving.ForecastDays is < 0 or > SolvingPolicy.MostForecastDays)
            errors.Add(new("/solving/forecastDays", $"must be 0 to {SolvingPolicy.MostForecastDays}"));
        if (solving.ApprovalSeconds is < MinApprovalSeconds or > MaxApprovalSeconds)
            errors.Add(
                new("/solving/approvalSeconds", $"must be {MinApprovalSeconds} to {MaxApprovalSeconds}, or null")
            );
        if (solving.Ladder is { Rungs: < MinRungs or > SurgeLadder.MostRungs })
            errors.Add(new("/solving/ladder/rungs", $"must be {MinRungs} to {SurgeLadder.MostRungs}"));
    }
}
