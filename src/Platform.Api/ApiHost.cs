using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using Platform.Api.Authentication;
using Platform.Api.Dashboard;
using Platform.Api.Documentation;
using Platform.Api.Errors;
using Platform.Api.Fleets;
using Platform.Api.Ingestion;
using Platform.Api.Planning;
using Platform.Api.Snapshots;
using Platform.Api.Tenants;
using Platform.Api.Transparency;
using Platform.Api.Webhooks;
using Platform.Domain.Contracts;
using Platform.Domain.Tenants;
using Platform.Persistence;
using Platform.Persistence.Fleets;
using Platform.Persistence.Ingestion;
using Platform.Persistence.Operations;
using Platform.Persistence.Snapshots;
using Platform.Persistence.Tenants;
using Platform.Persistence.Webhooks;
using Scalar.AspNetCore;

namespace Platform.Api;

/// <summary>Puts an API process together.</summary>
internal static class ApiHost
{
    private const long MaxBodyBytes = 1024 * 1024;

    public static void AddApi(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<ApiOptions>().BindConfiguration("Platform").ValidateOnStart();
        services.AddSingleton<IValidateOptions<ApiOptions>, ApiOptionsValidator>();
        services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MaxRequestBodySize = MaxBodyBytes);
        services.ConfigureHttpJsonOptions(http =>
        {
            http.SerializerOptions.Encoder = StrictJson.Options.Encoder;
            foreach (var converter in StrictJson.Options.Converters)
                http.SerializerOptions.Converters.Add(converter);
        });
        services.AddSingleton(TimeProvider.System);
        services.AddStores();
        services.AddApiKeys();
        services.AddProblems();
        services.AddBroker();
        services.AddStatisticsRate();
        services.AddPlanning();
        services.AddExports();
        services.AddLog();
        services.AddDashboard();
        services.AddJobs();
        builder.AddTelemetry();
        services.AddOpenApi("v1", document => document.AddExamples());
        services.AddSingleton<DatabaseCheck>();
        // Both give up by themselves in time for the answer to come within 5 s.
        services
            .AddHealthChecks()
            .AddCheck<DatabaseCheck>("database", tags: ["ready"])
            .AddCheck<BrokerTopology>("broker", tags: ["ready"]);
    }

    public static void MapApi(this WebApplication host)
    {
        host.UseExceptionHandler();
        host.UseStatusCodePages();
        host.UseWhen(http => !http.Request.Path.StartsWithSegments("/v1"), pages => pages.UseResponseCompression());
        host.UseAuthentication();
        host.UseAuthorization();
        host.UseRateLimiter();
        host.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        host.MapHealthChecks(
            "/health/ready",
            new HealthCheckOptions { Predicate = check => check.Tags.Contains("ready") }
        );
        host.MapPrometheusScrapingEndpoint();
        host.MapOpenApi("/openapi/{documentName}.json");
        host.MapScalarApiReference("/docs");
        var v1 = host.MapGroup("/v1");
        v1.MapTenants();
        v1.MapFleets();
        v1.MapStatistics();
        v1.MapRejections();
        v1.MapAllocations();
        v1.MapOverview();
        v1.MapComparisons();
        v1.MapExports();
        v1.MapPlanning();
        v1.MapLabels();
        v1.MapVoids();
        v1.MapChanges();
        v1.MapLog();
        v1.MapWebhooks();
        host.MapDashboard();
    }

    private static void AddStores(this IServiceCollection services)
    {
        services.AddSingleton(provider => new PlatformStore(Options(provider).Postgres, Options(provider).Databases));
        services.AddSingleton(provider => new TenantRegistry(provider.GetRequiredService<PlatformStore>()));
        services.AddSingleton(provider => new FleetStore(
            provider.GetRequiredService<PlatformStore>(),
            new TenantQuota(Options(provider).Limits.Fleets, Options(provider).Limits.TaskTypes)
        ));
        services.AddSingleton(provider => new WorkloadVoids(provider.GetRequiredService<PlatformStore>()));
        services.AddSingleton(provider => new SnapshotHistory(provider.GetRequiredService<PlatformStore>()));
        services.AddSingleton(provider => new SnapshotVerification(provider.GetRequiredService<PlatformStore>()));
        services.AddSingleton(provider => new ChangeFeed(provider.GetRequiredService<PlatformStore>()));
        services.AddSingleton(provider => new WorkerActivity(provider.GetRequiredService<PlatformStore>()));
        services.AddSingleton(provider => new WebhookRegistry(provider.GetRequiredService<PlatformStore>()));
        services.AddScoped<WebhookEndpoints>();
        services.AddHostedService<ChangeListening>();
        services.AddSingleton<AllocationCache>();
        services.AddScoped<LabelEndpoints>();
        services.AddSingleton<LabelDecisions>();
        services.AddSingleton(provider => new EstimateHistory(provider.GetRequiredService<PlatformStore>()));
    }

    private static ApiOptions Options(IServiceProvider provider) =>
        provider.GetRequiredService<IOptions<ApiOptions>>().Value;
}
