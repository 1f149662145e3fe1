using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Platform.Persistence;

/// <summary>Healthy while the database answers. Every host's readiness depends on it. One for a process.</summary>
public sealed class DatabaseCheck(PlatformStore store) : IHealthCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly Lock _gate = new();
    private Task _ping = Task.CompletedTask;

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken)
    {
        Task ping;
        // However many ask, the database is asked once at a time. A ping is given up from outside: while the database neither answers nor
        // refuses, Npgsql's own way of giving up waits for it.
        lock (_gate)
            ping = _ping.IsCompleted ? _ping = store.PingAsync(Patience).WaitAsync(Patience, CancellationToken.None) : _ping;
        await ping.WaitAsync(cancellationToken);
        return HealthCheckResult.Healthy();
    }
}
