using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Platform.Api.Dashboard;

/// <summary>
/// Style, scripts and icon of the dashboard, from the program itself. uPlot is that of npm's package, its licence
/// beside it; whoever takes a newer one copies <c>dist/uPlot.iife.min.js</c> and <c>dist/uPlot.min.css</c>.
/// </summary>
internal static class DashboardAssets
{
    private static readonly Dictionary<string, string> ContentTypes = new(StringComparer.Ordinal)
    {
        ["dashboard.css"] = "text/css; charset=utf-8",
        ["dashboard.js"] = "text/javascript; charset=utf-8",
        ["uplot.css"] = "text/css; charset=utf-8",
        ["uplot.js"] = "text/javascript; charset=utf-8",
        ["icon.svg"] = "image/svg+xml",
    };

    private static readonly Dictionary<string, (byte[] Bytes, string Digest)> Files = ContentTypes.Keys.ToDictionary(
        name => name,
        Read,
        StringComparer.Ordinal
    );

    /// <summary>The address of a file; it changes with the file, so that browsers may keep what they have.</summary>
    public static string PathOf(string name) => $"/assets/{Files[name].Digest}/{name}";

    public static void MapAssets(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(
                "/assets/{digest}/{name}",
                Results<FileContentHttpResult, NotFound> (string digest, string name, HttpResponse response) =>
                {
                    if (!Files.TryGetValue(name, out var file) || file.Digest != digest)
                        return TypedResults.NotFound();
                    response.Headers.CacheControl = "public, max-age=31536000, immutable";
                    response.Headers.XContentTypeOptions = "nosniff";
                    return TypedResults.Bytes(file.Bytes, ContentTypes[name]);
                }
            )
            .ExcludeFromDescription();

    private static (byte[] Bytes, string Digest) Read(string name)
    {
        using var stream = typeof(DashboardAssets).Assembly.GetManifestResourceStream($"assets/{name}")!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return (bytes, Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]);
    }
}
