using Platform.Cli.Chaos;

namespace Platform.Cli.Tests.Chaos;

public sealed class ChaosFiguresTests
{
    private const string Tenant = "team";

    private static readonly Victim[] Kills = [Victim.Postgres, Victim.Worker, Victim.Postgres];

    private static readonly JournalEntry[] Sent =
    [
        .. Enumerable.Range(0, 6).Select(i => new JournalEntry(i / 2, Tenant, Guid.NewGuid())),
    ];

    private static readonly (string Tenant, Guid MessageId)[] All = [.. Sent.Select(it => (it.Tenant, it.MessageId))];

    [Fact]
    public void What_was_acknowledged_and_is_stored_once_is_well()
    {
        var figures = Figures(ChaosFigures.Judge(Kills, Sent, Sent, All));

        Assert.True(figures.Succeeded);
        Assert.Equal(
            [
                new ChaosOutcome(Victim.Postgres, 2, 4, 4, 4, 0, 0, 0),
                new ChaosOutcome(Victim.Worker, 1, 2, 2, 2, 0, 0, 0),
            ],
            figures.Outcomes
        );
        Assert.Equal("nothing lost, nothing doubled", figures.ToLines().Last());
    }

    /// <summary>A publisher that was told nothing can be told nothing wrong.</summary>
    [Fact]
    public void What_was_never_acknowledged_may_be_missing_or_stored()
    {
        var figures = Figures(ChaosFigures.Judge(Kills, Sent, Sent[2..], All[1..]));

        Assert.True(figures.Succeeded);
        Assert.Equal((6, 4, 5), (figures.Total.Attempted, figures.Total.Acknowledged, figures.Total.Stored));
    }

    [Fact]
    public void An_acknowledged_message_that_is_not_stored_is_lost_under_the_component_that_was_killed()
    {
        var figures = Figures(ChaosFigures.Judge(Kills, Sent, Sent, All.Where((_, i) => i != 2)));

        Assert.False(figures.Succeeded);
        Assert.Equal([0, 1], figures.Outcomes.Select(it => it.Lost));
    }

    [Fact]
    public void A_message_stored_twice_is_doubled()
    {
        var figures = Figures(ChaosFigures.Judge(Kills, Sent, Sent, [.. All, All[0]]));

        Assert.False(figures.Succeeded);
        Assert.Equal([1, 0], figures.Outcomes.Select(it => it.Duplicated));
    }

    /// <summary>The same message id under another tenant is another message.</summary>
    [Fact]
    public void What_nobody_sent_is_unexpected()
    {
        var figures = Figures(ChaosFigures.Judge(Kills, Sent, Sent, [.. All, ("other", Sent[0].MessageId)]));

        Assert.False(figures.Succeeded);
        Assert.Equal(new ChaosOutcome(null, 0, 0, 0, 0, 0, 0, 1), figures.Outcomes[^1]);
        Assert.Contains(figures.ToLines(), line => line.StartsWith("  (nothing)", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_component_is_killed_as_often_as_the_others()
    {
        Victim[] victims = [.. ChaosRun.VictimsOf(22, new Random(1))];

        Assert.Equal(22, victims.Length);
        Assert.All(victims.CountBy(it => it), it => Assert.InRange(it.Value, 5, 6));
        Assert.Equal(Enum.GetValues<Victim>(), victims[..4].Order());
    }

    [Fact]
    public void What_a_journal_was_told_is_read_back()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("journal-").FullName, "acks");
        using var journal = new ChaosJournal(path);
        Parallel.ForEach(Sent, journal.Write);

        Assert.Equal(Sent.Length, journal.Count);
        Assert.Equal(Sent.OrderBy(it => it.MessageId), journal.Close().OrderBy(it => it.MessageId));
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    private static ChaosFigures Figures(IReadOnlyList<ChaosOutcome> outcomes) =>
        new()
        {
            Outcomes = outcomes,
            SetAside = 0,
            Versions = 3,
            VersionsWithFaults = 0,
            Seconds = 1,
            Memory = new ChaosMemory(1, 1, 1, 1),
        };
}
