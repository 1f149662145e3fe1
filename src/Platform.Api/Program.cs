using Platform.Api;

var builder = WebApplication.CreateBuilder(args);
builder.AddApi();
var host = builder.Build();
host.MapApi();
await host.RunAsync();
