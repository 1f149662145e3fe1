using System.Globalization;
using System.Security.Claims;
using System.Text;
using Platform.Api.Authentication;
using Platform.Api.Errors;
using Platform.Domain.Contracts;
using Platform.Domain.Snapshots;
using Platform.Domain.Tenants;
using Platform.Persistence;
using Platform.Persistence.Snapshots;

namespace Platform.Api.Snapshots;

/// <summary>The tenants' call that hands out a whole history.</summary>
internal static class ExportEndpoints
{
    private const string Csv = "text/csv";
    private const string Ndjson = "application/x-ndjson";

    public static void AddExports(this IServiceCollection services) =>
        services.AddSingleton(provider => new SnapshotExport(provider.GetRequiredService<PlatformStore>()));

    public static void MapExports(this IEndpointRouteBuilder v1) =>
        v1.MapGet("/fleets/{fleet}/allocations/export", ExportAsync)
            .WithTags("Allocations")
            .RequireAuthorization(Scopes.Read)
            .Produces(200, contentType: Ndjson, additionalContentTypes: Csv)
            .ProducesProblem(400)
            .ProducesProblem(401)
            .ProducesProblem(403)
            .ProducesProblem(404)
            .WithSummary(
                "The history, oldest first: format=ndjson (a canonical document a line) or csv (a line for each version and task type)"
            );

    /// <summary>The history as a file.</summary>
    public static async Task<IResult> ExportAsync(
        string fleet,
        string? format,
        string? from,
        string? to,
        HttpContext http,
        ClaimsPrincipal caller,
        SnapshotExport export,
        CancellationToken cancel
    )
    {
        if (format is not (null or "ndjson" or "csv"))
            return Problems.BadInput(new InputError("/format", "must be csv or ndjson"));
        if (!TryReadVersion(from, 1, out var first))
            return Problems.BadInput(new InputError("/from", "must be a version"));
        if (!TryReadVersion(to, int.MaxValue, out var last) || last < first)
            return Problems.BadInput(new InputError("/to", "must be a version, and not before from"));
        if (!await export.IsFleetAsync(caller.Tenant(), fleet, cancel))
            return Problems.NotFound("fleet");

        http.Response.Headers.ContentDisposition = $"attachment; filename=\"{fleet}-allocations.{format ?? "ndjson"}\"";
        http.Response.Headers.CacheControl = "private, no-cache";
        var snapshots = export.ReadAsync(caller.Tenant(), fleet, first, last, cancel);
        return format == "csv"
            ? TypedResults.Stream(
                body => WriteCsvAsync(body, snapshots, cancel),
                $"{Csv}; charset=utf-8; header=present"
            )
            : TypedResults.Stream(body => WriteNdjsonAsync(body, snapshots, cancel), Ndjson);
    }

    private static bool TryReadVersion(string? text, int otherwise, out int version)
    {
        version = otherwise;
        return text is null
            || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out version) && version > 0);
    }

    /// <summary>A line is the document byte for byte: its SHA-256 is its hash.</summary>
    private static async Task WriteNdjsonAsync(
        Stream body,
        IAsyncEnumerable<StoredSnapshot> snapshots,
        CancellationToken cancel
    )
    {
        await foreach (var snapshot in snapshots)
        {
            await body.WriteAsync(snapshot.Document, cancel);
            await body.WriteAsync("\n"u8.ToArray(), cancel);
        }
    }

    private static async Task WriteCsvAsync(
        Stream body,
        IAsyncEnumerable<StoredSnapshot> snapshots,
        CancellationToken cancel
    )
    {
        await body.WriteAsync(Encoding.UTF8.GetBytes(SnapshotCsv.Header), cancel);
        await foreach (var snapshot in snapshots)
            await body.WriteAsync(
                Encoding.UTF8.GetBytes(SnapshotCsv.Lines(snapshot.Hash, ComparisonEndpoints.Read(snapshot))),
                cancel
            );
    }
}
