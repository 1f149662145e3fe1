using Platform.Domain.Allocation;

namespace Platform.Domain.Snapshots;

/// <summary>Problems between two: some inputs of the one, the rest of the other.</summary>
internal sealed class HybridProblems(AllocationProblem from, AllocationProblem to)
{
    private readonly Dictionary<string, TaskType> _from = from.TaskTypes.ToDictionary(
        type => type.Id,
        StringComparer.Ordinal
    );
    private readonly Dictionary<string, TaskType> _to = to.TaskTypes.ToDictionary(
        type => type.Id,
        StringComparer.Ordinal
    );

    /// <summary>
    /// The problem in which some inputs have moved and the others have not. A task type that one side lacks is as the
    /// other has it.
    /// </summary>
    /// <param name="moved">The inputs that are those of the later problem.</param>
    public AllocationProblem Take(IReadOnlySet<ProblemInput> moved)
    {
        var types = Of(ProblemInput.TaskTypes).TaskTypes;
        var shares = Shares(types, TypesOf(ProblemInput.Mix));
        var (service, accuracy, objective) = (
            TypesOf(ProblemInput.Service),
            TypesOf(ProblemInput.Accuracy),
            TypesOf(ProblemInput.Objective)
        );
        var hybrid = Of(ProblemInput.Objective) with
        {
            ArrivalRate = Of(ProblemInput.ArrivalRate).ArrivalRate,
            Servers = Of(ProblemInput.Servers).Servers,
            Dispatch = Of(ProblemInput.Servers).Dispatch,
            Sharing = Sharing(),
            TaskTypes =
            [
                .. types.Select(
                    (type, k) =>
                        objective.GetValueOrDefault(type.Id, type) with
                        {
                            Share = shares[k],
                            Service = service.GetValueOrDefault(type.Id, type).Service,
                            AnswerTokens = service.GetValueOrDefault(type.Id, type).AnswerTokens,
                            Accuracy = accuracy.GetValueOrDefault(type.Id, type).Accuracy,
                        }
                ),
            ],
        };
        return SharingHybrid.Reconciled(hybrid);

        AllocationProblem Of(ProblemInput input) => moved.Contains(input) ? to : from;
        Dictionary<string, TaskType> TypesOf(ProblemInput input) => moved.Contains(input) ? _to : _from;

        SharingServer? Sharing() => SharingHybrid.Server(Of(ProblemInput.Servers), Of(ProblemInput.Service));
    }

    /// <summary>
    /// Shares of task types by a mix that may be of others: a type that the mix does not know keeps its own share, the
    /// others have what is left in the mix's proportions.
    /// </summary>
    private static double[] Shares(IReadOnlyList<TaskType> types, Dictionary<string, TaskType> mix)
    {
        if (types.Count == mix.Count && types.All(type => mix.ContainsKey(type.Id)))
            return [.. types.Select(type => mix[type.Id].Share)];
        var own = types.Where(type => !mix.ContainsKey(type.Id)).Sum(type => type.Share);
        var known = types.Where(type => mix.ContainsKey(type.Id)).Sum(type => mix[type.Id].Share);
        var scale = Math.Max(1 - own, 0) / known;
        return
        [
            .. types.Select(type =>
                known > 0 && mix.TryGetValue(type.Id, out var mixed) ? mixed.Share * scale : type.Share
            ),
        ];
    }
}
