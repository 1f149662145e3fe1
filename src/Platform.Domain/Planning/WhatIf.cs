using System.Runtime.CompilerServices;
using Platform.Domain.Allocation;

namespace Platform.Domain.Planning;

/// <summary>A part of something: what was given of it is told from what was left out, and null from nothing.</summary>
public abstract class Part
{
    private readonly HashSet<string> _given = new(StringComparer.Ordinal);

    internal bool Gives(string member) => _given.Contains(member);

    internal bool GivesOnly(params ReadOnlySpan<string> members) => _given.IsSubsetOf(members.ToArray());

    private protected T Give<T>(T value, [CallerMemberName] string member = "")
    {
        _given.Add(member);
        return value;
    }

    /// <summary>A member's value if it was given, else another one.</summary>
    private protected T Or<T>(T member, T otherwise, [CallerArgumentExpression(nameof(member))] string name = "") =>
        Gives(name) ? member : otherwise;
}

/// <summary>
/// A part of the objective and its limits; each member as in <see cref="AllocationProblem"/>. Null lifts a limit.
/// </summary>
public class WhatIfObjective : Part
{
    /// <summary>α ≥ 0, seconds of mean system time that one unit of accuracy is worth.</summary>
    public double AccuracyWeight
    {
        get;
        init => field = Give(value);
    }

    /// <summary>Cap on the utilization, in (0, 1), or null for none.</summary>
    public double? MaxUtilization
    {
        get;
        init => field = Give(value);
    }

    /// <summary>Cap on Σ share · tokens, or null for none.</summary>
    public double? MeanTokenBudget
    {
        get;
        init => field = Give(value);
    }

    /// <summary>Cap on the mean system time in seconds, or null for none.</summary>
    public double? MaxMeanSystemTimeSeconds
    {
        get;
        init => field = Give(value);
    }

    /// <summary>Cap on the mean time between two output tokens in seconds, or null for none.</summary>
    public double? MaxInterTokenSeconds
    {
        get;
        init => field = Give(value);
    }

    /// <summary>Cap on the mean time to the first token of the answer in seconds, or null for none.</summary>
    public double? MaxTimeToFirstAnswerTokenSeconds
    {
        get;
        init => field = Give(value);
    }

    internal AllocationProblem ApplyObjective(AllocationProblem problem) =>
        problem with
        {
            AccuracyWeight = Or(AccuracyWeight, problem.AccuracyWeight),
            MaxUtilization = Or(MaxUtilization, problem.MaxUtilization),
            MeanTokenBudget = Or(MeanTokenBudget, problem.MeanTokenBudget),
            MaxMeanSystemTimeSeconds = Or(MaxMeanSystemTimeSeconds, problem.MaxMeanSystemTimeSeconds),
            MaxInterTokenSeconds = Or(MaxInterTokenSeconds, problem.MaxInterTokenSeconds),
            MaxTimeToFirstAnswerTokenSeconds = Or(
                MaxTimeToFirstAnswerTokenSeconds,
                problem.MaxTimeToFirstAnswerTokenSeconds
            ),
        };
}

/// <summary>
/// What is to be otherwise than it is now: any part of a problem, or of a definition. What is left out stays as it is.
/// </summary>
public class WhatIf : WhatIfObjective
{
    /// <summary>λ ≥ 0, arrivals per second for the whole fleet.</summary>
    public double ArrivalRate
    {
        get;
        init => field = Give(value);
    }

    /// <summary>
    /// λ as a multiple of what it is now: 2 for twice the traffic. Not together with <see cref="ArrivalRate"/>.
    /// </summary>
    public double ArrivalRateFactor
    {
        get;
        init => field = Give(value);
    } = 1;

    /// <summary>Number of identical servers.</summary>
    public int Servers
    {
        get;
        init => field = Give(value);
    }

    /// <summary>How queries find a server.</summary>
    public Dispatch Dispatch
    {
        get;
        init => field = Give(value);
    }

    /// <summary>How queries share a server, of <see cref="Dispatch.Sharing"/> alone.</summary>
    public WhatIfSharing Sharing
    {
        get;
        init => field = Give(value);
    } = new();

    /// <summary>
    /// The objective as a definition has it; its members may as well be given at the top, but not twice.
    /// </summary>
    public WhatIfObjective Objective
    {
        get;
        init => field = Give(value);
    } = new();

    /// <summary>
    /// Task types to change, add or remove, by id. Shares that are given are taken; those of the other types are scaled
    /// so that all sum to 1.
    /// </summary>
    public IReadOnlyList<WhatIfTaskType> TaskTypes
    {
        get;
        init => field = Give(value);
    } = [];

    /// <summary>The problem that it comes to, apart from the task types.</summary>
    internal AllocationProblem ApplyFleet(AllocationProblem problem) =>
        Objective.ApplyObjective(ApplyObjective(problem)) with
        {
            ArrivalRate = Or(ArrivalRate, problem.ArrivalRate) * ArrivalRateFactor,
            Servers = Or(Servers, problem.Servers),
            Dispatch = Or(Dispatch, problem.Dispatch),
            Sharing = Sharing.Apply(problem.Sharing),
        };
}

/// <summary>A part of how queries share a server; each member as in <see cref="SharingServer"/>.</summary>
public sealed class WhatIfSharing : Part
{
    /// <summary>α ≥ 0, seconds of an iteration that all queries in service share.</summary>
    public double? OverheadSecondsPerToken
    {
        get;
        init => field = Give(value);
    }

    /// <summary>Most queries in service at once on a server, or null for no cap.</summary>
    public int? MaxInService
    {
        get;
        init => field = Give(value);
    }

    /// <summary>What it comes to; null where neither the problem nor this says anything.</summary>
    internal SharingServer? Apply(SharingServer? sharing)
    {
        if (sharing is null && GivesOnly())
            return null;
        var old = sharing ?? new SharingServer();
        return new SharingServer(
            Or(OverheadSecondsPerToken, old.OverheadSecondsPerToken),
            Or(MaxInService, old.MaxInService)
        );
    }
}

/// <summary>
/// A task type to change, by id; one that the fleet does not have, with its share, maximum, service line and curve, to
/// add; or one to remove.
/// </summary>
public sealed class WhatIfTaskType : Part
{
    private static readonly TaskType Blank = new()
    {
        Id = "",
        Share = 0,
        MaxTokens = 0,
        Service = new ServiceLine(0, 0),
        Accuracy = new AccuracyCurve(0, 0, 0),
    };

    /// <summary>Id of the task type.</summary>
    public required string Id
    {
        get;
        init => field = Give(value);
    }

    /// <summary>Whether to do without it; its share goes to the others. Nothing else may be given then.</summary>
    public bool Remove
    {
        get;
        init => field = Give(value);
    }

    /// <summary>π, share of the arrivals, 0 to 1.</summary>
    public double Share
    {
        get;
        init => field = Give(value);
    }

    /// <summary>w > 0, importance of its accuracy; 1 for a new type unless it is given.</summary>
    public double Weight
    {
        get;
        init => field = Give(value);
    }

    /// <summary>Fewest tokens; 0 for a new type unless it is given.</summary>
    public long MinTokens
    {
        get;
        init => field = Give(value);
    }

    /// <summary>Most tokens.</summary>
    public long MaxTokens
    {
        get;
        init => field = Give(value);
    }

    /// <summary>Least accuracy that must be reached, or null for none.</summary>
    public double? AccuracyFloor
    {
        get;
        init => field = Give(value);
    }

    /// <summary>Mean output tokens of the answer; 0 for a new type unless it is given.</summary>
    public double AnswerTokens
    {
        get;
        init => field = Give(value);
    }

    /// <summary>Service time against tokens.</summary>
    public WhatIfService Service
    {
        get;
        init => field = Give(value);
    } = new();

    /// <summary>Accuracy against tokens.</summary>
    public WhatIfAccuracy Accuracy
    {
        get;
        init => field = Give(value);
    } = new();

    /// <summary>The task type that it comes to.</summary>
    /// <param name="type">As it is; null for a new one.</param>
    internal TaskType Apply(TaskType? type)
    {
        var old = type ?? Blank;
        return new TaskType
        {
            Id = Id,
            Share = Or(Share, old.Share),
            Weight = Or(Weight, old.Weight),
            MinTokens = Or(MinTokens, old.MinTokens),
            MaxTokens = Or(MaxTokens, old.MaxTokens),
            AccuracyFloor = Or(AccuracyFloor, old.AccuracyFloor),
            AnswerTokens = Or(AnswerTokens, old.AnswerTokens),
            Service = Service.Apply(old.Service),
            Accuracy = Accuracy.Apply(old.Accuracy),
        };
    }

    /// <summary>Pointers to what a new type lacks.</summary>
    internal IEnumerable<string> Missing() =>
        new (bool Given, string Pointer)[]
        {
            (Gives(nameof(Share)), "/share"),
            (Gives(nameof(MaxTokens)), "/maxTokens"),
            (Service.Gives(nameof(Service.BaseSeconds)), "/service/baseSeconds"),
            (Service.Gives(nameof(Service.SecondsPerToken)), "/service/secondsPerToken"),
            (Accuracy.Gives(nameof(Accuracy.Floor)), "/accuracy/floor"),
            (Accuracy.Gives(nameof(Accuracy.Gain)), "/accuracy/gain"),
            (Accuracy.Gives(nameof(Accuracy.RatePerToken)), "/accuracy/ratePerToken"),
        }
            .Where(member => !member.Given)
            .Select(member => member.Pointer);
}

/// <summary>A part of a service line; each member as in <see cref="ServiceLine"/>.</summary>
public sealed class WhatIfService : Part
{
    /// <summary>Seconds that do not depend on the tokens.</summary>
    public double BaseSeconds
    {
        get;
        init => field = Give(value);
    }

    /// <summary>Seconds for each token.</summary>
    public double SecondsPerToken
    {
        get;
        init => field = Give(value);
    }

    /// <summary>Variance around the line, seconds squared.</summary>
    public double VarianceSecondsSquared
    {
        get;
        init => field = Give(value);
    }

    /// <summary>Seconds a token squared, of <see cref="Dispatch.Sharing"/> alone.</summary>
    public double SecondsPerTokenSquared
    {
        get;
        init => field = Give(value);
    }

    internal ServiceLine Apply(ServiceLine line) =>
        new(
            Or(BaseSeconds, line.BaseSeconds),
            Or(SecondsPerToken, line.SecondsPerToken),
            Or(VarianceSecondsSquared, line.VarianceSecondsSquared),
            Or(SecondsPerTokenSquared, line.SecondsPerTokenSquared)
        );
}

/// <summary>A part of an accuracy curve; each member as in <see cref="AccuracyCurve"/>.</summary>
public sealed class WhatIfAccuracy : Part
{
    /// <summary>Accuracy without reasoning.</summary>
    public double Floor
    {
        get;
        init => field = Give(value);
    }

    /// <summary>What endless reasoning adds.</summary>
    public double Gain
    {
        get;
        init => field = Give(value);
    }

    /// <summary>Per token.</summary>
    public double RatePerToken
    {
        get;
        init => field = Give(value);
    }

    internal AccuracyCurve Apply(AccuracyCurve curve) =>
        new(Or(Floor, curve.Floor), Or(Gain, curve.Gain), Or(RatePerToken, curve.RatePerToken));
}
