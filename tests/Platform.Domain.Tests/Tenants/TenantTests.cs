using Platform.Domain.Tenants;

namespace Platform.Domain.Tests.Tenants;

public sealed class TenantTests
{
    private static readonly DateTimeOffset Then = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Now = Then.AddHours(1);

    // One list for all: a record compares its list by reference.
    private static readonly string[] AllScopes = [.. Scopes.All];

    private static readonly TenantEvent Registered = new TenantRegistered { DisplayName = "A team", At = Then };
    private static readonly TenantEvent Suspended = new TenantSuspended { At = Then };

    [Fact]
    public void A_new_tenant_is_registered() =>
        Tenant.Register(After(), "A team", Now).Happens(new TenantRegistered { DisplayName = "A team", At = Now });

    [Fact]
    public void A_taken_id_is_refused() =>
        Tenant.Register(After(Registered), "A team", Now).IsRefusedAs(Refusal.Conflict, "the id is taken");

    [Fact]
    public void The_id_of_a_suspended_tenant_stays_taken() =>
        Tenant
            .Register(After(Registered, Suspended), "Another team", Now)
            .IsRefusedAs(Refusal.Conflict, "the id is taken");

    [Fact]
    public void A_tenant_is_suspended() =>
        Tenant.Suspend(After(Registered), Now).Happens(new TenantSuspended { At = Now });

    [Fact]
    public void A_suspended_tenant_is_suspended_again_without_effect() =>
        Tenant.Suspend(After(Registered, Suspended), Now).ChangesNothing();

    [Fact]
    public void A_tenant_that_never_was_cannot_be_suspended() =>
        Tenant.Suspend(After(), Now).IsRefusedAs(Refusal.NotFound, "there is no such tenant");

    [Fact]
    public void A_key_is_issued() => Tenant.IssueKey(After(Registered), Issued("one")).Happens(Issued("one"));

    [Fact]
    public void A_tenant_that_never_was_gets_no_key() =>
        Tenant.IssueKey(After(), Issued("one")).IsRefusedAs(Refusal.NotFound, "there is no such tenant");

    [Fact]
    public void A_suspended_tenant_gets_no_key() =>
        Tenant
            .IssueKey(After(Registered, Suspended), Issued("one"))
            .IsRefusedAs(Refusal.Conflict, "the tenant is suspended");

    [Fact]
    public void A_broker_password_is_issued() =>
        Tenant
            .IssueBrokerPassword(After(Registered, new BrokerPasswordIssued { At = Then }), Now)
            .Happens(new BrokerPasswordIssued { At = Now });

    [Fact]
    public void A_tenant_that_never_was_gets_no_broker_password() =>
        Tenant.IssueBrokerPassword(After(), Now).IsRefusedAs(Refusal.NotFound, "there is no such tenant");

    [Fact]
    public void A_suspended_tenant_gets_no_broker_password() =>
        Tenant
            .IssueBrokerPassword(After(Registered, Suspended), Now)
            .IsRefusedAs(Refusal.Conflict, "the tenant is suspended");

    [Fact]
    public void A_key_is_revoked() =>
        Tenant.RevokeKey(After(Registered, Issued("one")), "one", Now).Happens(Revoked("one", Now));

    [Fact]
    public void A_key_of_a_suspended_tenant_can_still_be_revoked() =>
        Tenant.RevokeKey(After(Registered, Issued("one"), Suspended), "one", Now).Happens(Revoked("one", Now));

    [Fact]
    public void A_revoked_key_cannot_be_revoked_again() =>
        Tenant
            .RevokeKey(After(Registered, Issued("one"), Revoked("one", Then)), "one", Now)
            .IsRefusedAs(Refusal.NotFound, "there is no such key");

    [Fact]
    public void A_key_that_never_was_cannot_be_revoked() =>
        Tenant
            .RevokeKey(After(Registered, Issued("one")), "two", Now)
            .IsRefusedAs(Refusal.NotFound, "there is no such key");

    [Fact]
    public void A_tenant_that_never_was_has_no_key_to_revoke() =>
        Tenant.RevokeKey(After(), "one", Now).IsRefusedAs(Refusal.NotFound, "there is no such key");

    [Fact]
    public void The_state_holds_the_keys_that_are_not_revoked()
    {
        var tenant = After(Registered, Issued("one"), Issued("two"), Revoked("one", Then), Suspended)!;
        Assert.Equal(["two"], tenant.Keys);
        Assert.Equal(("A team", true), (tenant.DisplayName, tenant.IsSuspended));
    }

    [Fact]
    public void A_webhook_is_put_changed_and_removed()
    {
        Tenant.PutWebhook(After(Registered), Put("gateway", Now)).Happens(Put("gateway", Now));
        Tenant.PutWebhook(After(Registered, Put("gateway", Then)), Put("gateway", Now)).Happens(Put("gateway", Now));
        var removed = new WebhookRemoved
        {
            At = Now,
            Webhook = "gateway",
            By = "ci",
        };
        Tenant.ChangeWebhook(After(Registered, Put("gateway", Then)), removed).Happens(removed);
        Tenant
            .ChangeWebhook(After(Registered, Put("gateway", Then), removed), removed)
            .IsRefusedAs(Refusal.NotFound, "there is no such webhook");
        Tenant.ChangeWebhook(After(), removed).IsRefusedAs(Refusal.NotFound, "there is no such webhook");
    }

    [Fact]
    public void A_suspended_tenant_has_no_webhook_and_gets_none()
    {
        Assert.Empty(After(Registered, Put("gateway", Then), Suspended)!.Webhooks);
        Tenant
            .PutWebhook(After(Registered, Suspended), Put("gateway", Now))
            .IsRefusedAs(Refusal.Conflict, "the tenant is suspended");
        Tenant.PutWebhook(After(), Put("gateway", Now)).IsRefusedAs(Refusal.NotFound, "there is no such tenant");
    }

    [Fact]
    public void A_tenant_has_ten_webhooks_at_most_and_may_change_each()
    {
        TenantEvent[] history =
        [
            Registered,
            .. Enumerable.Range(0, Tenant.MaxWebhooks).Select(i => Put($"hook-{i}", Then)),
        ];
        Tenant.PutWebhook(After(history), Put("hook-3", Now)).Happens(Put("hook-3", Now));
        Tenant
            .PutWebhook(After(history), Put("another", Now))
            .IsRefusedAs(Refusal.Quota, "the tenant has 10 webhooks and may have no more: remove one");
    }

    public static TheoryData<string> ImpossibleHistories => [.. Impossible.Keys];

    [Theory]
    [MemberData(nameof(ImpossibleHistories))]
    public void An_impossible_history_is_refused(string history) =>
        Assert.Throws<InvalidOperationException>(() => After([.. Impossible[history]]));

    private static readonly Dictionary<string, TenantEvent[]> Impossible = new()
    {
        ["webhook before registered"] = [Put("gateway", Then)],
        ["webhook after suspended"] = [Registered, Suspended, Put("gateway", Then)],
        ["webhook disabled that never was"] =
        [
            Registered,
            new WebhookDisabled
            {
                At = Then,
                Webhook = "gateway",
                Reason = "answered 410",
            },
        ],
        ["webhook removed twice"] =
        [
            Registered,
            Put("gateway", Then),
            new WebhookRemoved
            {
                At = Then,
                Webhook = "gateway",
                By = "ci",
            },
            new WebhookRemoved
            {
                At = Then,
                Webhook = "gateway",
                By = "ci",
            },
        ],
        ["suspended before registered"] = [Suspended],
        ["key before registered"] = [Issued("one")],
        ["key revoked before registered"] = [Revoked("one", Then)],
        ["registered twice"] = [Registered, Registered],
        ["suspended twice"] = [Registered, Suspended, Suspended],
        ["key after suspended"] = [Registered, Suspended, Issued("one")],
        ["key revoked that never was"] = [Registered, Revoked("one", Then)],
        ["key revoked twice"] = [Registered, Issued("one"), Revoked("one", Then), Revoked("one", Then)],
    };

    private static Tenant? After(params ReadOnlySpan<TenantEvent> history) =>
        Given.History<Tenant, TenantEvent>(Tenant.Evolve, history);

    private static WebhookPut Put(string name, DateTimeOffset at) =>
        new()
        {
            At = at,
            Webhook = name,
            Receiver = "https://hooks.example.org",
            By = "ci",
        };

    private static ApiKeyIssued Issued(string id) =>
        new()
        {
            KeyId = id,
            Name = "ci",
            Scopes = AllScopes,
            At = Then,
        };

    private static ApiKeyRevoked Revoked(string id, DateTimeOffset at) => new() { KeyId = id, At = at };
}
