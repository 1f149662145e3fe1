using Platform.Domain.Allocation;
using static Platform.Cli.Demo.RequestShape;

namespace Platform.Cli.Demo;

/// <summary>A task type of a demo fleet, in units that do not depend on how busy the trace is.</summary>
/// <param name="Id">The task type's id.</param>
/// <param name="Shapes">The requests that are taken for it.</param>
/// <param name="Share">The share of the arrivals that the team expects; the trace may say otherwise.</param>
/// <param name="Base">True time without reasoning, as a part of the time that the policy's budget takes.</param>
/// <param name="Slope">True time of a token against the fleet's mean.</param>
/// <param name="Floor">True accuracy without reasoning.</param>
/// <param name="Gain">What endless reasoning adds to it.</param>
/// <param name="Ease">
/// True rate of the accuracy curve, times the policy's budget: 3 is nearly saturated there, 0.5 is far from it.
/// </param>
internal sealed record TaskTemplate(
    string Id,
    RequestShape[] Shapes,
    double Share,
    double Base,
    double Slope,
    double Floor,
    double Gain,
    double Ease
)
{
    /// <summary>
    /// Tokens of its prompts, of a fleet that batches: there its times come from the model, not from base and slope.
    /// </summary>
    public int PromptTokens { get; init; }

    /// <summary>Mean tokens of its answers, of a fleet that batches.</summary>
    public int AnswerTokens { get; init; }

    /// <summary>A task type of a fleet that batches.</summary>
    public static TaskTemplate Batched(
        string id,
        RequestShape[] shapes,
        double share,
        int promptTokens,
        int answerTokens,
        double floor,
        double gain,
        double ease
    ) => new(id, shapes, share, 0, 1, floor, gain, ease) { PromptTokens = promptTokens, AnswerTokens = answerTokens };
}

/// <summary>A model on a server that batches, as it was measured.</summary>
/// <param name="OverheadSeconds">α, seconds of an iteration that all queries in service share.</param>
/// <param name="SecondsPerToken">δ, seconds that an output token adds to its iteration.</param>
/// <param name="SecondsPerPromptToken">γ, seconds that a prompt token adds to the iteration that processes it.</param>
/// <param name="MaxInService">Most queries in service at once.</param>
internal sealed record BatchedModel(
    double OverheadSeconds,
    double SecondsPerToken,
    double SecondsPerPromptToken,
    int MaxInService
)
{
    /// <summary>The same model on a machine that takes a part of the time for everything.</summary>
    public BatchedModel Times(double part) =>
        new(part * OverheadSeconds, part * SecondsPerToken, part * SecondsPerPromptToken, MaxInService);
}

/// <summary>A demo fleet before the trace has said how busy it is.</summary>
internal sealed record FleetTemplate
{
    public required string Id { get; init; }

    public required string DisplayName { get; init; }

    /// <summary>Which of the demo's tenants owns it.</summary>
    public required int Tenant { get; init; }

    public required int Servers { get; init; }

    public Dispatch Dispatch { get; init; } = Dispatch.Split;

    /// <summary>Its part of the trace's requests, relative to the other fleets.</summary>
    public required double Traffic { get; init; }

    /// <summary>What it runs, where its servers batch; null for FIFO queues.</summary>
    public BatchedModel? Model { get; init; }

    /// <summary>
    /// Tokens by which the fleet is scaled: what its team would grant to every query. A model's times are what they
    /// are: where servers batch, these tokens are scaled instead, and this number counts for nothing.
    /// </summary>
    public int PolicyTokens { get; init; }

    /// <summary>
    /// Utilization that its service times, or its tokens, are scaled to, with its policy's tokens for all.
    /// </summary>
    public required double Utilization { get; init; }

    /// <summary>Mean service times that one unit of accuracy is worth.</summary>
    public required double AccuracyWorth { get; init; }

    public double? MaxUtilization { get; init; }

    public required int EverySeconds { get; init; }

    public required TaskTemplate[] Tasks { get; init; }
}

/// <summary>The demo's tenants and fleets.</summary>
internal static class DemoCatalog
{
    /// <summary>The tenants, by the stem of their id and their name.</summary>
    public static readonly (string Id, string DisplayName)[] Tenants =
    [
        ("meridian", "Meridian Support"),
        ("northwind", "Northwind Engineering"),
        ("helios", "Helios Research"),
    ];

    /// <summary>Llama-3.1-8B on one H100 with vLLM.</summary>
    private static readonly BatchedModel Llama8B = new(0.00658, 0.0002, 0.0000194, MaxInService: 256);

    /// <summary>A model of several times that size.</summary>
    private static readonly BatchedModel LargeModel = new(0.0206, 0.00041, 0.00006, MaxInService: 256);

    public static readonly FleetTemplate[] Fleets =
    [
        new()
        {
            Id = "chat-eu",
            DisplayName = "Chat, EU",
            Tenant = 0,
            Servers = 1,
            Traffic = 1.0,
            PolicyTokens = 400,
            Utilization = 0.6,
            AccuracyWorth = 12,
            MaxUtilization = 0.9,
            EverySeconds = 2,
            Tasks =
            [
                new("smalltalk", [ShortBrief], 0.15, 0.2, 0.9, 0.75, 0.2, 4.0),
                new("chat", [ShortLong, MediumLong], 0.45, 0.3, 1.0, 0.45, 0.45, 1.2),
                new("rag", [MediumBrief, LongBrief], 0.3, 0.5, 1.0, 0.55, 0.35, 2.0),
                new("report", [LongLong], 0.1, 0.7, 1.1, 0.2, 0.6, 0.7),
            ],
        },
        new()
        {
            Id = "chat-us",
            DisplayName = "Chat, US",
            Tenant = 0,
            Servers = 2,
            Traffic = 2.0,
            PolicyTokens = 300,
            Utilization = 0.7,
            AccuracyWorth = 6,
            EverySeconds = 3,
            Tasks =
            [
                new("triage", [ShortBrief, MediumBrief], 0.4, 0.2, 0.9, 0.6, 0.35, 3.0),
                new("chat", [ShortLong, MediumLong], 0.4, 0.3, 1.0, 0.4, 0.5, 1.0),
                new("escalation", [LongBrief, LongLong], 0.2, 0.6, 1.1, 0.15, 0.7, 0.8),
            ],
        },
        new()
        {
            Id = "code-assist",
            DisplayName = "Code assistant",
            Tenant = 1,
            Servers = 4,
            Traffic = 3.0,
            PolicyTokens = 800,
            Utilization = 0.5,
            AccuracyWorth = 20,
            MaxUtilization = 0.95,
            EverySeconds = 3,
            Tasks =
            [
                new("completion", [ShortBrief], 0.2, 0.1, 1.0, 0.65, 0.25, 5.0),
                new("explanation", [ShortLong], 0.15, 0.2, 1.0, 0.6, 0.35, 2.0),
                new("bug-fix", [MediumBrief], 0.3, 0.3, 1.0, 0.25, 0.6, 0.9),
                new("test-writing", [MediumLong, LongLong], 0.2, 0.4, 1.1, 0.35, 0.45, 1.4),
                new("code-review", [LongBrief], 0.15, 0.5, 1.1, 0.3, 0.5, 1.1),
            ],
        },
        new()
        {
            Id = "ci-review",
            DisplayName = "Review in CI",
            Tenant = 1,
            Servers = 1,
            Traffic = 0.7,
            PolicyTokens = 1200,
            Utilization = 0.45,
            AccuracyWorth = 30,
            EverySeconds = 5,
            Tasks =
            [
                new("lint", [ShortBrief, ShortLong], 0.3, 0.1, 0.9, 0.8, 0.15, 6.0),
                new("diff-review", [MediumBrief, MediumLong], 0.45, 0.3, 1.0, 0.3, 0.55, 1.3),
                new("security-review", [LongBrief, LongLong], 0.25, 0.5, 1.1, 0.1, 0.75, 0.6),
            ],
        },
        new()
        {
            Id = "math-lab",
            DisplayName = "Mathematics",
            Tenant = 2,
            Servers = 2,
            Traffic = 1.4,
            PolicyTokens = 1600,
            Utilization = 0.55,
            AccuracyWorth = 40,
            MaxUtilization = 0.9,
            EverySeconds = 4,
            Tasks =
            [
                new("arithmetic", [ShortBrief], 0.1, 0.05, 1.0, 0.5, 0.48, 8.0),
                new("word-problem", [ShortLong], 0.2, 0.05, 1.0, 0.35, 0.55, 3.0),
                new("algebra", [MediumBrief], 0.3, 0.1, 1.0, 0.2, 0.65, 1.5),
                new("geometry", [MediumLong], 0.2, 0.1, 1.05, 0.15, 0.65, 1.0),
                new("proof-check", [LongBrief], 0.1, 0.2, 1.05, 0.3, 0.5, 0.9),
                new("proof", [LongLong], 0.1, 0.2, 1.1, 0.05, 0.6, 0.4),
            ],
        },
        new()
        {
            Id = "doc-qa",
            DisplayName = "Questions on documents",
            Tenant = 2,
            Servers = 3,
            Dispatch = Dispatch.Shared,
            Traffic = 2.1,
            PolicyTokens = 250,
            Utilization = 0.75,
            AccuracyWorth = 4,
            EverySeconds = 2,
            Tasks =
            [
                new("lookup", [ShortBrief, MediumBrief], 0.4, 0.4, 1.0, 0.7, 0.25, 3.0),
                new("question", [ShortLong, MediumLong], 0.35, 0.5, 1.0, 0.5, 0.4, 1.5),
                new("extraction", [LongBrief], 0.15, 0.9, 1.0, 0.6, 0.3, 2.0),
                new("summary", [LongLong], 0.1, 1.0, 1.1, 0.45, 0.4, 0.8),
            ],
        },
        new()
        {
            Id = "assistant",
            DisplayName = "Assistant",
            Tenant = 1,
            Servers = 1,
            Dispatch = Dispatch.Sharing,
            Model = Llama8B,
            Traffic = 2.0,
            Utilization = 0.55,
            AccuracyWorth = 8,
            MaxUtilization = 0.9,
            EverySeconds = 3,
            Tasks =
            [
                TaskTemplate.Batched("lookup", [ShortBrief, MediumBrief], 0.35, 600, 60, 0.7, 0.25, 4.0),
                TaskTemplate.Batched("dialogue", [ShortLong, MediumLong], 0.45, 900, 250, 0.4, 0.5, 1.2),
                TaskTemplate.Batched("analysis", [LongBrief, LongLong], 0.2, 3_500, 300, 0.2, 0.65, 0.7),
            ],
        },
        new()
        {
            Id = "agents",
            DisplayName = "Agents",
            Tenant = 2,
            Servers = 1,
            Dispatch = Dispatch.Sharing,
            Model = LargeModel,
            Traffic = 3.0,
            Utilization = 0.5,
            AccuracyWorth = 6,
            EverySeconds = 3,
            Tasks =
            [
                TaskTemplate.Batched("tool-call", [ShortBrief, MediumBrief], 0.4, 800, 50, 0.65, 0.3, 3.0),
                TaskTemplate.Batched("plan", [ShortLong, MediumLong, LongBrief], 0.45, 1_200, 200, 0.3, 0.55, 1.0),
                TaskTemplate.Batched("synthesis", [LongLong], 0.15, 4_000, 400, 0.15, 0.7, 0.6),
            ],
        },
    ];
}
