using Platform.Persistence;

namespace Platform.Cli.Hosting;

/// <summary>The platform's own processes: one API and its workers.</summary>
internal static class PlatformHosts
{
    public const string Api = "api";
    public const int Workers = 2;

    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromSeconds(90);

    public static string Worker(int number) => $"worker-{number}";

    /// <summary>Brings the database's schema to this version; runs before any host.</summary>
    public static Task MigrateAsync(PlatformSettings settings, CancellationToken cancellation) =>
        MigrateAsync(settings.Postgres, settings.GivenApplication, cancellation);

    /// <summary>The same for a database of which nothing else is known.</summary>
    public static Task MigrateAsync(string owner, string? application, CancellationToken cancellation) =>
        Migrator.MigrateAsync(owner, application, cancellation);

    public static PlatformProcess StartApi(PlatformSettings settings, int port, string name = Api) =>
        Start(settings, "src/Platform.Api", name, port);

    /// <summary>What benchmarks hold an API against.</summary>
    public static PlatformProcess StartEmpty(PlatformSettings settings, int port) =>
        Start(settings, "benchmarks/Platform.EmptyEndpoint", "empty", port);

    public static PlatformProcess StartWorker(PlatformSettings settings, int number, int port) =>
        Start(settings, "src/Platform.Workers", Worker(number), port);

    /// <summary>
    /// Starts what does not run yet, and waits until all is ready; if that fails, ends what it started.
    /// </summary>
    public static async Task<IReadOnlyList<PlatformProcess>> StartMissingAsync(
        PlatformSettings settings,
        int apiPort,
        CancellationToken cancellation
    )
    {
        List<PlatformProcess> started = [];
        try
        {
            var all = FindOrStart(settings, apiPort, started);
            await Task.WhenAll(all.Select(host => host.WaitReadyAsync(ReadyDeadline, cancellation)));
            return all;
        }
        catch
        {
            await Task.WhenAll(started.Select(host => host.StopAsync()));
            throw;
        }
    }

    private static List<PlatformProcess> FindOrStart(
        PlatformSettings settings,
        int apiPort,
        List<PlatformProcess> started
    )
    {
        List<PlatformProcess> all = [];
        var port = apiPort;
        Add(Api, free => StartApi(settings, free));
        for (var worker = 1; worker <= Workers; worker++)
        {
            var number = worker;
            Add(Worker(number), free => StartWorker(settings, number, free));
        }

        return all;

        void Add(string name, Func<int, PlatformProcess> start)
        {
            var host = PlatformProcess.Find(settings.Home, name);
            if (host is null)
            {
                port = LoopbackPort.FirstFree(port);
                started.Add(host = start(port++));
            }

            all.Add(host);
        }
    }

    // The project's folder, where a host finds its own settings and static files, is the working folder.
    private static PlatformProcess Start(PlatformSettings settings, string project, string name, int port)
    {
        var folder = Path.Combine(settings.Root, project);
        var address = new Uri($"http://127.0.0.1:{port}");
        return PlatformProcess.Start(
            settings.Home,
            new ProcessStart(
                name,
                [
                    Environment.ProcessPath!,
                    Path.Combine(folder, "bin/Release/net10.0", $"{Path.GetFileName(project)}.dll"),
                ],
                folder,
                address
            )
            {
                Environment = new Dictionary<string, string>
                {
                    ["ASPNETCORE_URLS"] = address.GetLeftPart(UriPartial.Authority),
                    ["Platform__Postgres"] = settings.PostgresApplication,
                    ["Platform__RabbitMq"] = settings.RabbitMq,
                    ["Platform__RabbitMqManagement"] = settings.RabbitMqManagement,
                    ["Platform__OperatorKey"] = settings.OperatorKey,
                    ["Platform__KeyPepper"] = settings.KeyPepper,
                    ["Platform__LogKey"] = settings.LogKey,
                    ["Platform__WebhookKey"] = settings.WebhookKey,
                },
            }
        );
    }
}
