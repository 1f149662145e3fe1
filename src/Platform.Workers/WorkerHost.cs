using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Platform.Persistence;
using Platform.Workers.Ingestion;
using Platform.Workers.Notices;
using Platform.Workers.Solving;
using Platform.Workers.Transparency;
using Platform.Workers.Webhooks;

namespace Platform.Workers;

/// <summary>
/// Puts a worker process together: intake from the broker, solving by timetable, and a word on its health.
/// </summary>
internal static class WorkerHost
{
    public static void AddWorkers(this WebApplicationBuilder builder)
    {
        builder
            .Services.AddOptions<WorkerOptions>()
            .BindConfiguration("Platform")
            .ValidateDataAnnotations()
            .ValidateOnStart();
        var options =
            builder.Configuration.GetRequiredSection("Platform").Get<WorkerOptions>()
            ?? throw new InvalidOperationException("The section Platform is missing from the configuration.");
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(_ => new PlatformStore(options.Postgres, options.Databases));
        builder.Services.AddSingleton<DatabaseCheck>();
        // Each gives up by itself in time for the answer to come within 5 s.
        builder.Services.AddHealthChecks().AddCheck<DatabaseCheck>("database", tags: ["ready"]);
        builder.Services.AddIngestion(options);
        builder.Services.AddSolving(options);
        builder.Services.AddTransparency(options);
        if (options.Announces)
            builder.Services.AddNotices();
        builder.Services.AddWebhooks(options);
        builder.AddTelemetry();
    }

    public static void MapWorker(this WebApplication host)
    {
        host.MapPrometheusScrapingEndpoint();
        host.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        host.MapHealthChecks(
            "/health/ready",
            new HealthCheckOptions { Predicate = check => check.Tags.Contains("ready") }
        );
    }
}
