using Platform.Domain.Allocation;
using Platform.Domain.Fleets;

namespace Platform.Cli.Demo;

/// <summary>How a task type of a simulated fleet really behaves; the platform is never told.</summary>
/// <param name="Service">True service line, against the tokens used.</param>
/// <param name="Accuracy">True accuracy curve, against the tokens granted.</param>
internal sealed record TaskTruth(ServiceLine Service, AccuracyCurve Accuracy)
{
    /// <summary>
    /// Part of the base time that is exponentially distributed, as waiting for a batch is; the rest and the tokens take
    /// what they take.
    /// </summary>
    private const double Scattered = 0.3;

    /// <summary>Variance of a query's service time around the line, in seconds².</summary>
    public double VarianceSecondsSquared => Math.Pow(Scattered * Service.BaseSeconds, 2);

    /// <summary>The line against the tokens granted, of which a part is used, with its scatter.</summary>
    public ServiceLine MeanService =>
        new(Service.BaseSeconds, Service.SecondsPerToken * TokenUse.Mean, VarianceSecondsSquared);

    /// <summary>Time of a query on a server with a queue.</summary>
    /// <param name="used">Tokens used.</param>
    /// <param name="draw">Uniform in [0, 1).</param>
    public double ServiceSeconds(long used, double draw) =>
        (Service.BaseSeconds * (1 - Scattered - (Scattered * Math.Log(1 - draw)))) + (Service.SecondsPerToken * used);

    /// <summary>Probability of a right answer.</summary>
    public double AccuracyAt(long granted) =>
        Accuracy.Floor + (Accuracy.Gain * (1 - Math.Exp(-Accuracy.RatePerToken * granted)));
}

/// <summary>A demo fleet, scaled to how busy its part of the trace is.</summary>
internal sealed record FleetPlan
{
    public required FleetTemplate Template { get; init; }

    /// <summary>Tokens by which the fleet is scaled: what its team would grant to every query.</summary>
    public required int PolicyTokens { get; init; }

    /// <summary>What it runs, where its servers batch; null for FIFO queues.</summary>
    public required BatchedModel? Model { get; init; }

    /// <summary>What its team registers: the priors are off the truth by up to two fifths.</summary>
    public required FleetDefinition Definition { get; init; }

    /// <summary>What its task types are like, in the order of the definition.</summary>
    public required TaskTruth[] Truth { get; init; }

    /// <summary>
    /// The problem that the platform would solve if it knew the truth and the trace: a token granted costs what a token
    /// used does, times the part that is used.
    /// </summary>
    public required AllocationProblem TrueProblem { get; init; }

    /// <summary>The task type that takes each shape.</summary>
    public required int[] TaskOfShape { get; init; }

    /// <summary>An allocation's tokens in the order of the definition.</summary>
    public IReadOnlyList<long> TokensOf(IReadOnlyList<TaskAllocation> allocation)
    {
        var tokens = allocation.ToDictionary(task => task.TaskType, task => task.Tokens);
        return Array.ConvertAll(Template.Tasks, task => tokens[task.Id]);
    }

    /// <summary>
    /// The objective of an allocation by the formulas and the truth; null where the queue would be unstable. A limit on
    /// utilization is left out: an estimate that is right to within a hair breaks it by a hair.
    /// </summary>
    public double? TrueObjective(IReadOnlyList<long> tokens)
    {
        var objective = AllocationSolver.Objective(TrueProblem with { MaxUtilization = null }, [.. tokens]);
        return double.IsFinite(objective) ? objective : null;
    }

    /// <summary>
    /// What a team would grant that takes a server which batches for one with a queue: as many servers as there are
    /// slots, each query as slow as it is seen to be with the policy's tokens for all. Null where the servers have
    /// queues, or none can be found.
    /// </summary>
    public IReadOnlyList<long>? TokensBySplit()
    {
        if (Model is not { } model)
            return null;
        var slowing = 1 / (1 - Template.Utilization);
        var split = AllocationSolver.Solve(
            TrueProblem with
            {
                Dispatch = Dispatch.Split,
                Sharing = null,
                Servers = Template.Servers * model.MaxInService,
                TaskTypes =
                [
                    .. TrueProblem.TaskTypes.Select(type =>
                        type with
                        {
                            Service = new(type.Service.BaseSeconds * slowing, type.Service.SecondsPerToken * slowing),
                        }
                    ),
                ],
            }
        );
        return split.Allocation?.Select(type => type.Tokens).ToArray();
    }

    /// <summary>Scales a template so that its policy tokens for all give the template's utilization.</summary>
    /// <param name="template">The fleet.</param>
    /// <param name="requestsOfShape">Its requests in the trace, by shape.</param>
    /// <param name="length">Length of the trace.</param>
    /// <param name="seed">Seed of what the team gets wrong.</param>
    public static FleetPlan Create(
        FleetTemplate template,
        IReadOnlyList<int> requestsOfShape,
        TimeSpan length,
        int seed
    )
    {
        var requests = Math.Max(requestsOfShape.Sum(), 1);
        var rate = requests / length.TotalSeconds;
        var taskOfShape = Enumerable
            .Range(0, RequestShapes.Count)
            .Select(shape => Array.FindIndex(template.Tasks, task => task.Shapes.Contains((RequestShape)shape)))
            .ToArray();
        var shares = SharesOf(requestsOfShape, taskOfShape, template.Tasks.Length);
        var scale = template.Model is null
            ? FleetScale.OfTimes(template, shares, rate)
            : FleetScale.OfTokens(template, shares, rate);
        var definition = DefinitionOf(template, scale, rate, length, new Random(seed));
        return new FleetPlan
        {
            Template = template,
            PolicyTokens = scale.PolicyTokens,
            Model = scale.Model,
            Truth = scale.Truth,
            TrueProblem = TrueProblemOf(scale, definition, rate, shares),
            TaskOfShape = taskOfShape,
            Definition = definition,
        };
    }

    private static double[] SharesOf(IReadOnlyList<int> requestsOfShape, int[] taskOfShape, int tasks)
    {
        var requestsOfTask = new double[tasks];
        foreach (var (shape, requests) in requestsOfShape.Index())
            requestsOfTask[taskOfShape[shape]] += requests;
        return Array.ConvertAll(requestsOfTask, requests => requests / Math.Max(requestsOfShape.Sum(), 1));
    }

    private static AllocationProblem TrueProblemOf(
        FleetScale scale,
        FleetDefinition definition,
        double rate,
        double[] shares
    )
    {
        var truth = scale.Truth;
        var types = definition.TaskTypes.Select(
            (type, i) =>
                type with
                {
                    Share = shares[i],
                    Service = scale.Model is null ? truth[i].MeanService : truth[i].Service,
                    Accuracy = truth[i].Accuracy,
                }
        );
        return new()
        {
            ArrivalRate = rate,
            Servers = definition.Servers,
            Dispatch = definition.Dispatch,
            Sharing = scale.Model is { } model ? new(model.OverheadSeconds, model.MaxInService) : null,
            AccuracyWeight = definition.Objective.AccuracyWeight,
            MaxUtilization = definition.Objective.MaxUtilization,
            TaskTypes = [.. types],
        };
    }

    private static FleetDefinition DefinitionOf(
        FleetTemplate template,
        FleetScale scale,
        double rate,
        TimeSpan length,
        Random random
    )
    {
        var arrivalRate = Guess(rate, 0.2, random);
        var sharing = scale.Model is { } model
            ? new SharingServer(Guess(model.OverheadSeconds, 0.1, random), model.MaxInService)
            : null;
        return new()
        {
            DisplayName = template.DisplayName,
            Servers = template.Servers,
            Dispatch = template.Dispatch,
            Sharing = sharing,
            Objective = new FleetObjective
            {
                AccuracyWeight = Rounded(template.AccuracyWorth * scale.MeanSeconds),
                MaxUtilization = template.MaxUtilization,
            },
            ArrivalRate = arrivalRate,
            TaskTypes = [.. template.Tasks.Select((task, i) => PriorOf(sharing, task, scale, i, random))],
            Solving = new SolvingPolicy
            {
                EverySeconds = template.EverySeconds,
                // Evidence counts in full up to half the horizon: the whole trace does, while the demo runs and half an
                // hour longer.
                HorizonSeconds = (int)Math.Clamp((2 * length.TotalSeconds) + 3_600, 3_600, 604_800),
            },
        };
    }

    private static TaskType PriorOf(
        SharingServer? sharing,
        TaskTemplate task,
        FleetScale scale,
        int index,
        Random random
    )
    {
        var truth = scale.Truth[index];
        var service = scale.Model is null
            ? PriorLineOf(truth.Service, random)
            : BatchedPriorOf(scale.Model, sharing!.OverheadSecondsPerToken!.Value, task, random);
        var floor = Guess(truth.Accuracy.Floor, 0.1, random);
        var gain = Math.Min(Guess(truth.Accuracy.Gain, 0.2, random), Rounded(1 - floor));
        return new TaskType
        {
            Id = task.Id,
            Share = task.Share,
            MaxTokens = 16L * scale.PolicyTokens,
            AnswerTokens = task.AnswerTokens,
            Service = service,
            Accuracy = new AccuracyCurve(floor, gain, Guess(truth.Accuracy.RatePerToken, 0.4, random)),
        };
    }

    private static ServiceLine PriorLineOf(ServiceLine truth, Random random) =>
        new(Guess(truth.BaseSeconds, 0.3, random), Guess(truth.SecondsPerToken, 0.3, random));

    /// <summary>
    /// A team knows how long its answers are, and what the tokens add to an iteration to within a third.
    /// </summary>
    private static ServiceLine BatchedPriorOf(BatchedModel model, double overhead, TaskTemplate task, Random random)
    {
        var perToken = overhead + Guess(model.SecondsPerToken, 0.3, random);
        var prompt = task.PromptTokens * Guess(model.SecondsPerPromptToken, 0.3, random);
        return new ServiceLine(prompt + (task.AnswerTokens * perToken), perToken);
    }

    private static double Guess(double truth, double spread, Random random) =>
        Rounded(truth * (1 - spread + (2 * spread * random.NextDouble())));

    /// <summary>Three significant digits: nobody knows a prior better, and definitions stay legible.</summary>
    private static double Rounded(double value) => double.Parse(value.ToString("G3"));
}
