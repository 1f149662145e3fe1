using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Platform.Workers.Ingestion;

/// <summary>
/// Healthy unless the last try to store windows has failed for a reason that lies in the database: its disk may be full
/// while it answers every question.
/// </summary>
internal sealed class IntakeCheck : IHealthCheck
{
    private volatile string? _fault;

    /// <summary>Windows were stored.</summary>
    public void Succeeded() => _fault = null;

    /// <summary>Windows could not be stored, and wait for the next try.</summary>
    public void Failed(string reason) => _fault = reason;

    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    ) => Task.FromResult(_fault is { } fault ? HealthCheckResult.Unhealthy(fault) : HealthCheckResult.Healthy());
}
