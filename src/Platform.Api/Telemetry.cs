using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Platform.Api.Ingestion;
using Platform.Api.Snapshots;

namespace Platform.Api;

/// <summary>
/// What an API process says about itself: metrics under <c>/metrics</c>; these, traces and logs by OTLP too where the
/// environment names a collector (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c>; OpenTelemetry's other variables do as they are
/// documented).
/// </summary>
internal static class Telemetry
{
    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        var sends = !string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        var telemetry = builder
            .Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("allocation-api"));
        telemetry.WithMetrics(metrics =>
        {
            metrics
                .AddMeter(
                    ChangeListening.MeterName,
                    AllocationReads.MeterName,
                    "Microsoft.AspNetCore.Hosting",
                    "Microsoft.AspNetCore.RateLimiting",
                    "Npgsql",
                    "System.Runtime"
                )
                // Counted at each request's begin and end, which takes longer than an allocation from memory.
                .AddView("http.server.active_requests", MetricStreamConfiguration.Drop)
                .AddPrometheusExporter();
            if (sends)
                metrics.AddOtlpExporter();
        });
        if (!sends)
            return;
        telemetry.WithTracing(traces =>
            traces.AddAspNetCoreInstrumentation().AddSource(StatisticsPublisher.SourceName, "Npgsql").AddOtlpExporter()
        );
        telemetry.WithLogging(logs => logs.AddOtlpExporter());
    }
}
