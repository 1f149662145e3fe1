using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Platform.Api;
using Platform.Testing;
using Platform.Workers;
using RabbitMQ.Client;

[assembly: AssemblyFixture(typeof(Platform.Integration.Tests.TestPlatform))]

namespace Platform.Integration.Tests;

/// <summary>
/// The platform as it runs: an API and two workers, on a database and a virtual host of their own. Tests share it, each with tenants of
/// its own.
/// </summary>
public sealed class TestPlatform : IAsyncLifetime
{
    private const string OperatorKey = "operator-key-of-the-tests";
    private readonly List<WebApplication> _hosts = [];
    private readonly string _virtualHost = $"ingress-{Guid.NewGuid():n}";
    private Uri _api = null!;

    public TestDatabase Database { get; private set; } = null!;

    public string VirtualHost => _virtualHost;

    /// <summary>What the workers have set aside.</summary>
    public RejectedMessages Rejected { get; private set; } = null!;

    public HttpClient Operator => Client(OperatorKey);

    public async ValueTask InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync(TestContext.Current.CancellationToken);
        _api = await StartAsync("Platform.Api", builder => builder.AddApi(), host => host.MapApi());
        await Eventually.TrueAsync(
            async () => (await new HttpClient { BaseAddress = _api }.GetAsync(new Uri("/health/ready", UriKind.Relative))).IsSuccessStatusCode,
            "the API to be ready", CancellationToken.None);
        for (var i = 0; i < 2; i++)
            await StartAsync("Platform.Workers", builder => builder.AddWorkers(), host => host.MapWorkerHealth());
        Rejected = await RejectedMessages.ConsumeAsync(this, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (Rejected is not null)
            await Rejected.DisposeAsync();
        // All stop before the first is disposed of: Hangfire's activator is one for the process.
        await Task.WhenAll(_hosts.Select(host => host.StopAsync()));
        foreach (var host in Enumerable.Reverse(_hosts))
            await host.DisposeAsync();
        using var management = Management();
        await management.DeleteAsync(new Uri($"api/vhosts/{_virtualHost}", UriKind.Relative));
        if (Database is not null)
            await Database.DisposeAsync();
    }

    public HttpClient Client(string key) => new() { BaseAddress = _api, DefaultRequestHeaders = { Authorization = new("Bearer", key) } };

    public HttpClient Anonymous() => new() { BaseAddress = _api };

    /// <summary>A new tenant with its first key and its broker user.</summary>
    public async Task<TestTenant> CreateTenantAsync(CancellationToken cancel)
    {
        var id = $"t{Guid.NewGuid():n}";
        using var client = Operator;
        using var answer = await client.PostAsJsonAsync(new Uri("/v1/tenants", UriKind.Relative), new { id, displayName = "A tenant" }, cancel);
        var body = await ReadAsync(answer, cancel);
        return new TestTenant(this, id, (string)body["apiKey"]!, (string)body["broker"]!["password"]!);
    }

    public IConnectionFactory Broker(string userName, string password) => new ConnectionFactory
    {
        HostName = TestServices.RabbitMq.Host,
        Port = TestServices.RabbitMq.Port,
        VirtualHost = _virtualHost,
        UserName = userName,
        Password = password,
    };

    /// <summary>A connection to the broker as the platform's own user, who may read queues.</summary>
    public Task<IConnection> BrokerAsPlatformAsync(CancellationToken cancel)
    {
        var user = TestServices.RabbitMq.UserInfo.Split(':');
        return Broker(user[0], user[1]).CreateConnectionAsync(cancel);
    }

    public static async Task<JsonNode> ReadAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        var text = await answer.Content.ReadAsStringAsync(cancel);
        Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }

    private static HttpClient Management() => new()
    {
        BaseAddress = TestServices.RabbitMqManagement,
        DefaultRequestHeaders =
        {
            Authorization = new AuthenticationHeaderValue(
                "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(TestServices.RabbitMq.UserInfo)))),
        },
    };

    private async Task<Uri> StartAsync(string name, Action<WebApplicationBuilder> add, Action<WebApplication> map)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ApplicationName = name, EnvironmentName = "Testing" });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Platform:Postgres"] = Database.ConnectionString,
            ["Platform:RabbitMq"] = TestServices.RabbitMq.ToString(),
            ["Platform:RabbitMqManagement"] = TestServices.RabbitMqManagement.ToString(),
            ["Platform:IngressVirtualHost"] = _virtualHost,
            ["Platform:OperatorKey"] = OperatorKey,
            ["Platform:KeyPepper"] = "pepper-of-the-tests",
        });
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        add(builder);
        var host = builder.Build();
        map(host);
        await host.StartAsync();
        _hosts.Add(host);
        return new Uri(host.Urls.First());
    }
}
