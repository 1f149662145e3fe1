using Microsoft.AspNetCore.Builder;
using Npgsql;
using Platform.Cli.Hosting;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>The tests that make the network bad, one after another.</summary>
[CollectionDefinition]
public sealed class FaultPlatformTests : ICollectionFixture<FaultPlatform>;

/// <summary>
/// A platform of its own, whose API and worker are processes and reach PostgreSQL and RabbitMQ over a network that the
/// tests make bad. What the tests themselves look at, they reach directly.
/// </summary>
public sealed class FaultPlatform : TestPlatform
{
    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromSeconds(90);

    private static int _port = LoopbackPort.First;

    private readonly string _home = Directory.CreateTempSubdirectory("platform-faults-").FullName;
    private readonly List<PlatformProcess> _processes = [];

    public FaultPlatform()
        : this(TestServices.Addresses) { }

    internal FaultPlatform(ServiceAddresses services)
        : base(services) =>
        (Postgres, Broker) = (
            new FaultProxy(new NpgsqlConnectionStringBuilder(services.Postgres).Port),
            new FaultProxy(services.RabbitMq.Port)
        );

    /// <summary>Between the hosts and PostgreSQL.</summary>
    public FaultProxy Postgres { get; }

    /// <summary>Between the hosts and RabbitMQ.</summary>
    public FaultProxy Broker { get; }

    /// <summary>
    /// Seconds that the hosts wait for a statement, and PostgreSQL for the next one of a transaction: fewer than in
    /// real life, so that the tests need not wait long for what the network has swallowed.
    /// </summary>
    public int Patience { get; init; } = 3;

    /// <summary>Addresses of the API and the worker.</summary>
    public IReadOnlyList<Uri> Hosts => [.. _processes.Select(process => process.Address)];

    protected override int Workers => 1;

    protected override Dictionary<string, string?> Settings =>
        new(base.Settings)
        {
            ["Platform:Postgres"] = new NpgsqlConnectionStringBuilder(Database.ConnectionString)
            {
                Port = Postgres.Port,
                CommandTimeout = Patience,
                Options = $"-c idle_in_transaction_session_timeout={Patience}s",
            }.ConnectionString,
            ["Platform:RabbitMq"] = new UriBuilder(Services.RabbitMq) { Port = Broker.Port }.Uri.ToString(),
        };

    public override async ValueTask DisposeAsync()
    {
        // Killed, as a worker behind a bad network would take its time to end.
        _processes.ForEach(process => process.Kill());
        await Task.WhenAll(_processes.Select(process => process.StopAsync()));
        await Postgres.DisposeAsync();
        await Broker.DisposeAsync();
        await base.DisposeAsync();
        Directory.Delete(_home, recursive: true);
    }

    public override async Task StopAsync(Uri host)
    {
        var process = _processes.Single(process => process.Address == host);
        await process.StopAsync();
        _processes.Remove(process);
    }

    protected override async Task<Uri> StartAsync(
        string name,
        Dictionary<string, string?> settings,
        Action<WebApplicationBuilder> add,
        Action<WebApplication> map
    )
    {
        var folder = Path.Combine(Script.Root, "src", name);
        var address = new Uri($"http://127.0.0.1:{LoopbackPort.FirstFree(Interlocked.Increment(ref _port))}");
        var environment = new Dictionary<string, string>
        {
            ["ASPNETCORE_URLS"] = address.GetLeftPart(UriPartial.Authority),
        };
        foreach (var (key, value) in Settings.Concat(settings))
            environment[key.Replace(":", "__", StringComparison.Ordinal)] = value!;
        var process = PlatformProcess.Start(
            _home,
            new ProcessStart(
                $"{name}-{address.Port}",
                ["dotnet", Path.Combine(folder, "bin/Release/net10.0", $"{name}.dll")],
                folder,
                address
            )
            {
                Environment = environment,
            }
        );
        _processes.Add(process);
        await process.WaitReadyAsync(ReadyDeadline, TestContext.Current.CancellationToken);
        return address;
    }
}
