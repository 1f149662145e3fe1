using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Platform.Api;
using Platform.Testing;
using Platform.Workers;
using RabbitMQ.Client;

[assembly: AssemblyFixture(typeof(Platform.Integration.Tests.TestPlatform))]

namespace Platform.Integration.Tests;

/// <summary>
/// The platform as it runs: an API and two workers, on a database and a virtual host of their own. Tests share it, each
/// with tenants of its own.
/// </summary>
public class TestPlatform : IAsyncLifetime
{
    internal const string OperatorKey = "operator-key-of-the-tests";

    // Tests start some at the same time; the last first.
    private readonly ConcurrentStack<(Uri Address, WebApplication Host)> _hosts = [];
    private readonly ConcurrentBag<string> _virtualHosts = [];
    private Uri _api = null!;

    public TestPlatform()
        : this(TestServices.Addresses) { }

    protected TestPlatform(ServiceAddresses services) => (Services, VirtualHost) = (services, NewVirtualHost());

    public ServiceAddresses Services { get; }

    public TestDatabase Database { get; private set; } = null!;

    public string VirtualHost { get; }

    /// <summary>What the workers have set aside.</summary>
    public RejectedMessages Rejected { get; private set; } = null!;

    /// <summary>Where the first API answers.</summary>
    public Uri Address => _api;

    public HttpClient Operator => Client(OperatorKey);

    /// <summary>Workers that are there from the start.</summary>
    protected virtual int Workers => 2;

    /// <summary>What the hosts are told of their surroundings.</summary>
    protected virtual Dictionary<string, string?> Settings =>
        new()
        {
            ["Platform:Postgres"] = Database.ConnectionString,
            ["Platform:RabbitMq"] = Services.RabbitMq.ToString(),
            ["Platform:RabbitMqManagement"] = Services.RabbitMqManagement.ToString(),
            ["Platform:IngressVirtualHost"] = VirtualHost,
            ["Platform:OperatorKey"] = OperatorKey,
            ["Platform:KeyPepper"] = "pepper-of-the-tests",
            ["Platform:LogKey"] = new string('7', 64),
            ["Platform:WebhookKey"] = new string('9', 64),
            // Receivers are in the tests.
            ["Platform:WebhookNetworks"] = "127.0.0.0/8",
            ["Logging:LogLevel:Default"] = "Warning",
        };

    public async ValueTask InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync(Services.Postgres, TestContext.Current.CancellationToken);
        _api = await StartApiAsync([]);
        for (var i = 0; i < Workers; i++)
            await StartWorkerAsync([]);
        Rejected = await RejectedMessages.ConsumeAsync(this, TestContext.Current.CancellationToken);
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Rejected is not null)
            await Rejected.DisposeAsync();
        // All stop before the first is disposed of: Hangfire's activator is one for the process.
        await Task.WhenAll(_hosts.Select(it => it.Host.StopAsync()));
        foreach (var (_, host) in _hosts)
            await host.DisposeAsync();
        using var management = Management();
        foreach (var virtualHost in _virtualHosts)
            await management.DeleteAsync(new Uri($"api/vhosts/{virtualHost}", UriKind.Relative));
        if (Database is not null)
            await Database.DisposeAsync();
    }

    public HttpClient Client(string key, Uri? api = null) =>
        new() { BaseAddress = api ?? _api, DefaultRequestHeaders = { Authorization = new("Bearer", key) } };

    public HttpClient Anonymous() => new() { BaseAddress = _api };

    /// <summary>A virtual host for a test that wants a broker of its own; it goes with the platform.</summary>
    public string NewVirtualHost()
    {
        var name = $"ingress-{Guid.NewGuid():n}";
        _virtualHosts.Add(name);
        return name;
    }

    /// <summary>
    /// Starts one more API, with settings that differ from those of the others, and waits until it is ready.
    /// </summary>
    public async Task<Uri> StartApiAsync(Dictionary<string, string?> settings)
    {
        var api = await StartAsync("Platform.Api", settings, builder => builder.AddApi(), host => host.MapApi());
        using var client = new HttpClient { BaseAddress = api };
        await Eventually.TrueAsync(
            async () => (await client.GetAsync(new Uri("/health/ready", UriKind.Relative))).IsSuccessStatusCode,
            "the API to be ready",
            CancellationToken.None
        );
        return api;
    }

    /// <summary>Starts one more worker, with settings that differ from those of the others.</summary>
    public Task<Uri> StartWorkerAsync(Dictionary<string, string?> settings) =>
        StartAsync("Platform.Workers", settings, builder => builder.AddWorkers(), host => host.MapWorker());

    /// <summary>Ends a host as an operator does.</summary>
    public virtual Task StopAsync(Uri host) => _hosts.Single(it => it.Address == host).Host.StopAsync();

    /// <summary>
    /// A new tenant with its first key and its broker user. A broker that has just started on a busy machine takes
    /// seconds over a user, and the API answers that it is to be tried again.
    /// </summary>
    /// <param name="cancel">Gives up.</param>
    /// <param name="api">The API that it uses, when that is not the platform's first.</param>
    public Task<TestTenant> CreateTenantAsync(CancellationToken cancel, Uri? api = null) =>
        Eventually.GetAsync(() => TryCreateTenantAsync(api, cancel), "a tenant to be registered", cancel);

    private async Task<TestTenant?> TryCreateTenantAsync(Uri? api, CancellationToken cancel)
    {
        var id = $"t{Guid.NewGuid():n}";
        using var client = Client(OperatorKey, api);
        using var answer = await client.PostAsJsonAsync(
            new Uri("/v1/tenants", UriKind.Relative),
            new { id, displayName = "A tenant" },
            cancel
        );
        if (answer.StatusCode == System.Net.HttpStatusCode.ServiceUnavailable)
            return null;
        var body = await ReadAsync(answer, cancel);
        return new TestTenant(this, id, (string)body["apiKey"]!, (string)body["broker"]!["password"]!)
        {
            Api = api,
            VirtualHost = (string)body["broker"]!["virtualHost"]!,
        };
    }

    public IConnectionFactory BrokerAs(
        string userName,
        string password,
        string? virtualHost = null,
        int? port = null
    ) =>
        new ConnectionFactory
        {
            HostName = Services.RabbitMq.Host,
            Port = port ?? Services.RabbitMq.Port,
            VirtualHost = virtualHost ?? VirtualHost,
            UserName = userName,
            Password = password,
        };

    /// <summary>A connection to the broker as the platform's own user, who may read queues.</summary>
    public Task<IConnection> BrokerAsPlatformAsync(CancellationToken cancel)
    {
        var user = Services.RabbitMq.UserInfo.Split(':');
        return BrokerAs(user[0], user[1]).CreateConnectionAsync(cancel);
    }

    public static async Task<JsonNode> ReadAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        var text = await answer.Content.ReadAsStringAsync(cancel);
        Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }

    /// <summary>The broker's management interface.</summary>
    public HttpClient Management() =>
        new()
        {
            BaseAddress = Services.RabbitMqManagement,
            DefaultRequestHeaders =
            {
                Authorization = new AuthenticationHeaderValue(
                    "Basic",
                    Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(Services.RabbitMq.UserInfo)))
                ),
            },
        };

    /// <summary>Starts a host in this process.</summary>
    protected virtual async Task<Uri> StartAsync(
        string name,
        Dictionary<string, string?> settings,
        Action<WebApplicationBuilder> add,
        Action<WebApplication> map
    )
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { ApplicationName = name, EnvironmentName = "Testing" }
        );
        builder.Configuration.AddInMemoryCollection(Settings);
        builder.Configuration.AddInMemoryCollection(settings);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        add(builder);
        var host = builder.Build();
        map(host);
        await host.StartAsync();
        var address = new Uri(host.Urls.First());
        _hosts.Push((address, host));
        return address;
    }
}
