using Platform.Workers;

var builder = WebApplication.CreateBuilder(args);
builder.AddWorkers();
var host = builder.Build();
host.MapWorker();
await host.RunAsync();
