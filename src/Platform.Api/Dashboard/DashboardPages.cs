using System.Text.Encodings.Web;
using System.Text.Unicode;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.Extensions.WebEncoders;
using Platform.Api.Authentication;
using Platform.Api.Snapshots;

namespace Platform.Api.Dashboard;

/// <summary>The dashboard: pages made on the server, which read the same stores as the calls under /v1.</summary>
internal static class DashboardPages
{
    private static readonly string[] Compressed = ["text/html", "text/css", "text/javascript", "image/svg+xml"];

    public static void AddDashboard(this IServiceCollection services)
    {
        services
            .AddRazorPages(pages =>
            {
                pages.RootDirectory = "/Dashboard";
                pages
                    .Conventions.AuthorizeFolder("/", Session.Policy)
                    .AllowAnonymousToPage("/SignIn")
                    .ConfigureFilter(new BrowserRules());
            })
            .AddApplicationPart(typeof(DashboardPages).Assembly);
        // A page reflects no secret beside what its address says: its antiforgery token is another one each time.
        services.AddResponseCompression(compression =>
            (compression.MimeTypes, compression.EnableForHttps) = (Compressed, true)
        );
        services.AddAntiforgery(antiforgery =>
        {
            antiforgery.Cookie.Name = "allocation-antiforgery";
            antiforgery.Cookie.SameSite = SameSiteMode.Strict;
            antiforgery.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        });
        // Names in any script stay readable in the page's source; what has a meaning in HTML is escaped all the same.
        services.Configure<WebEncoderOptions>(encoder =>
            encoder.TextEncoderSettings = new TextEncoderSettings(UnicodeRanges.All)
        );
    }

    public static void MapDashboard(this WebApplication host)
    {
        host.MapRazorPages();
        host.MapAssets();
        host.MapDashboardChanges();
        host.MapVerificationProgress();
        host.MapJobs();
        host.MapGet("/fleets/{fleet}/export", ExportEndpoints.ExportAsync)
            .RequireAuthorization(Session.ReadPolicy)
            .ExcludeFromDescription();
    }
}

/// <summary>
/// What a browser may do with a page: nothing leaves the machine, nothing runs that we do not serve, nobody frames it.
/// </summary>
internal sealed class BrowserRules : IResultFilter
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    public static void Apply(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        // As antiforgery wants them where there is a form.
        (headers.CacheControl, headers.Pragma) = ("no-cache, no-store", "no-cache");
    }

    public void OnResultExecuting(ResultExecutingContext context) => Apply(context.HttpContext.Response.Headers);

    public void OnResultExecuted(ResultExecutedContext context) { }
}
