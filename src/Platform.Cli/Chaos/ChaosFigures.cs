using System.Globalization;

namespace Platform.Cli.Chaos;

/// <summary>A part of the platform that a run kills.</summary>
internal enum Victim
{
    Postgres,
    RabbitMq,
    Api,
    Worker,
}

/// <summary>What became of the messages that were sent around the kills of one component.</summary>
/// <param name="Victim">The component; null for what belongs to no message that was sent.</param>
/// <param name="Kills">How often it was killed.</param>
/// <param name="Attempted">Different messages sent.</param>
/// <param name="Acknowledged">Of these, those that the platform has confirmed.</param>
/// <param name="Stored">Of these, those that are events.</param>
/// <param name="Lost">Acknowledged but not stored.</param>
/// <param name="Duplicated">Stored more than once.</param>
/// <param name="Unexpected">Stored but never sent.</param>
internal sealed record ChaosOutcome(
    Victim? Victim,
    int Kills,
    int Attempted,
    int Acknowledged,
    int Stored,
    int Lost,
    int Duplicated,
    int Unexpected
)
{
    public static ChaosOutcome Sum(IEnumerable<ChaosOutcome> outcomes) =>
        outcomes.Aggregate(
            new ChaosOutcome(null, 0, 0, 0, 0, 0, 0, 0),
            (a, b) =>
                new ChaosOutcome(
                    null,
                    a.Kills + b.Kills,
                    a.Attempted + b.Attempted,
                    a.Acknowledged + b.Acknowledged,
                    a.Stored + b.Stored,
                    a.Lost + b.Lost,
                    a.Duplicated + b.Duplicated,
                    a.Unexpected + b.Unexpected
                )
        );
}

/// <summary>
/// Resident memory of the platform's own processes, MiB: the most seen after the first segments, and after the last.
/// </summary>
internal sealed record ChaosMemory(double ApiFirst, double ApiLast, double WorkerFirst, double WorkerLast);

/// <summary>What <c>bench chaos</c> prints.</summary>
internal sealed record ChaosFigures
{
    private const int BarLength = 30;

    public required IReadOnlyList<ChaosOutcome> Outcomes { get; init; }

    /// <summary>Messages in the queue of those that could not be taken: there should be none.</summary>
    public required int SetAside { get; init; }

    /// <summary>Snapshots that were derived again from the events at the end.</summary>
    public required int Versions { get; init; }

    /// <summary>Of these, those that differ, or whose chain is broken.</summary>
    public required int VersionsWithFaults { get; init; }

    public required double Seconds { get; init; }

    public required ChaosMemory Memory { get; init; }

    public ChaosOutcome Total => ChaosOutcome.Sum(Outcomes);

    public bool Succeeded =>
        Total is { Lost: 0, Duplicated: 0, Unexpected: 0 } && SetAside == 0 && VersionsWithFaults == 0;

    /// <summary>Holds what is stored against the journals.</summary>
    /// <param name="kills">The component killed in each segment.</param>
    /// <param name="intents">Every message sent.</param>
    /// <param name="acks">Every message acknowledged.</param>
    /// <param name="stored">The message id of every stored event, with its tenant.</param>
    public static IReadOnlyList<ChaosOutcome> Judge(
        IReadOnlyList<Victim> kills,
        IReadOnlyList<JournalEntry> intents,
        IReadOnlyList<JournalEntry> acks,
        IEnumerable<(string Tenant, Guid MessageId)> stored
    )
    {
        var events = stored.CountBy(it => it).ToDictionary();
        var outcomes = kills
            .Distinct()
            .Order()
            .Select(victim =>
            {
                JournalEntry[] sent = [.. intents.Where(it => kills[it.Segment] == victim)],
                    confirmed = [.. acks.Where(it => kills[it.Segment] == victim)];
                return new ChaosOutcome(
                    victim,
                    kills.Count(it => it == victim),
                    sent.Length,
                    confirmed.Length,
                    sent.Count(it => CountOf(it) > 0),
                    confirmed.Count(it => CountOf(it) == 0),
                    sent.Count(it => CountOf(it) > 1),
                    0
                );
            })
            .ToList();
        var known = intents.Select(it => (it.Tenant, it.MessageId)).ToHashSet();
        if (events.Keys.Count(it => !known.Contains(it)) is > 0 and var strangers)
            outcomes.Add(new ChaosOutcome(null, 0, 0, 0, 0, 0, 0, strangers));
        return outcomes;

        int CountOf(JournalEntry entry) => events.GetValueOrDefault((entry.Tenant, entry.MessageId));
    }

    public IEnumerable<string> ToLines()
    {
        var most = Math.Max(1, Outcomes.Max(it => it.Attempted));
        yield return "  killed       kills  attempted  acknowledged     stored   lost  duplicated  unexpected";
        foreach (var outcome in Outcomes)
            yield return $"{Line(NameOf(outcome.Victim), outcome)}  {new string('█', outcome.Stored * BarLength / most)}";
        yield return Line("all", Total);
        yield return Say(
            $"  {SetAside} messages set aside; {Versions} snapshots derived again from the events, {VersionsWithFaults} with faults; {Seconds:0} s in all"
        );
        yield return Say(
            $"  resident memory, MiB: API {Memory.ApiFirst:0} in the first half, {Memory.ApiLast:0} in the second; a worker {Memory.WorkerFirst:0} and {Memory.WorkerLast:0}"
        );
        yield return Succeeded ? "nothing lost, nothing doubled" : "NOT as promised";
    }

    private static string NameOf(Victim? victim) =>
        victim switch
        {
            Victim.Postgres => "PostgreSQL",
            Victim.RabbitMq => "RabbitMQ",
            Victim.Api => "API",
            Victim.Worker => "a worker",
            _ => "(nothing)",
        };

    private static string Line(string name, ChaosOutcome it) =>
        Say(
            $"  {name, -11} {it.Kills, 6}  {it.Attempted, 9}  {it.Acknowledged, 12}  {it.Stored, 9}  {it.Lost, 5}  {it.Duplicated, 10}  {it.Unexpected, 10}"
        );

    private static string Say(FormattableString line) => line.ToString(CultureInfo.InvariantCulture);
}
