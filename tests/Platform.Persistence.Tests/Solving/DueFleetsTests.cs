using Platform.Persistence.Solving;
using Platform.Testing;

namespace Platform.Persistence.Tests.Solving;

/// <summary>Due fleets are looked for over all tenants, so each test has a database of its own.</summary>
public sealed class DueFleetsTests : IAsyncLifetime
{
    private readonly TestStore _store = new();
    private readonly string _tenant = TestStore.NewTenant();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _store.InitializeAsync();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task The_longest_due_are_claimed_first_and_those_not_due_never()
    {
        for (var i = 0; i < 10; i++)
            await PutAsync($"f{i}", dueAfterSeconds: 10 - i);
        await using var first = await ClaimAsync(TestStore.At.AddSeconds(5), limit: 2);
        await using var second = await ClaimAsync(TestStore.At.AddSeconds(5), limit: 100);
        await using var third = await ClaimAsync(TestStore.At.AddSeconds(5), limit: 100);
        Assert.Equal(["f9", "f8"], Ids(first));
        Assert.Equal(["f7", "f6", "f5"], Ids(second));
        Assert.Empty(third.Fleets);
    }

    [Fact]
    public async Task A_tenants_fleets_come_together_by_the_longest_due_of_a_hundred()
    {
        for (var i = 0; i <= DueFleets.Together; i++)
            await PutAsync($"f{i:000}", dueAfterSeconds: 10 * i);
        foreach (var seconds in (int[])[5, 15, 995])
            await _store.PutFleetAsync("another", $"after-{seconds}", Cancel, TestStore.At.AddSeconds(seconds));
        await using var claim = await ClaimAsync(TestStore.At.AddHours(1), limit: 104);
        Assert.Equal(
            [
                .. Enumerable.Range(0, DueFleets.Together).Select(i => $"f{i:000}"),
                "after-5",
                "after-15",
                "after-995",
                $"f{DueFleets.Together:000}",
            ],
            Ids(claim)
        );
    }

    [Fact]
    public async Task Fleets_of_all_tenants_are_claimed()
    {
        await PutAsync("chat");
        await _store.PutFleetAsync("another", "chat", Cancel);
        await using var claim = await ClaimAsync(TestStore.At);
        Assert.Equal(
            [new FleetKey("another", "chat"), new FleetKey(_tenant, "chat")],
            claim.Fleets.OrderBy(key => key.Tenant)
        );
    }

    [Fact]
    public async Task Concurrent_claims_never_overlap_and_leave_none_out()
    {
        for (var i = 0; i < 40; i++)
            await PutAsync($"f{i}");
        var claims = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => Task.Run(() => ClaimAsync(TestStore.At, limit: 5), Cancel))
        );
        Assert.All(claims, claim => Assert.Equal(5, claim.Fleets.Count));
        Assert.Distinct(claims.SelectMany(claim => claim.Fleets));
        foreach (var claim in claims)
            await claim.DisposeAsync();
    }

    [Fact]
    public async Task A_claim_holds_until_it_is_let_go_of()
    {
        await PutAsync("chat");
        await using (var claim = await ClaimAsync(TestStore.At))
        {
            Assert.Single(claim.Fleets);
            await using var meanwhile = await ClaimAsync(TestStore.At.AddYears(1));
            Assert.Empty(meanwhile.Fleets);
        }

        await using var afterwards = await ClaimAsync(TestStore.At);
        Assert.Single(afterwards.Fleets);
    }

    [Fact]
    public async Task A_claim_ends_with_the_connection_of_whoever_holds_it()
    {
        await PutAsync("chat");
        var lost = await ClaimAsync(TestStore.At);
        Assert.Single(lost.Fleets);
        await _store.Database.QueryAsync<bool>(
            "select bool_and(pg_terminate_backend(pid)) from pg_locks where locktype = 'advisory' and database = "
                + "(select oid from pg_database where datname = current_database())",
            Cancel
        );
        await Eventually.TrueAsync(
            async () =>
            {
                await using var claim = await ClaimAsync(TestStore.At);
                return claim.Fleets.Count == 1;
            },
            "the lost claim to be free",
            Cancel
        );
        // What it held went with its connection.
        await lost.DisposeAsync();
    }

    [Fact]
    public async Task Retired_fleets_are_never_claimed()
    {
        await PutAsync("chat");
        await _store.RetireAsync(_tenant, "chat", Cancel);
        await using var claim = await ClaimAsync(TestStore.At.AddYears(1));
        Assert.Empty(claim.Fleets);
    }

    [Fact]
    public async Task A_solved_fleet_is_due_a_period_later()
    {
        await PutAsync("chat");
        Assert.True(await _store.PublishAsync(_tenant, "chat", Cancel));
        await using var early = await ClaimAsync(TestStore.At.AddSeconds(299));
        Assert.Empty(early.Fleets);
        await using var intime = await ClaimAsync(TestStore.At.AddSeconds(300));
        Assert.Single(intime.Fleets);
    }

    [Fact]
    public async Task A_request_or_a_revision_makes_a_solved_fleet_due_at_once()
    {
        await PutAsync("chat");
        Assert.True(await _store.PublishAsync(_tenant, "chat", Cancel));
        Assert.True(await _store.Fleets.RequestSolveAsync(_tenant, "chat", TestStore.At, Cancel));
        await using (var requested = await ClaimAsync(TestStore.At))
            Assert.Single(requested.Fleets);
        Assert.True(await _store.PublishAsync(_tenant, "chat", Cancel));
        await _store.Fleets.PutAsync(
            _tenant,
            "chat",
            TestStore.Definition with
            {
                DisplayName = "Revised",
            },
            null,
            "ci",
            TestStore.At,
            Cancel
        );
        await using var revised = await ClaimAsync(TestStore.At);
        Assert.Single(revised.Fleets);
    }

    private Task PutAsync(string fleet, int dueAfterSeconds = 0) =>
        _store.PutFleetAsync(_tenant, fleet, Cancel, TestStore.At.AddSeconds(dueAfterSeconds));

    private Task<FleetClaim> ClaimAsync(DateTimeOffset now, int limit = 100) =>
        _store.Due.ClaimAsync(now, limit, Cancel);

    private static IEnumerable<string> Ids(FleetClaim claim) => claim.Fleets.Select(key => key.Fleet);
}
