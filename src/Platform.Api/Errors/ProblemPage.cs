using System.Text;
using System.Text.Encodings.Web;
using Microsoft.Net.Http.Headers;
using Platform.Api.Dashboard;

namespace Platform.Api.Errors;

/// <summary>A problem as a page, for whoever looks with a browser.</summary>
internal sealed class ProblemPage(HtmlEncoder html) : IProblemDetailsWriter
{
    private const string Html = "text/html";

    public bool CanWrite(ProblemDetailsContext context) =>
        !context.HttpContext.Request.Path.StartsWithSegments("/v1")
        && !context.HttpContext.Request.Path.StartsWithSegments("/health")
        && MediaTypeHeaderValue.TryParseList(context.HttpContext.Request.Headers.Accept, out var accepted)
        && accepted.Any(it => it.MediaType.Equals(Html, StringComparison.OrdinalIgnoreCase));

    public async ValueTask WriteAsync(ProblemDetailsContext context)
    {
        var (problem, response) = (context.ProblemDetails, context.HttpContext.Response);
        BrowserRules.Apply(response.Headers);
        response.ContentType = Html + "; charset=utf-8";
        var trace = problem.Extensions.TryGetValue("traceId", out var id) ? $"{id}" : "";
        await response.WriteAsync(
            $"""
            <!doctype html>
            <html lang="en">
            <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <meta name="color-scheme" content="light dark">
                <title>{html.Encode(TitleOf(problem.Status) ?? problem.Title ?? "")} · Allocation platform</title>
                <link rel="icon" href="{DashboardAssets.PathOf("icon.svg")}">
                <link rel="stylesheet" href="{DashboardAssets.PathOf("dashboard.css")}">
            </head>
            <body>
                <main class="narrow card">
                    <h1>{html.Encode(TitleOf(problem.Status) ?? problem.Title ?? "")}</h1>
                    <p>{html.Encode(problem.Detail ?? problem.Title ?? "")}</p>
                    <p><a href="/">All fleets</a></p>
                    <p class="hint">Status {problem.Status}, trace {html.Encode(trace)}</p>
                </main>
            </body>
            </html>

            """,
            Encoding.UTF8,
            context.HttpContext.RequestAborted
        );
    }

    private static string? TitleOf(int? status) =>
        status switch
        {
            StatusCodes.Status404NotFound => "There is no such page, fleet or version",
            StatusCodes.Status403Forbidden => "This key may not do that",
            _ => null,
        };
}
