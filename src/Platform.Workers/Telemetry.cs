using System.Diagnostics.Metrics;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Platform.Workers.Ingestion;
using Platform.Workers.Solving;
using Platform.Workers.Webhooks;

namespace Platform.Workers;

/// <summary>
/// What a worker says about itself: metrics under <c>/metrics</c>; these, traces and logs by OTLP too where the
/// environment names a collector (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c>; OpenTelemetry's other variables do as they are
/// documented).
/// </summary>
internal static class Telemetry
{
    /// <summary>Bounds in seconds, from a small transaction to an outage.</summary>
    public static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    };

    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        var sends = !string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        var telemetry = builder
            .Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("allocation-worker"));
        telemetry.WithMetrics(metrics =>
        {
            metrics
                .AddMeter(
                    WorkloadWindowConsumer.SourceName,
                    FleetSolving.SourceName,
                    WebhookSending.SourceName,
                    "Npgsql",
                    "System.Runtime"
                )
                .AddPrometheusExporter();
            if (sends)
                metrics.AddOtlpExporter();
        });
        if (!sends)
            return;
        telemetry.WithTracing(traces =>
            traces.AddSource(WorkloadWindowConsumer.SourceName, FleetSolving.SourceName, "Npgsql").AddOtlpExporter()
        );
        telemetry.WithLogging(logs => logs.AddOtlpExporter());
    }
}
