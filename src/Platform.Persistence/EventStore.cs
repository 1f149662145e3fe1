using JasperFx;
using JasperFx.MultiTenancy;
using Marten;
using Npgsql;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;
using Platform.Domain.Tenants;
using UUIDNext;

namespace Platform.Persistence;

/// <summary>Marten as the platform uses it: the names of events and the identities of streams are permanent.</summary>
public static class EventStore
{
    /// <summary>PostgreSQL schema of Marten's tables.</summary>
    public const string Schema = "events";

    /// <summary>The stored name of <see cref="WorkloadVoided"/>, which statements look for.</summary>
    internal const string VoidedName = "workload-voided";

    /// <summary>The stored name of <see cref="WorkloadWindowRecorded"/>, which statements look for.</summary>
    internal const string RecordedName = "workload-window-recorded";

    /// <summary>The stored name of each event type. Never change one: stored events are found by it.</summary>
    public static readonly IReadOnlyDictionary<Type, string> EventNames = new Dictionary<Type, string>
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
        [typeof(WorkloadWindowRecorded)] = RecordedName,
        [typeof(WorkloadVoided)] = VoidedName,
    };

    private static readonly Guid Namespace = new("6c1f0f5e-1d0a-4d5c-9d0e-7a0a3f2f8a11");

    /// <summary>The stream of what is decided about a tenant.</summary>
    public static Guid TenantStream(string tenant) => Named("tenant", tenant);

    /// <summary>The stream of what is decided about a fleet.</summary>
    public static Guid FleetStream(string tenant, string fleet) => Named("fleet", tenant, fleet);

    /// <summary>The stream of the workload windows of a fleet.</summary>
    public static Guid WorkloadStream(string tenant, string fleet) => Named("workload", tenant, fleet);

    /// <summary>What stands for the tenant's log where it is locked.</summary>
    internal static Guid LogOf(string tenant) => Named("log", tenant);

    /// <summary>What stands for the tenant's notices where they are locked.</summary>
    internal static Guid NoticesOf(string tenant) => Named("notices", tenant);

    /// <summary>What stands for the tenant's rejections where they are locked.</summary>
    internal static Guid RejectionsOf(string tenant) => Named("rejections", tenant);

    /// <summary>
    /// The id under which a message's event is stored, unique over all tenants: a message has one, however often it
    /// comes.
    /// </summary>
    public static Guid MessageEvent(string tenant, Guid messageId) => Named("message", tenant, messageId.ToString("D"));

    /// <summary>The message id for a text that a client chose as its idempotency key.</summary>
    public static Guid MessageIdFor(string tenant, string fleet, string idempotencyKey) =>
        Named("idempotency-key", tenant, fleet, idempotencyKey);

    internal static DocumentStore Open(NpgsqlDataSource dataSource, AutoCreate autoCreate) =>
        DocumentStore.For(options =>
        {
            options.Connection(dataSource);
            options.DatabaseSchemaName = Schema;
            options.AutoCreateSchemaObjects = autoCreate;
            options.UseSystemTextJsonForSerialization(
                Weasel.Core.EnumStorage.AsString,
                Weasel.Core.Casing.CamelCase,
                json => json.DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull
            );
            options.Events.TenancyStyle = TenancyStyle.Conjoined;
            options.Events.EnableUniqueIndexOnEventId = true;
            options.Advanced.DefaultTenantUsageEnabled = false;
            // Marten would try a failed write again in our transaction, which is rolled back by then, and report that in
            // place of the reason.
            options.ConfigureWritePolly(_ => { });
            foreach (var (type, name) in EventNames)
                options.Events.MapEventType(type, name);
        });

    // '/' is in no id, so that no two lists of parts give the same text.
    private static Guid Named(params ReadOnlySpan<string> parts) =>
        Uuid.NewNameBased(Namespace, string.Join('/', parts));
}
