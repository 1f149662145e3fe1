using Platform.Cli.Hosting;
using Platform.Client;

namespace Platform.Cli.Demo;

/// <summary>The running platform with the tenants of this run.</summary>
internal sealed class DemoPlatform : IAsyncDisposable
{
    private readonly List<WindowPublisher> _publishers = [];
    private readonly List<PlatformClient> _clients = [];
    private readonly List<RegisteredTenant> _tenants = [];

    /// <summary>The tenants, in the order in which they were registered.</summary>
    public IReadOnlyList<RegisteredTenant> Tenants => _tenants;

    /// <summary>
    /// Registers tenants under ids of their own for each run, with their fleets, and connects a publisher for each.
    /// </summary>
    public static async Task<DemoPlatform> RegisterAsync(
        PlatformSettings settings,
        Uri address,
        IReadOnlyList<(string Id, string DisplayName)> tenants,
        CancellationToken cancel
    )
    {
        var platform = new DemoPlatform();
        try
        {
            using var operators = new PlatformClient(address, settings.OperatorKey);
            // The last digits of a UUID are random; the first of version 7 are the time.
            var run = Guid.NewGuid().ToString("N")[^6..];
            foreach (var (id, displayName) in tenants)
            {
                var tenant = await operators.RegisterTenantAsync($"{id}-{run}", displayName, cancel);
                platform._tenants.Add(tenant);
                platform._clients.Add(new PlatformClient(address, tenant.ApiKey));
                platform._publishers.Add(
                    await WindowPublisher.ConnectAsync(new Uri(settings.RabbitMq), tenant.Broker, cancel)
                );
            }

            return platform;
        }
        catch
        {
            await platform.DisposeAsync();
            throw;
        }
    }

    /// <summary>What a tenant does over HTTP.</summary>
    public PlatformClient Client(int tenant) => _clients[tenant];

    /// <summary>What a tenant publishes with.</summary>
    public WindowPublisher Publisher(int tenant) => _publishers[tenant];

    /// <summary>What a tenant of this run publishes with.</summary>
    public WindowPublisher PublisherOf(string tenant) => _publishers[_tenants.FindIndex(it => it.Id == tenant)];

    public async ValueTask DisposeAsync()
    {
        foreach (var publisher in _publishers)
            await publisher.DisposeAsync();
        foreach (var client in _clients)
            client.Dispose();
    }
}
