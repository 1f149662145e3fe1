using System.Globalization;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;

namespace Platform.Domain.Planning;

/// <summary>Puts what is to be otherwise over a problem.</summary>
public static class WhatIfProblem
{
    private static readonly string[] ObjectiveMembers =
    [
        nameof(WhatIfObjective.AccuracyWeight),
        nameof(WhatIfObjective.MaxUtilization),
        nameof(WhatIfObjective.MeanTokenBudget),
        nameof(WhatIfObjective.MaxMeanSystemTimeSeconds),
        nameof(WhatIfObjective.MaxInterTokenSeconds),
        nameof(WhatIfObjective.MaxTimeToFirstAnswerTokenSeconds),
    ];

    /// <summary>The problem that it comes to.</summary>
    /// <param name="current">The fleet's problem as it is, valid.</param>
    /// <param name="whatIf">What is to be otherwise.</param>
    /// <param name="problem">The problem; of no use when there is a fault.</param>
    /// <returns>Every fault, with pointers into <paramref name="whatIf"/>; empty when there is none.</returns>
    public static IReadOnlyList<InputError> Build(
        AllocationProblem current,
        WhatIf whatIf,
        out AllocationProblem problem
    )
    {
        problem = current;
        var known = current.TaskTypes.Select(type => type.Id).ToHashSet(StringComparer.Ordinal);
        List<InputError> faults = [.. OfFleet(whatIf), .. OfTaskTypes(whatIf.TaskTypes, known)];
        if (faults.Count > 0)
            return faults;
        var types = Merge(current.TaskTypes, whatIf.TaskTypes);
        if (types.Count > FleetDefinitionValidation.MaxTaskTypes)
            return
            [
                new InputError("/taskTypes", $"must leave at most {FleetDefinitionValidation.MaxTaskTypes} task types"),
            ];
        if (Share(types, whatIf.TaskTypes) is { } fault)
            return [fault];
        problem = OnItsDispatch(whatIf.ApplyFleet(current) with { TaskTypes = types }, whatIf);
        return
        [
            .. ProblemValidation
                .Validate(problem)
                .Select(it => it with { Pointer = InWhatIf(it.Pointer, whatIf, types) }),
        ];
    }

    /// <summary>
    /// A change of the discipline takes along what it needs and leaves behind what it does not know: α by the least
    /// seconds a token where nobody says it, and the limits and figures of sharing where nobody asks for them.
    /// </summary>
    private static AllocationProblem OnItsDispatch(AllocationProblem problem, WhatIf whatIf)
    {
        if (problem.Dispatch == Dispatch.Sharing)
            return problem with { Sharing = ProblemBuilder.Completed(problem.Sharing, problem.TaskTypes) };
        return whatIf.Gives(nameof(WhatIf.Dispatch)) ? WithoutSharing(problem, whatIf) : problem;
    }

    private static AllocationProblem WithoutSharing(AllocationProblem problem, WhatIf whatIf)
    {
        var interToken = Asks(nameof(WhatIf.MaxInterTokenSeconds)) ? problem.MaxInterTokenSeconds : null;
        var firstAnswer = Asks(nameof(WhatIf.MaxTimeToFirstAnswerTokenSeconds))
            ? problem.MaxTimeToFirstAnswerTokenSeconds
            : null;
        return SharingHybrid.WithoutSquares(
            problem with
            {
                Sharing = whatIf.Gives(nameof(WhatIf.Sharing)) ? problem.Sharing : null,
                MaxInterTokenSeconds = interToken,
                MaxTimeToFirstAnswerTokenSeconds = firstAnswer,
            }
        );

        bool Asks(string member) => whatIf.Gives(member) || whatIf.Objective.Gives(member);
    }

    private static IEnumerable<InputError> OfFleet(WhatIf whatIf)
    {
        if (whatIf.Gives(nameof(WhatIf.ArrivalRate)) && whatIf.Gives(nameof(WhatIf.ArrivalRateFactor)))
            yield return new InputError("/arrivalRateFactor", "must not be given together with arrivalRate");
        foreach (var member in ObjectiveMembers.Where(member => whatIf.Gives(member) && whatIf.Objective.Gives(member)))
            yield return new InputError($"/objective/{JsonName(member)}", "is given at the top too");
    }

    private static IEnumerable<InputError> OfTaskTypes(IReadOnlyList<WhatIfTaskType> parts, HashSet<string> known)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, part) in parts.Index())
        {
            if (part is null)
                yield return new InputError($"/taskTypes/{i}", "must be an object, not null");
            else if (!seen.Add(part.Id))
                yield return new InputError($"/taskTypes/{i}/id", $"repeats \"{part.Id}\"");
            else
            {
                foreach (var fault in OfTaskType(part, known.Contains(part.Id)))
                    yield return fault with
                    {
                        Pointer = $"/taskTypes/{i}{fault.Pointer}",
                    };
            }
        }
    }

    private static IEnumerable<InputError> OfTaskType(WhatIfTaskType part, bool known)
    {
        if (part.Remove && !known)
            yield return new InputError("/id", "is no task type of the fleet");
        else if (part.Remove && !part.GivesOnly(nameof(part.Id), nameof(part.Remove)))
            yield return new InputError("/remove", "must not be given together with anything but the id");
        else if (!known && !Identifiers.IsTaskType(part.Id))
            yield return new InputError("/id", $"must match {Identifiers.TaskTypePattern}");
        else if (!known)
        {
            foreach (var pointer in part.Missing())
                yield return new InputError(pointer, "must be given for a task type that the fleet does not have");
        }
    }

    private static List<TaskType> Merge(IReadOnlyList<TaskType> current, IReadOnlyList<WhatIfTaskType> parts)
    {
        var byId = parts.ToDictionary(part => part.Id, StringComparer.Ordinal);
        List<TaskType> types = [];
        foreach (var type in current)
        {
            if (!byId.Remove(type.Id, out var part))
                types.Add(type);
            else if (!part.Remove)
                types.Add(part.Apply(type));
        }

        types.AddRange(parts.Where(part => byId.ContainsKey(part.Id)).Select(part => part.Apply(null)));
        return types;
    }

    /// <summary>
    /// Scales the shares that were not given so that all sum to 1; gives what makes that impossible, or null.
    /// </summary>
    private static InputError? Share(List<TaskType> types, IReadOnlyList<WhatIfTaskType> parts)
    {
        if (!parts.Any(part => part.Remove || part.Gives(nameof(part.Share))))
            return null;
        var given = parts
            .Where(part => part.Gives(nameof(part.Share)))
            .Select(part => part.Id)
            .ToHashSet(StringComparer.Ordinal);
        var taken = types.Where(type => given.Contains(type.Id)).Sum(type => type.Share);
        var rest = types.Where(type => !given.Contains(type.Id)).Sum(type => type.Share);
        if (
            !(taken <= 1 + ProblemValidation.ShareTolerance)
            || (rest == 0 && !(taken >= 1 - ProblemValidation.ShareTolerance))
        )
        {
            return new InputError(
                "/taskTypes",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"the shares given sum to {taken}, which leaves {(rest == 0 ? "a part to nobody" : "less than nothing to the others")}"
                )
            );
        }

        for (var k = 0; k < types.Count; k++)
        {
            if (!given.Contains(types[k].Id))
                types[k] = types[k] with { Share = rest == 0 ? 0 : types[k].Share / rest * Math.Max(1 - taken, 0) };
        }

        return null;
    }

    /// <summary>A pointer into the problem as one into what was sent.</summary>
    private static string InWhatIf(string pointer, WhatIf whatIf, List<TaskType> types)
    {
        var steps = pointer.Split('/');
        if (
            steps is ["", "taskTypes", var k, ..]
            && whatIf
                .TaskTypes.Index()
                .Where(part => part.Item.Id == types[int.Parse(k, CultureInfo.InvariantCulture)].Id)
                .ToList()
                is var parts
        )
            return parts.Count == 0
                ? "/taskTypes"
                : $"/taskTypes/{string.Join('/', steps[3..].Prepend(parts[0].Index.ToString(CultureInfo.InvariantCulture)))}";
        if (pointer == "/arrivalRate" && whatIf.Gives(nameof(WhatIf.ArrivalRateFactor)))
            return "/arrivalRateFactor";
        return ObjectiveMembers.Any(member => pointer == $"/{JsonName(member)}" && whatIf.Objective.Gives(member))
            ? $"/objective{pointer}"
            : pointer;
    }

    private static string JsonName(string member) => $"{char.ToLowerInvariant(member[0])}{member[1..]}";
}
