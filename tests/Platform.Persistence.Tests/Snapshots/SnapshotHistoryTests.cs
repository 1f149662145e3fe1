namespace Platform.Persistence.Tests.Snapshots;

public sealed class SnapshotHistoryTests(TestStore store)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_history_is_listed_latest_first_page_by_page()
    {
        var tenant = await PublishedAsync(5);
        Assert.Equal([5, 4, 3], await VersionsAsync(int.MaxValue));
        Assert.Equal([2, 1], await VersionsAsync(3));
        Assert.Empty(await VersionsAsync(1));
        Assert.Null(await store.Snapshots.ListAsync(tenant, "none", int.MaxValue, 3, Cancel));

        async Task<IEnumerable<int>> VersionsAsync(int before) =>
            (await store.Snapshots.ListAsync(tenant, "chat", before, 3, Cancel))!.Select(line => line.Version);
    }

    [Fact]
    public async Task The_snapshot_in_force_at_an_instant_is_the_latest_solved_until_then()
    {
        var tenant = await PublishedAsync(3);
        for (var version = 1; version <= 3; version++)
        {
            await store.ExecuteAsync(
                "update platform.in_force_changes set at = $1 where tenant_id = $2 and version = $3",
                Cancel,
                TestStore.At.AddHours(version),
                tenant,
                version
            );
        }

        Assert.Null(await VersionAsync(TestStore.At));
        Assert.Equal(1, await VersionAsync(TestStore.At.AddHours(1)));
        Assert.Equal(1, await VersionAsync(TestStore.At.AddHours(2).AddMilliseconds(-1)));
        Assert.Equal(2, await VersionAsync(TestStore.At.AddHours(2)));
        Assert.Equal(3, await VersionAsync(TestStore.At.AddYears(1)));
        Assert.Equal(3, (await store.Snapshots.FindInForceAsync(tenant, "chat", Cancel))?.Version);

        async Task<int?> VersionAsync(DateTimeOffset asOf) =>
            (await store.Snapshots.FindAsOfAsync(tenant, "chat", asOf, Cancel))?.Version;
    }

    [Fact]
    public async Task A_version_is_found_byte_for_byte_and_one_that_never_was_is_not()
    {
        var tenant = await PublishedAsync(1);
        var stored = (await store.Snapshots.FindVersionAsync(tenant, "chat", 1, Cancel))!;
        Assert.Equal(stored.Hash, Domain.Snapshots.AllocationSnapshot.HashOf(stored.Document));
        Assert.Null(await store.Snapshots.FindVersionAsync(tenant, "chat", 2, Cancel));
        Assert.Null(await store.Snapshots.FindVersionAsync(tenant, "chat", 0, Cancel));
    }

    private async Task<string> PublishedAsync(int versions)
    {
        var tenant = TestStore.NewTenant();
        await store.PutFleetAsync(tenant, "chat", Cancel);
        for (var i = 0; i < versions; i++)
            Assert.True(await store.PublishAsync(tenant, "chat", Cancel));
        return tenant;
    }
}
