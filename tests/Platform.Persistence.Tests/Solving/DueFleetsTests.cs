using Platform.Persistence.Solving;

namespace Platform.Persistence.Tests.Solving;

/// <summary>Due fleets are looked for over all tenants, so each test has a database of its own.</summary>
public sealed class DueFleetsTests : IAsyncLifetime
{
    private static readonly TimeSpan Claim = TimeSpan.FromSeconds(30);
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
        Assert.Equal(["f8", "f9"], Ids(await ClaimAsync(TestStore.At.AddSeconds(5), limit: 2)));
        Assert.Equal(["f5", "f6", "f7"], Ids(await ClaimAsync(TestStore.At.AddSeconds(5), limit: 100)));
        Assert.Empty(await ClaimAsync(TestStore.At.AddSeconds(5), limit: 100));
    }

    [Fact]
    public async Task Fleets_of_all_tenants_are_claimed()
    {
        await PutAsync("chat");
        await _store.PutFleetAsync("another", "chat", Cancel);
        Assert.Equal([new FleetKey("another", "chat"), new FleetKey(_tenant, "chat")], (await ClaimAsync(TestStore.At)).OrderBy(key => key.Tenant));
    }

    [Fact]
    public async Task Concurrent_claims_never_overlap_and_leave_none_out()
    {
        for (var i = 0; i < 40; i++)
            await PutAsync($"f{i}");
        var claims = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => ClaimAsync(TestStore.At, limit: 5), Cancel)));
        var claimed = claims.SelectMany(claim => claim).ToList();
        Assert.All(claims, claim => Assert.InRange(claim.Count, 0, 5));
        Assert.Distinct(claimed);
        // A row that another claim has locked is passed over, so a claim may come short; what it has left is there for the next.
        Assert.Equal(40, claimed.Concat(await ClaimAsync(TestStore.At)).Distinct().Count());
    }

    [Fact]
    public async Task A_claim_holds_until_it_runs_out()
    {
        await PutAsync("chat");
        Assert.Single(await ClaimAsync(TestStore.At));
        Assert.Empty(await ClaimAsync(TestStore.At.Add(Claim).AddMilliseconds(-1)));
        Assert.Single(await ClaimAsync(TestStore.At.Add(Claim)));
        Assert.Empty(await ClaimAsync(TestStore.At.Add(Claim)));
    }

    [Fact]
    public async Task Retired_fleets_are_never_claimed()
    {
        await PutAsync("chat");
        await _store.Fleets.RetireAsync(_tenant, "chat", "ci", TestStore.At, Cancel);
        Assert.Empty(await ClaimAsync(TestStore.At.AddYears(1)));
    }

    [Fact]
    public async Task A_solve_ends_the_claim_and_the_fleet_is_due_a_period_later()
    {
        await PutAsync("chat");
        Assert.Single(await ClaimAsync(TestStore.At));
        Assert.True(await _store.PublishAsync(_tenant, "chat", Cancel));
        Assert.Empty(await ClaimAsync(TestStore.At.AddSeconds(299)));
        Assert.Single(await ClaimAsync(TestStore.At.AddSeconds(300)));
    }

    [Fact]
    public async Task A_request_or_a_revision_makes_a_claimed_fleet_due_at_once()
    {
        await PutAsync("chat");
        Assert.Single(await ClaimAsync(TestStore.At));
        Assert.True(await _store.Fleets.RequestSolveAsync(_tenant, "chat", TestStore.At, Cancel));
        Assert.Single(await ClaimAsync(TestStore.At));
        await _store.Fleets.PutAsync(
            _tenant, "chat", TestStore.Definition with { DisplayName = "Revised" }, null, "ci", TestStore.At, Cancel);
        Assert.Single(await ClaimAsync(TestStore.At));
    }

    private Task PutAsync(string fleet, int dueAfterSeconds = 0) =>
        _store.PutFleetAsync(_tenant, fleet, Cancel, TestStore.At.AddSeconds(dueAfterSeconds));

    private Task<IReadOnlyList<FleetKey>> ClaimAsync(DateTimeOffset now, int limit = 100) => _store.Due.ClaimAsync(now, Claim, limit, Cancel);

    private static IEnumerable<string> Ids(IEnumerable<FleetKey> keys) => keys.Select(key => key.Fleet).Order(StringComparer.Ordinal);
}
