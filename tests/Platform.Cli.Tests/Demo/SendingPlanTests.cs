using Platform.Cli.Demo;

namespace Platform.Cli.Tests.Demo;

public sealed class SendingPlanTests
{
    private static readonly DemoWorkload Workload = DemoWorkload.Create(
        [.. TraceGenerator.Generate(TimeSpan.FromMinutes(10), 1)], "trace", 1, new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero));

    [Fact]
    public void A_message_sent_again_keeps_its_id_and_its_body()
    {
        var plan = SendingPlan.Create(Workload, 1);
        var byId = plan.Sendings.GroupBy(sending => sending.Message.MessageId).ToArray();

        Assert.Equal(Workload.Windows, byId.Length);
        Assert.Equal(plan.Sendings.Count - byId.Length, plan.DuplicatesOfFleet.Sum());
        Assert.All(byId, sendings => Assert.Single(sendings.Distinct()));
    }

    [Fact]
    public void A_fleet_is_published_by_its_own_tenant()
    {
        var owners = DemoCatalog.Fleets.ToDictionary(fleet => fleet.Id, fleet => fleet.Tenant);

        Assert.All(SendingPlan.Create(Workload, 1).Sendings, sending => Assert.Equal(owners[sending.Message.Fleet], sending.Tenant));
    }

    [Fact]
    public void The_same_seed_gives_the_same_plan()
    {
        static IEnumerable<Guid> Ids(int seed) => SendingPlan.Create(Workload, seed).Sendings.Select(sending => sending.Message.MessageId);

        Assert.Equal(Ids(1), Ids(1));
        Assert.NotEqual(Ids(1), Ids(2));
        Assert.All(Ids(1), id => Assert.Equal(4, id.Version));
    }
}
