using System.Text.Json.Serialization;
using Platform.Domain.Allocation;

namespace Platform.Domain.Snapshots;

/// <summary>What a change of an allocation is put down to: groups of a problem's numbers that have one cause.</summary>
public enum ProblemInput
{
    /// <summary>λ.</summary>
    ArrivalRate,

    /// <summary>The task types' shares of the arrivals.</summary>
    Mix,

    /// <summary>
    /// The service lines, their variance, the answers' tokens and the part of an iteration that is shared.
    /// </summary>
    Service,

    /// <summary>The accuracy curves.</summary>
    Accuracy,

    /// <summary>
    /// What is wanted: accuracy weight, the types' weights, limits, token bounds and accuracy floors.
    /// </summary>
    Objective,

    /// <summary>Number of servers, how queries find one, and the most that are in service at once.</summary>
    Servers,

    /// <summary>Which task types there are.</summary>
    TaskTypes,

    /// <summary>
    /// The arithmetic: what the program's solver answers otherwise than the one that gave a stored solution.
    /// </summary>
    Solver,
}

/// <summary>Where the inputs of a problem come from: what moves together has one cause.</summary>
public enum ChangeCause
{
    /// <summary>
    /// What arrives: how much (<see cref="ProblemInput.ArrivalRate"/>) and of which kind
    /// (<see cref="ProblemInput.Mix"/>).
    /// </summary>
    Traffic,

    /// <summary>How long the servers take.</summary>
    Service,

    /// <summary>What tokens are worth.</summary>
    Accuracy,

    /// <summary>What the team has set in the definition: objective and limits, servers, task types.</summary>
    Definition,

    /// <summary>The arithmetic.</summary>
    Solver,
}

/// <summary>The cause of each input.</summary>
internal static class ChangeCauses
{
    /// <summary>The cause that moves an input.</summary>
    public static ChangeCause Find(ProblemInput input) =>
        input switch
        {
            ProblemInput.ArrivalRate or ProblemInput.Mix => ChangeCause.Traffic,
            ProblemInput.Service => ChangeCause.Service,
            ProblemInput.Accuracy => ChangeCause.Accuracy,
            ProblemInput.Solver => ChangeCause.Solver,
            _ => ChangeCause.Definition,
        };
}

/// <summary>One number, or word, of a problem that differs.</summary>
/// <param name="Input">The group that it is in.</param>
/// <param name="Pointer">JSON Pointer into the later problem; into the earlier one for a task type that only that
/// has.</param>
/// <param name="TaskType">The task type that it is of; null when it is the problem's own.</param>
/// <param name="From">What it was; null for none.</param>
/// <param name="To">What it is; null for none.</param>
public sealed record ParameterChange(
    [property: JsonIgnore] ProblemInput Input,
    string Pointer,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? TaskType,
    object? From,
    object? To
)
{
    /// <summary>
    /// Difference of the two numbers over the larger of them, 0 to 2; 1 where one of the two is no number.
    /// </summary>
    [JsonIgnore]
    public double Relative =>
        Number(From) is { } from && Number(To) is { } to
            ? Math.Abs(to - from) / Math.Max(Math.Abs(from), Math.Abs(to))
            : 1;

    private static double? Number(object? value) =>
        value switch
        {
            double number => number,
            long number => number,
            int number => number,
            _ => null,
        };
}

/// <summary>A problem's numbers one by one, each in its group.</summary>
internal static class ProblemParameters
{
    private static readonly (ProblemInput Input, string Pointer, Func<AllocationProblem, object?> Value)[] OfProblem =
    [
        (ProblemInput.ArrivalRate, "/arrivalRate", problem => problem.ArrivalRate),
        (ProblemInput.Servers, "/servers", problem => problem.Servers),
        (ProblemInput.Servers, "/dispatch", problem => problem.Dispatch),
        (ProblemInput.Service, "/sharing/overheadSecondsPerToken", problem => problem.Sharing?.OverheadSecondsPerToken),
        (ProblemInput.Servers, "/sharing/maxInService", problem => problem.Sharing?.MaxInService),
        (ProblemInput.Objective, "/accuracyWeight", problem => problem.AccuracyWeight),
        (ProblemInput.Objective, "/maxUtilization", problem => problem.MaxUtilization),
        (ProblemInput.Objective, "/meanTokenBudget", problem => problem.MeanTokenBudget),
        (ProblemInput.Objective, "/maxMeanSystemTimeSeconds", problem => problem.MaxMeanSystemTimeSeconds),
        (ProblemInput.Objective, "/maxInterTokenSeconds", problem => problem.MaxInterTokenSeconds),
        (
            ProblemInput.Objective,
            "/maxTimeToFirstAnswerTokenSeconds",
            problem => problem.MaxTimeToFirstAnswerTokenSeconds
        ),
    ];

    private static readonly (ProblemInput Input, string Pointer, Func<TaskType, object?> Value)[] OfTaskType =
    [
        (ProblemInput.Mix, "/share", type => type.Share),
        (ProblemInput.Objective, "/weight", type => type.Weight),
        (ProblemInput.Objective, "/minTokens", type => type.MinTokens),
        (ProblemInput.Objective, "/maxTokens", type => type.MaxTokens),
        (ProblemInput.Objective, "/accuracyFloor", type => type.AccuracyFloor),
        (ProblemInput.Service, "/service/baseSeconds", type => type.Service.BaseSeconds),
        (ProblemInput.Service, "/service/secondsPerToken", type => type.Service.SecondsPerToken),
        (ProblemInput.Service, "/service/varianceSecondsSquared", type => type.Service.VarianceSecondsSquared),
        (ProblemInput.Service, "/service/secondsPerTokenSquared", type => type.Service.SecondsPerTokenSquared),
        (ProblemInput.Service, "/answerTokens", type => type.AnswerTokens),
        (ProblemInput.Accuracy, "/accuracy/floor", type => type.Accuracy.Floor),
        (ProblemInput.Accuracy, "/accuracy/gain", type => type.Accuracy.Gain),
        (ProblemInput.Accuracy, "/accuracy/ratePerToken", type => type.Accuracy.RatePerToken),
    ];

    /// <summary>
    /// Every parameter that differs, in the order of the later problem; an added or removed task type counts as one.
    /// </summary>
    public static IEnumerable<ParameterChange> Differences(AllocationProblem from, AllocationProblem to) =>
        OfProblem
            .Select(parameter => new ParameterChange(
                parameter.Input,
                parameter.Pointer,
                null,
                parameter.Value(from),
                parameter.Value(to)
            ))
            .Where(Differs)
            .Concat(OfTaskTypes(from.TaskTypes, to.TaskTypes));

    private static IEnumerable<ParameterChange> OfTaskTypes(IReadOnlyList<TaskType> from, IReadOnlyList<TaskType> to)
    {
        var before = from.ToDictionary(type => type.Id, StringComparer.Ordinal);
        foreach (var (i, type) in to.Index())
        {
            if (!before.Remove(type.Id, out var old))
                yield return new ParameterChange(ProblemInput.TaskTypes, $"/taskTypes/{i}", type.Id, null, type);
            else
            {
                foreach (var (input, pointer, value) in OfTaskType)
                {
                    if (
                        new ParameterChange(input, $"/taskTypes/{i}{pointer}", type.Id, value(old), value(type))
                            is var change
                        && Differs(change)
                    )
                        yield return change;
                }
            }
        }

        foreach (var (i, type) in from.Index().Where(type => before.ContainsKey(type.Item.Id)))
            yield return new ParameterChange(ProblemInput.TaskTypes, $"/taskTypes/{i}", type.Id, type, null);

        // Sums are formed in the problem's order, and the last bit of them may decide between two equally good tokens.
        if (
            before.Count == 0
            && from.Count == to.Count
            && !from.Select(type => type.Id).SequenceEqual(to.Select(type => type.Id), StringComparer.Ordinal)
        )
            yield return new ParameterChange(ProblemInput.TaskTypes, "/taskTypes", null, Ids(from), Ids(to));
    }

    private static bool Differs(ParameterChange change) => !Equals(change.From, change.To);

    private static string[] Ids(IReadOnlyList<TaskType> types) => [.. types.Select(type => type.Id)];
}
