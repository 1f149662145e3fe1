using Testcontainers.PostgreSql;
using Testcontainers.RabbitMq;

namespace Platform.Testing;

/// <summary>PostgreSQL 17 and RabbitMQ 4 in containers.</summary>
public sealed class ContainerServices : IAsyncDisposable
{
    private const ushort ManagementPort = 15672;

    private readonly PostgreSqlContainer _postgres = new PostgreSqlBuilder("postgres:17")
        .WithCommand("-c", "max_connections=400")
        .Build();
    private readonly RabbitMqContainer _rabbit = new RabbitMqBuilder("rabbitmq:4-management")
        .WithPortBinding(ManagementPort, assignRandomHostPort: true)
        .Build();

    private ContainerServices() { }

    /// <summary>Whether there is an engine to run them.</summary>
    public static bool HaveAnEngine =>
        Environment.GetEnvironmentVariable("DOCKER_HOST") is { Length: > 0 } || File.Exists("/var/run/docker.sock");

    /// <summary>Where they are reached.</summary>
    public ServiceAddresses Addresses =>
        new(
            _postgres.GetConnectionString(),
            new Uri(_rabbit.GetConnectionString()),
            new UriBuilder(Uri.UriSchemeHttp, _rabbit.Hostname, _rabbit.GetMappedPublicPort(ManagementPort)).Uri
        );

    /// <summary>Starts both.</summary>
    public static async Task<ContainerServices> StartAsync(CancellationToken cancel)
    {
        var services = new ContainerServices();
        try
        {
            await Task.WhenAll(services._postgres.StartAsync(cancel), services._rabbit.StartAsync(cancel));
            return services;
        }
        catch
        {
            await services.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _postgres.DisposeAsync();
        await _rabbit.DisposeAsync();
    }
}
