// What ASP.NET Core can do on this machine: an endpoint that answers 200 with nothing, and one that answers a constant
// of some length.
var builder = WebApplication.CreateBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
var host = builder.Build();
var constant = new byte[1024 * 1024];
host.MapGet("/health/ready", () => TypedResults.Ok());
host.MapGet("/", () => TypedResults.Ok());
host.MapGet(
    "/constant/{length:int}",
    async (HttpContext http, int length) =>
    {
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = length;
        await http.Response.BodyWriter.WriteAsync(constant.AsMemory(0, length));
    }
);
await host.RunAsync();
