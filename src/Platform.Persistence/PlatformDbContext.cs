using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Platform.Domain.Contracts;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;
using Platform.Domain.Snapshots;
using Platform.Persistence.Fleets;
using Platform.Persistence.Ingestion;
using Platform.Persistence.Notices;
using Platform.Persistence.Snapshots;
using Platform.Persistence.Solving;
using Platform.Persistence.Tenants;
using Platform.Persistence.Transparency;
using Platform.Persistence.Webhooks;

namespace Platform.Persistence;

/// <summary>
/// The read side. Every query sees the rows of one tenant; what looks across tenants says so by ignoring the filter.
/// </summary>
internal sealed class PlatformDbContext(DbContextOptions<PlatformDbContext> options, string tenant) : DbContext(options)
{
    /// <summary>PostgreSQL schema of these tables.</summary>
    public const string Schema = "platform";

    public DbSet<TenantRow> Tenants => Set<TenantRow>();

    public DbSet<ApiKeyRow> ApiKeys => Set<ApiKeyRow>();

    public DbSet<FleetRow> Fleets => Set<FleetRow>();

    public DbSet<WorkloadSumsRow> WorkloadSums => Set<WorkloadSumsRow>();

    public DbSet<SnapshotRow> Snapshots => Set<SnapshotRow>();

    public DbSet<InForceChangeRow> InForceChanges => Set<InForceChangeRow>();

    public DbSet<LogQueueRow> LogQueue => Set<LogQueueRow>();

    public DbSet<LogEntryRow> LogEntries => Set<LogEntryRow>();

    public DbSet<LogCheckpointRow> LogCheckpoints => Set<LogCheckpointRow>();

    public DbSet<RejectionDecisionRow> RejectionDecisions => Set<RejectionDecisionRow>();

    public DbSet<RejectionRow> Rejections => Set<RejectionRow>();

    public DbSet<WebhookRow> Webhooks => Set<WebhookRow>();

    public DbSet<WebhookDeliveryRow> WebhookDeliveries => Set<WebhookDeliveryRow>();

    // Read through the instance, so that the filters of the shared model see this context's tenant.
    private string CurrentTenant => tenant;

    protected override void OnModelCreating(ModelBuilder model)
    {
        model.HasDefaultSchema(Schema);

        model.Entity<TenantRow>().ToTable("tenants").HasKey(row => row.TenantId);
        model.Entity<TenantRow>().HasQueryFilter(row => row.TenantId == CurrentTenant);

        model.Entity<TenantDatabaseRow>().ToTable("tenant_databases").HasKey(row => row.TenantId);
        model.Entity<TenantDatabaseRow>().HasQueryFilter(row => row.TenantId == CurrentTenant);

        model.Entity<ApiKeyRow>().ToTable("api_keys").HasKey(row => row.KeyId);
        model.Entity<ApiKeyRow>().HasIndex(row => row.TenantId);
        model.Entity<ApiKeyRow>().HasQueryFilter(row => row.TenantId == CurrentTenant);

        var fleet = model.Entity<FleetRow>().ToTable("fleets");
        fleet.HasKey(row => new { row.TenantId, row.FleetId });
        fleet.HasQueryFilter(row => row.TenantId == CurrentTenant);
        fleet.Property(row => row.Definition).HasColumnType("jsonb").HasConversion(Json<FleetDefinition>());
        fleet.Property(row => row.Pin).HasColumnType("jsonb").HasConversion(Json<AllocationPin?>());
        fleet.Property(row => row.Proposal).HasColumnType("jsonb").HasConversion(Json<AllocationProposal?>());
        fleet.Property(row => row.Alarm).HasColumnType("jsonb").HasConversion(Json<LoadAlarm?>());
        fleet.Property(row => row.Concerns).HasColumnType("jsonb").HasConversion(Json<IReadOnlyList<FleetConcern>?>());
        fleet
            .Property(row => row.DueReason)
            .HasConversion(reason => SolveReasonNames.NameOf(reason), name => SolveReasonNames.ReasonOf(name))
            .HasDefaultValue(SolveReason.Periodic);
        fleet
            .Property(row => row.SolveReason)
            .HasConversion(reason => SolveReasonNames.NameOf(reason!.Value), name => SolveReasonNames.ReasonOf(name));
        // The sweep's question: which fleets are due? Retired ones are never.
        fleet.HasIndex(row => row.DueAt).HasFilter("retired_at is null").HasDatabaseName("ix_fleets_due");

        model.Entity<WorkloadSumsRow>().ToTable("workload_sums").HasKey(row => new { row.TenantId, row.FleetId });
        model.Entity<WorkloadSumsRow>().HasQueryFilter(row => row.TenantId == CurrentTenant);

        var snapshot = model.Entity<SnapshotRow>().ToTable("allocation_snapshots");
        snapshot.HasKey(row => new
        {
            row.TenantId,
            row.FleetId,
            row.Version,
        });
        snapshot.HasQueryFilter(row => row.TenantId == CurrentTenant);

        var change = model.Entity<InForceChangeRow>().ToTable("in_force_changes");
        change.HasKey(row => new
        {
            row.TenantId,
            row.FleetId,
            row.Change,
        });
        // What was in force at an instant: the last change until then.
        change.HasIndex(row => new
        {
            row.TenantId,
            row.FleetId,
            row.At,
            row.Change,
        });
        change.HasQueryFilter(row => row.TenantId == CurrentTenant);

        model
            .Entity<NoticeQueueRow>()
            .ToTable("notice_queue")
            .HasKey(row => new
            {
                row.TenantId,
                row.FleetId,
                row.Change,
            });
        model.Entity<NoticeQueueRow>().HasQueryFilter(row => row.TenantId == CurrentTenant);

        var waiting = model.Entity<LogQueueRow>().ToTable("log_queue");
        waiting.HasKey(row => row.QueueId);
        waiting.HasIndex(row => row.TenantId);
        waiting.HasQueryFilter(row => row.TenantId == CurrentTenant);

        var entry = model.Entity<LogEntryRow>().ToTable("log_entries");
        entry.HasKey(row => new { row.TenantId, row.Index });
        entry
            .HasIndex(row => new
            {
                row.TenantId,
                row.StreamId,
                row.StreamVersion,
            })
            .IsUnique();
        entry
            .HasIndex(row => new
            {
                row.TenantId,
                row.FleetId,
                row.AllocationVersion,
            })
            .HasFilter("allocation_version is not null");
        entry.HasQueryFilter(row => row.TenantId == CurrentTenant);

        var node = model.Entity<LogNodeRow>().ToTable("log_nodes");
        node.HasKey(row => new
        {
            row.TenantId,
            row.Level,
            row.Index,
        });
        node.HasQueryFilter(row => row.TenantId == CurrentTenant);

        var checkpoint = model.Entity<LogCheckpointRow>().ToTable("log_checkpoints");
        checkpoint.HasKey(row => new { row.TenantId, row.Size });
        checkpoint.HasQueryFilter(row => row.TenantId == CurrentTenant);

        var decision = model.Entity<RejectionDecisionRow>().ToTable("rejection_decisions");
        decision.HasKey(row => row.DecisionId);
        decision.HasIndex(row => new { row.TenantId, row.DecidedAt });
        decision.HasIndex(row => new { row.TenantId, row.RejectedId });
        decision.HasQueryFilter(row => row.TenantId == CurrentTenant);

        var rejection = model.Entity<RejectionRow>().ToTable("rejections");
        rejection.HasKey(row => new { row.TenantId, row.RejectedId });
        // The newest first, by which a tenant lists them and the oldest are dropped.
        rejection.HasIndex(row => new
        {
            row.TenantId,
            row.RejectedAt,
            row.RejectedId,
        });
        rejection.HasQueryFilter(row => row.TenantId == CurrentTenant);

        model.Entity<WebhookRow>().ToTable("webhooks").HasKey(row => new { row.TenantId, row.Name });
        model.Entity<WebhookRow>().HasQueryFilter(row => row.TenantId == CurrentTenant);

        var delivery = model.Entity<WebhookDeliveryRow>().ToTable("webhook_deliveries");
        delivery.HasKey(row => new
        {
            row.TenantId,
            row.Webhook,
            row.FleetId,
            row.Change,
        });
        delivery.HasIndex(row => row.DueAt);
        delivery.HasOne<WebhookRow>().WithMany().HasForeignKey(row => new { row.TenantId, row.Webhook });
        delivery.HasQueryFilter(row => row.TenantId == CurrentTenant);
    }

    private static ValueConverter<T, string> Json<T>() =>
        new(
            value => System.Text.Encoding.UTF8.GetString(StrictJson.Write(value)),
            text => System.Text.Json.JsonSerializer.Deserialize<T>(text, StrictJson.Options)!
        );
}
