using Platform.Domain.Fleets;

namespace Platform.Domain.Tests.Fleets;

/// <summary>
/// Which version is in force: the latest, one that a person holds, or one that a person has approved.
/// </summary>
public sealed class AllocationLabelsTests
{
    private static readonly DateTimeOffset Then = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Now = Then.AddHours(1);
    private static readonly FleetEvent Registered = new FleetRegistered
    {
        Definition = Definitions.Fleet(),
        By = "ops",
        At = Then,
    };
    private static readonly FleetEvent Retired = new FleetRetired { By = "ops", At = Then };
    private static readonly FleetEvent Unpinned = new AllocationUnpinned
    {
        Reason = "mended",
        By = "ops",
        At = Then,
    };

    [Fact]
    public void Without_a_pin_the_latest_version_is_in_force() =>
        Assert.Equal(
            (0, 1, 2),
            (InForce(Registered), InForce(Registered, Published(1)), InForce(Registered, Published(1), Published(2)))
        );

    [Fact]
    public void A_pinned_version_stays_in_force_until_it_is_released()
    {
        Assert.Equal(1, InForce(Registered, Published(1), Published(2), Pinned(1)));
        Assert.Equal(1, InForce(Registered, Published(1), Published(2), Pinned(1), Published(3)));
        Assert.Equal(2, InForce(Registered, Published(1), Published(2), Pinned(1), Published(3), Pinned(2)));
        Assert.Equal(3, InForce(Registered, Published(1), Published(2), Pinned(1), Published(3), Unpinned));
    }

    [Fact]
    public void A_proposed_version_is_in_force_once_it_is_approved()
    {
        Assert.Equal(1, InForce(Registered, Published(1), Proposed(2)));
        Assert.Equal(2, InForce(Registered, Published(1), Proposed(2), Approved(2)));
        Assert.Equal(2, InForce(Registered, Published(1), Proposed(2), Approved(2), Proposed(3)));
        Assert.Equal(3, InForce(Registered, Published(1), Proposed(2), Published(3)));
        Assert.Null(After(Registered, Published(1), Proposed(2), Published(3)).Labels.Proposal);
        Assert.Null(After(Registered, Published(1), Proposed(2), Approved(2)).Labels.Proposal);
    }

    [Fact]
    public void A_pin_outlives_an_approval() =>
        Assert.Equal(1, InForce(Registered, Published(1), Proposed(2), Pinned(1), Approved(2)));

    [Fact]
    public void A_fleet_that_is_registered_again_holds_and_proposes_nothing()
    {
        var labels = After(Registered, Published(1), Published(2), Proposed(3), Pinned(1), Retired, Registered).Labels;
        Assert.Equal((2, null, null), (labels.InForce, labels.Pin, labels.Proposal));
    }

    [Fact]
    public void Labels_are_no_revision() =>
        Assert.Equal(1, After(Registered, Published(1), Pinned(1), Unpinned, Proposed(2), Approved(2)).Revision);

    [Fact]
    public void A_version_that_is_there_can_be_pinned() =>
        Pin(After(Registered, Published(1), Published(2)), 1)
            .Happens(
                new AllocationPinned
                {
                    Version = 1,
                    Reason = "roll back",
                    By = "ann",
                    At = Now,
                }
            );

    [Fact]
    public void Another_version_can_be_pinned_in_place_of_the_one_that_is() =>
        Pin(After(Registered, Published(1), Published(2), Pinned(1)), 2)
            .Happens(
                new AllocationPinned
                {
                    Version = 2,
                    Reason = "roll back",
                    By = "ann",
                    At = Now,
                }
            );

    [Fact]
    public void The_pinned_version_pinned_again_changes_nothing() =>
        Pin(After(Registered, Published(1), Pinned(1)), 1).ChangesNothing();

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(-1)]
    public void A_version_that_never_was_cannot_be_pinned_or_approved(int version)
    {
        Pin(After(Registered, Published(1)), version).IsRefusedAs(Refusal.NotFound, "there is no such allocation");
        Approve(After(Registered, Published(1)), version).IsRefusedAs(Refusal.NotFound, "there is no such allocation");
    }

    [Fact]
    public void Of_a_fleet_that_is_not_there_nothing_can_be_decided()
    {
        foreach (var fleet in (Fleet?[])[null, After(Registered, Published(1), Retired)])
        {
            Pin(fleet, 1).IsRefusedAs(Refusal.NotFound, "there is no such fleet");
            Approve(fleet, 1).IsRefusedAs(Refusal.NotFound, "there is no such fleet");
            Fleet.Unpin(fleet, "mended", "ann", Now).IsRefusedAs(Refusal.NotFound, "there is no such fleet");
        }
    }

    [Fact]
    public void What_is_pinned_can_be_released_and_where_nothing_is_nothing_changes()
    {
        Fleet
            .Unpin(After(Registered, Published(1), Pinned(1)), "mended", "ann", Now)
            .Happens(
                new AllocationUnpinned
                {
                    Reason = "mended",
                    By = "ann",
                    At = Now,
                }
            );
        Fleet.Unpin(After(Registered, Published(1)), "mended", "ann", Now).ChangesNothing();
    }

    [Fact]
    public void A_proposal_can_be_approved_until_it_lapses()
    {
        Approve(After(Registered, Proposed(1, Now.AddTicks(1))), 1)
            .Happens(
                new AllocationApproved
                {
                    Version = 1,
                    Reason = "roll back",
                    By = "ann",
                    At = Now,
                }
            );
        Approve(After(Registered, Proposed(1, Now)), 1)
            .IsRefusedAs(
                Refusal.Conflict,
                "version 1 has waited for approval until 2026-11-23T11:00:00.0000000+00:00: it has lapsed"
            );
    }

    [Fact]
    public void What_is_in_force_approved_again_changes_nothing_and_what_is_not_proposed_cannot_be()
    {
        Approve(After(Registered, Published(1), Proposed(2), Approved(2)), 2).ChangesNothing();
        Approve(After(Registered, Published(1), Proposed(2), Proposed(3)), 2)
            .IsRefusedAs(Refusal.Conflict, "version 2 is not proposed");
    }

    private static Fleet After(params ReadOnlySpan<FleetEvent> history) =>
        Given.History<Fleet, FleetEvent>(Fleet.Evolve, history)!;

    private static int InForce(params ReadOnlySpan<FleetEvent> history) => After(history).Labels.InForce;

    private static Decision<FleetEvent> Pin(Fleet? fleet, int version) =>
        Fleet.PinVersion(fleet, version, "roll back", "ann", Now);

    private static Decision<FleetEvent> Approve(Fleet? fleet, int version) =>
        Fleet.Approve(fleet, version, "roll back", "ann", Now);

    private static AllocationPublished Published(int version) =>
        new()
        {
            Version = version,
            Hash = new string('a', 64),
            Revision = 1,
            WorkloadVersion = 0,
            At = Then,
        };

    private static AllocationPublished Proposed(int version, DateTimeOffset? until = null) =>
        Published(version) with
        {
            ProposedUntil = until ?? Now,
        };

    private static AllocationPinned Pinned(int version) =>
        new()
        {
            Version = version,
            Reason = "roll back",
            By = "ann",
            At = Then,
        };

    private static AllocationApproved Approved(int version) =>
        new()
        {
            Version = version,
            Reason = "looked at",
            By = "ann",
            At = Then,
        };
}
