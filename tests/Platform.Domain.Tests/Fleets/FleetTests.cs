using Platform.Domain.Fleets;

namespace Platform.Domain.Tests.Fleets;

public sealed class FleetTests
{
    private static readonly DateTimeOffset Then = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Now = Then.AddHours(1);
    private static readonly FleetDefinition Definition = Definitions.Fleet();
    private static readonly FleetDefinition Other = Definitions.Fleet("Chat, US");

    private static readonly FleetEvent Registered = new FleetRegistered
    {
        Definition = Definition,
        By = "ops",
        At = Then,
    };
    private static readonly FleetEvent Revised = new FleetRevised
    {
        Definition = Other,
        By = "ops",
        At = Then,
    };
    private static readonly FleetEvent RevisedBack = new FleetRevised
    {
        Definition = Definition,
        By = "ops",
        At = Then,
    };
    private static readonly FleetEvent Retired = new FleetRetired { By = "ops", At = Then };

    [Fact]
    public void A_new_fleet_is_registered() =>
        Put(After(), Definition)
            .Happens(
                new FleetRegistered
                {
                    Definition = Definition,
                    By = "ci",
                    At = Now,
                }
            );

    [Fact]
    public void Another_definition_revises_the_fleet() =>
        Put(After(Registered), Other)
            .Happens(
                new FleetRevised
                {
                    Definition = Other,
                    By = "ci",
                    At = Now,
                }
            );

    [Fact]
    public void The_same_definition_again_changes_nothing() =>
        Put(After(Registered), Definitions.Fleet()).ChangesNothing();

    [Fact]
    public void The_definition_before_the_last_one_is_a_revision() =>
        Put(After(Registered, Revised), Definition)
            .Happens(
                new FleetRevised
                {
                    Definition = Definition,
                    By = "ci",
                    At = Now,
                }
            );

    [Fact]
    public void The_order_of_task_types_is_part_of_a_definition()
    {
        var turned = Definition with { TaskTypes = [.. Definition.TaskTypes.Reverse()] };
        Put(After(Registered), turned)
            .Happens(
                new FleetRevised
                {
                    Definition = turned,
                    By = "ci",
                    At = Now,
                }
            );
    }

    [Fact]
    public void The_same_aliases_again_change_nothing_and_others_make_another_definition()
    {
        var registered = new FleetRegistered
        {
            Definition = WithAliases("maths", "sums"),
            By = "ops",
            At = Then,
        };
        Put(After(registered), WithAliases("maths", "sums")).ChangesNothing();
        Put(After(Registered), WithAliases()).ChangesNothing();
        foreach (var other in (FleetDefinition[])[WithAliases("maths"), Definition, WithAliases("sums", "maths")])
            Put(After(registered), other)
                .Happens(
                    new FleetRevised
                    {
                        Definition = other,
                        By = "ci",
                        At = Now,
                    }
                );

        static FleetDefinition WithAliases(params string[] aliases) =>
            Definition with
            {
                TaskTypes = [Definitions.Math with { Aliases = aliases }, Definitions.Chat],
            };
    }

    [Fact]
    public void One_figure_of_one_task_type_makes_another_definition()
    {
        var changed = Definition with { TaskTypes = [Definitions.Math, Definitions.Chat with { MaxTokens = 32_767 }] };
        Put(After(Registered), changed)
            .Happens(
                new FleetRevised
                {
                    Definition = changed,
                    By = "ci",
                    At = Now,
                }
            );
    }

    [Fact]
    public void A_retired_fleet_is_registered_again_even_with_the_same_definition() =>
        Put(After(Registered, Retired), Definition)
            .Happens(
                new FleetRegistered
                {
                    Definition = Definition,
                    By = "ci",
                    At = Now,
                }
            );

    [Fact]
    public void A_revision_decided_on_the_current_state_is_accepted() =>
        Put(After(Registered, Revised), Definition, expectedRevision: 2)
            .Happens(
                new FleetRevised
                {
                    Definition = Definition,
                    By = "ci",
                    At = Now,
                }
            );

    [Fact]
    public void A_revision_decided_on_an_older_state_is_stale() =>
        Put(After(Registered, Revised), Definition, expectedRevision: 1)
            .IsRefusedAs(Refusal.Stale, "the fleet is at revision 2, not 1");

    /// <summary>Its answer was lost: RFC 9110, 13.1.1.</summary>
    [Fact]
    public void A_revision_that_was_made_changes_nothing_when_it_is_asked_for_again() =>
        Put(After(Registered, Revised), Other, expectedRevision: 1).ChangesNothing();

    [Fact]
    public void A_revision_that_never_was_is_stale_even_when_the_definition_is_the_same() =>
        Put(After(Registered, Revised), Other, expectedRevision: 3)
            .IsRefusedAs(Refusal.Stale, "the fleet is at revision 2, not 3");

    [Fact]
    public void What_was_revised_and_revised_back_is_in_place_for_whoever_asks_again() =>
        Put(After(Registered, Revised, RevisedBack), Definition, expectedRevision: 1).ChangesNothing();

    [Fact]
    public void A_revision_of_a_fleet_that_never_was_is_stale() =>
        Put(After(), Definition, expectedRevision: 1).IsRefusedAs(Refusal.Stale, "there is no such fleet");

    [Fact]
    public void A_revision_of_a_retired_fleet_is_stale_though_it_names_the_last_revision() =>
        Put(After(Registered, Retired), Other, expectedRevision: 2)
            .IsRefusedAs(Refusal.Stale, "there is no such fleet");

    [Fact]
    public void An_allocation_between_does_not_make_a_revision_stale() =>
        Put(After(Registered, Published(1)), Other, expectedRevision: 1)
            .Happens(
                new FleetRevised
                {
                    Definition = Other,
                    By = "ci",
                    At = Now,
                }
            );

    [Fact]
    public void A_fleet_is_retired() =>
        Fleet.Retire(After(Registered), "ci", Now).Happens(new FleetRetired { By = "ci", At = Now });

    [Fact]
    public void A_fleet_that_never_was_cannot_be_retired() =>
        Fleet.Retire(After(), "ci", Now).IsRefusedAs(Refusal.NotFound, "there is no such fleet");

    [Fact]
    public void A_retired_fleet_cannot_be_retired_again() =>
        Fleet.Retire(After(Registered, Retired), "ci", Now).IsRefusedAs(Refusal.NotFound, "there is no such fleet");

    [Fact]
    public void Revisions_count_definitions_and_states_but_not_allocations()
    {
        var fleet = After(Registered, Published(1), Revised, Published(2), Retired, Registered)!;
        Assert.Equal((4, 2, false), (fleet.Revision, fleet.LatestVersion, fleet.IsRetired));
        Assert.Same(Definition, fleet.Definition);
    }

    [Fact]
    public void A_fleet_that_is_registered_again_goes_on_with_its_versions() =>
        Assert.Equal(
            3,
            After(Registered, Published(1), Published(2), Retired, Registered, Published(3))!.LatestVersion
        );

    /// <summary>
    /// What a decision accepts, the state can take: no event is stored that a replay would stumble over.
    /// </summary>
    [Fact]
    public void Every_accepted_command_can_be_replayed()
    {
        var random = new Random(7);
        for (var run = 0; run < 200; run++)
        {
            Fleet? fleet = null;
            for (var step = 0; step < 20; step++)
            {
                var decision =
                    random.Next(3) == 0
                        ? Fleet.Retire(fleet, "ci", Now)
                        : Put(
                            fleet,
                            random.Next(2) == 0 ? Definition : Other,
                            random.Next(2) == 0 ? null : random.Next(1, 8)
                        );
                if (decision.Event is { } happened)
                    fleet = Fleet.Evolve(fleet, happened);
            }
        }
    }

    public static TheoryData<string> ImpossibleHistories => [.. Impossible.Keys];

    [Theory]
    [MemberData(nameof(ImpossibleHistories))]
    public void An_impossible_history_is_refused(string history) =>
        Assert.Throws<InvalidOperationException>(() => After([.. Impossible[history]]));

    private static readonly Dictionary<string, FleetEvent[]> Impossible = new()
    {
        ["revised before registered"] = [Revised],
        ["retired before registered"] = [Retired],
        ["published before registered"] = [Published(1)],
        ["registered twice"] = [Registered, Registered],
        ["revised after retired"] = [Registered, Retired, Revised],
        ["retired twice"] = [Registered, Retired, Retired],
        ["published after retired"] = [Registered, Retired, Published(1)],
        ["first version is not 1"] = [Registered, Published(2)],
        ["version left out"] = [Registered, Published(1), Published(3)],
        ["version repeated"] = [Registered, Published(1), Published(1)],
        ["version zero"] = [Registered, Published(0)],
    };

    private static Fleet? After(params ReadOnlySpan<FleetEvent> history) =>
        Given.History<Fleet, FleetEvent>(Fleet.Evolve, history);

    private static Decision<FleetEvent> Put(Fleet? fleet, FleetDefinition definition, int? expectedRevision = null) =>
        Fleet.Put(fleet, definition, expectedRevision, "ci", Now);

    private static AllocationPublished Published(int version) =>
        new()
        {
            Version = version,
            Hash = new string('a', 64),
            Revision = 1,
            WorkloadVersion = 0,
            At = Then,
        };
}
