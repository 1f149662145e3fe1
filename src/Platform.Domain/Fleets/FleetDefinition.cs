using System.Text.Json.Serialization;
using Platform.Domain.Allocation;
using Platform.Domain.Estimation;

namespace Platform.Domain.Fleets;

/// <summary>
/// What a team says about its fleet: servers, objective, limits, and the prior figures of each task type, which hold
/// until the events say more. Wire form: the JSON of the contract.
/// </summary>
public sealed record FleetDefinition
{
    /// <summary>Name for people, 1 to 200 characters.</summary>
    public required string DisplayName { get; init; }

    /// <summary>Number of identical servers, 1 to 10,000.</summary>
    public int Servers { get; init; } = 1;

    /// <summary>How queries find a server.</summary>
    public Dispatch Dispatch { get; init; } = Dispatch.Split;

    /// <summary>
    /// How queries share a server, of <see cref="Dispatch.Sharing"/> alone; what is left out of it the windows tell.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SharingServer? Sharing { get; init; }

    /// <summary>What to maximise and within which limits.</summary>
    public required FleetObjective Objective { get; init; }

    /// <summary>Prior of the arrival rate, per second, at least 0.</summary>
    public required double ArrivalRate { get; init; }

    /// <summary>The task types with their limits and priors, 1 to 1,000.</summary>
    public required IReadOnlyList<TaskType> TaskTypes { get; init; }

    /// <summary>When and on how much evidence to solve.</summary>
    public SolvingPolicy Solving { get; init; } = new();

    /// <summary>What the servers can be told, where that is not every number of tokens; null where it is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Actuator? Actuator { get; init; }

    /// <summary>Two definitions say the same. (A record's own equality compares lists by reference.)</summary>
    public static bool SameContent(FleetDefinition one, FleetDefinition other) =>
        one with { TaskTypes = other.TaskTypes, Actuator = other.Actuator } == other
        && one.TaskTypes.Count == other.TaskTypes.Count
        && one.TaskTypes.Zip(other.TaskTypes).All(pair => SameContent(pair.First, pair.Second))
        && Actuator.SameContent(one.Actuator, other.Actuator);

    private static bool SameContent(TaskType one, TaskType other) =>
        one with { Aliases = other.Aliases } == other
        && (one.Aliases ?? []).SequenceEqual(other.Aliases ?? [], StringComparer.Ordinal);
}

/// <summary>The objective's weight and the fleet's limits; each as in <see cref="AllocationProblem"/>.</summary>
public sealed record FleetObjective
{
    /// <summary>α ≥ 0, seconds of mean system time that one unit of accuracy is worth.</summary>
    public required double AccuracyWeight { get; init; }

    /// <summary>Cap on the utilization, in (0, 1), or null.</summary>
    public double? MaxUtilization { get; init; }

    /// <summary>Cap on the mean number of tokens, or null.</summary>
    public double? MeanTokenBudget { get; init; }

    /// <summary>Cap on the mean system time in seconds, or null.</summary>
    public double? MaxMeanSystemTimeSeconds { get; init; }

    /// <summary>Cap on the mean time between two output tokens in seconds, or null; with sharing alone.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MaxInterTokenSeconds { get; init; }

    /// <summary>
    /// Cap on the mean time to the first token of the answer in seconds, or null; with sharing alone.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MaxTimeToFirstAnswerTokenSeconds { get; init; }
}

/// <summary>When a fleet is solved again and on how much evidence.</summary>
public sealed record SolvingPolicy
{
    /// <summary>The greatest <see cref="MaxStep"/>, beyond which no budget lies.</summary>
    public const double LargestStep = 1e9;

    /// <summary><see cref="MaxStep"/> where a definition leaves it out.</summary>
    public const double DefaultStep = 2;

    /// <summary>The greatest <see cref="ForecastDays"/>, and what a definition has that leaves it out.</summary>
    public const int MostForecastDays = 14;

    /// <summary><see cref="ArrivalRateQuantile"/> where a definition leaves it out.</summary>
    public const double DefaultRateProbability = 0.9;

    /// <summary>Period of re-solving, 1 second to a day.</summary>
    public int EverySeconds { get; init; } = 300;

    /// <summary>Age beyond which evidence no longer counts, 60 seconds to 7 days.</summary>
    public int HorizonSeconds { get; init; } = 21_600;

    /// <summary>Gain in the objective below which the allocation in force is kept, at least 0.</summary>
    public double MinimumGain { get; init; }

    /// <summary>
    /// How many times the largest budget that has verdicts, or the first allocation where none has, a task type may be
    /// granted: 1 to <see cref="LargestStep"/>, 2 if left out. Tokens go down at once and up by this step, each
    /// followed by verdicts.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MaxStep { get; init; }

    /// <summary>
    /// The probability, 0.5 to 0.999, with which the rate of arrivals is below what an allocation must carry; 0.9 if
    /// left out. Too few tokens cost a little accuracy, too many bring the servers down.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? ArrivalRateQuantile { get; init; }

    /// <summary>The probability that counts.</summary>
    [JsonIgnore]
    public double RateProbability => ArrivalRateQuantile ?? DefaultRateProbability;

    /// <summary>
    /// Days whose arrivals are kept by quarters of an hour, so that a rise that comes at the same hour is forecast: 0
    /// to <see cref="MostForecastDays"/>, which counts if left out; 0 for no forecast. Whoever derives a version again
    /// reads its windows as far back.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ForecastDays { get; init; }

    /// <summary>How far back windows count.</summary>
    [JsonIgnore]
    public WorkloadReach Reach => new(HorizonSeconds, ForecastDays ?? MostForecastDays);

    /// <summary>The step that counts.</summary>
    [JsonIgnore]
    public double Step => MaxStep ?? DefaultStep;

    /// <summary>
    /// Seconds that a new allocation waits for a person to put it in force before it lapses, a minute to 30 days; null
    /// when it is in force at once.
    /// </summary>
    public int? ApprovalSeconds { get; init; }

    /// <summary>
    /// Whether a new allocation waits for approval even where what is in force gives the servers more work than they
    /// can do; at once if left out. Read by solves where approvalSeconds is set.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public EmergencyRelease? Emergency { get; init; }

    /// <summary>Whether allocations carry a ladder for surges, and of how many rungs; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public LadderPolicy? Ladder { get; init; }
}

/// <summary>
/// What becomes of a new allocation in an emergency: what is in force gives the servers more work than they can do.
/// </summary>
public enum EmergencyRelease
{
    /// <summary>It is put in force at once, and said to be an emergency.</summary>
    AtOnce,

    /// <summary>It waits for approval like any other.</summary>
    Wait,
}

/// <summary>How fine a ladder is.</summary>
public sealed record LadderPolicy
{
    /// <summary>Most rungs, the allocation itself among them: 2 to 16, 16 if left out.</summary>
    public int Rungs { get; init; } = SurgeLadder.MostRungs;
}
