using Microsoft.AspNetCore.Mvc;

namespace Platform.Api.Dashboard;

/// <summary>The same words for what does not exist and for what belongs to somebody else.</summary>
internal sealed class NotFoundPage : ContentResult
{
    public NotFoundPage() => (StatusCode, ContentType, Content) = (
        StatusCodes.Status404NotFound, "text/html; charset=utf-8",
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Not found</title></head><body><main><h1>Not found</h1>"
        + "<p>There is no such fleet, or no such version of it. <a href=\"/\">All fleets</a></p></main></body></html>");
}
