using Platform.Domain.Fleets;
using Platform.Domain.Tenants;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Tenants;

public sealed class TenantQuotaTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
    private static readonly TenantQuota Quota = new(Fleets: 2, TaskTypes: 5);

    [Fact]
    public void A_new_fleet_needs_room_for_itself_and_for_its_task_types()
    {
        Assert.NotNull(Put(null, 3, new(1, 2)).Event);
        Assert.Equal(Refusal.Quota, Put(null, 1, new(2, 2)).RefusedAs);
        Assert.Equal(Refusal.Quota, Put(null, 4, new(1, 2)).RefusedAs);
    }

    [Fact]
    public void A_retired_fleet_that_comes_back_counts_as_new() =>
        Assert.Equal(Refusal.Quota, Put(Existing(3) with { IsRetired = true }, 3, new(2, 2)).RefusedAs);

    [Fact]
    public void A_fleet_may_be_revised_above_the_quota_as_long_as_it_does_not_grow()
    {
        Assert.NotNull(Put(Existing(4), 3, new(7, 20)).Event);
        Assert.Equal(Refusal.Quota, Put(Existing(4), 5, new(7, 20)).RefusedAs);
    }

    [Fact]
    public void What_was_refused_before_stays_refused_for_its_own_reason()
    {
        var stale = Fleet.Put(Existing(1), Of(2), expectedRevision: 9, "ci", At);
        Assert.Equal(Refusal.Stale, Quota.Admit(stale, Existing(1), Of(2), new(9, 9)).RefusedAs);
    }

    private static Decision<FleetEvent> Put(Fleet? fleet, int taskTypes, TenantHoldings others) =>
        Quota.Admit(Fleet.Put(fleet, Of(taskTypes), null, "ci", At), fleet, Of(taskTypes), others);

    private static Fleet Existing(int taskTypes) => new() { Definition = Of(taskTypes), Revision = 1 };

    private static FleetDefinition Of(int taskTypes) =>
        Definitions.Fleet() with
        {
            TaskTypes =
            [
                .. Enumerable
                    .Range(0, taskTypes)
                    .Select(i => Definitions.Chat with { Id = $"type-{i}", Share = 1.0 / taskTypes }),
            ],
        };
}
