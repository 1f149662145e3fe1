using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Platform.Persistence;

/// <summary>
/// Healthy while the database answers, and each further one that holds tenants. Every host's readiness depends on the
/// main one; without another, those whose tenants are elsewhere are still served. One for a process.
/// </summary>
public sealed class DatabaseCheck(PlatformStore store) : IHealthCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly Lock _gate = new();
    private Task<Exception?> _ping = Task.FromResult<Exception?>(null);

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken
    )
    {
        Task<Exception?> ping;
        // However many ask, the database is asked once at a time. A ping is given up from outside: while the database
        // neither answers nor refuses, Npgsql's own way of giving up waits for it.
        lock (_gate)
            ping = _ping.IsCompleted
                ? _ping = store.PingAsync(Patience).WaitAsync(Patience, CancellationToken.None)
                : _ping;
        return await ping.WaitAsync(cancellationToken) is { } fault
            ? HealthCheckResult.Degraded("A database that holds some of the tenants is away.", fault)
            : HealthCheckResult.Healthy();
    }
}
