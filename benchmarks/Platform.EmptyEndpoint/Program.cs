// What ASP.NET Core can do on this machine: one endpoint that answers 200 with nothing.
var builder = WebApplication.CreateBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
var host = builder.Build();
host.MapGet("/health/ready", () => TypedResults.Ok());
host.MapGet("/", () => TypedResults.Ok());
await host.RunAsync();
