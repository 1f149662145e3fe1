using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;
using Platform.Domain.Tenants;

namespace Platform.Persistence.Tests;

/// <summary>
/// Names and ids under which events are stored. They are in every database there is: when a test here fails, the change
/// is wrong.
/// </summary>
public sealed class EventStoreTests
{
    [Fact]
    public void The_names_of_events_are_permanent() =>
        Assert.Equal(
            new Dictionary<Type, string>
            {
                [typeof(TenantRegistered)] = "tenant-registered",
                [typeof(TenantSuspended)] = "tenant-suspended",
                [typeof(BrokerPasswordIssued)] = "broker-password-issued",
                [typeof(ApiKeyIssued)] = "api-key-issued",
                [typeof(ApiKeyRevoked)] = "api-key-revoked",
                [typeof(AuthenticationFailed)] = "authentication-failed",
                [typeof(WebhookPut)] = "webhook-put",
                [typeof(WebhookSecretReplaced)] = "webhook-secret-replaced",
                [typeof(WebhookRemoved)] = "webhook-removed",
                [typeof(WebhookDisabled)] = "webhook-disabled",
                [typeof(FleetRegistered)] = "fleet-registered",
                [typeof(FleetRevised)] = "fleet-revised",
                [typeof(FleetRetired)] = "fleet-retired",
                [typeof(AllocationPublished)] = "allocation-published",
                [typeof(AllocationApproved)] = "allocation-approved",
                [typeof(AllocationPinned)] = "allocation-pinned",
                [typeof(AllocationUnpinned)] = "allocation-unpinned",
                [typeof(WorkloadWindowRecorded)] = "workload-window-recorded",
                [typeof(WorkloadVoided)] = "workload-voided",
            },
            EventStore.EventNames
        );

    [Fact]
    public void Every_event_of_the_domain_has_a_name_of_its_own()
    {
        var events = typeof(FleetEvent)
            .Assembly.GetTypes()
            .Where(type =>
                !type.IsAbstract && (type.IsSubclassOf(typeof(FleetEvent)) || type.IsSubclassOf(typeof(TenantEvent)))
            );
        Assert.All(events, type => Assert.Contains(type, EventStore.EventNames));
        Assert.Distinct(EventStore.EventNames.Values);
    }

    /// <summary>UUIDv5, computed with Python's uuid module.</summary>
    [Fact]
    public void The_ids_of_streams_and_messages_are_permanent()
    {
        Assert.Equal(new Guid("b6f43471-c68d-569d-b812-7d627ca173d5"), EventStore.TenantStream("acme"));
        Assert.Equal(new Guid("3cd3cbcc-3706-5782-978c-68de9c44f254"), EventStore.FleetStream("acme", "chat-eu"));
        Assert.Equal(new Guid("56260e5d-d85e-558c-9f0e-6ac8fe538ced"), EventStore.WorkloadStream("acme", "chat-eu"));
        Assert.Equal(
            new Guid("8e45dbdb-009f-56d8-8bcc-23c29b64ebfd"),
            EventStore.MessageEvent("acme", new Guid("3f2504e0-4f89-41d3-9a0c-0305e82c3301"))
        );
        Assert.Equal(
            new Guid("c3c795cf-28fd-53e4-89e7-9fac25471663"),
            EventStore.MessageIdFor("acme", "chat-eu", "nightly")
        );
    }
}
