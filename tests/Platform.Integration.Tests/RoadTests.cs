namespace Platform.Integration.Tests;

public sealed class RoadTests(TestPlatform platform)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_window_published_on_the_broker_ends_in_an_allocation_that_a_gateway_can_fetch()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        for (var i = 0; i < 5; i++)
            await tenant.PublishAsync("chat", TestTenant.Window("chat", load: 20), Guid.NewGuid(), Cancel);

        var snapshot = await tenant.UntilAllocatedOnAsync("chat", 5, Cancel);

        Assert.Equal(5, await tenant.StoredWindowsAsync("chat", Cancel));
        Assert.Equal("optimal", (string)snapshot["solution"]!["status"]!);
        Assert.True(
            (double)snapshot["solution"]!["objective"]! >= (double)snapshot["solution"]!["uniform"]!["objective"]!
        );
        Assert.True(
            (double)snapshot["problem"]!["arrivalRate"]! > 0.1,
            "the events say that more arrives than the prior"
        );
    }
}
