namespace Platform.Testing;

/// <summary>
/// The PostgreSQL and RabbitMQ that the tests run against: those that the environment names, as <c>./platform test</c>
/// does; else containers of this process, where an engine runs; else services of this machine, which stay for the next
/// time.
/// </summary>
public static class TestServices
{
    // A constructor of a fixture cannot wait otherwise.
    private static readonly Lazy<ServiceAddresses> Found = new(() => Task.Run(FindAsync).GetAwaiter().GetResult());

    public static ServiceAddresses Addresses => Found.Value;

    public static string Postgres => Addresses.Postgres;

    public static Uri RabbitMq => Addresses.RabbitMq;

    public static Uri RabbitMqManagement => Addresses.RabbitMqManagement;

    /// <summary>Starts PostgreSQL and RabbitMQ of this machine's packages, with their data in a folder.</summary>
    public static async Task<ServiceAddresses> StartPrivateAsync(string home)
    {
        var (status, output, error) = await Script.RunProgramAsync(
            "/bin/bash",
            "-c",
            "eval \"$(\"$0\" services start --home \"$1\")\" && printf '%s\\n' \"$PLATFORM_POSTGRES\" \"$PLATFORM_RABBITMQ\" \"$PLATFORM_RABBITMQ_MANAGEMENT\"",
            Path.Combine(Script.Root, "platform"),
            home
        );
        if (status != 0)
            throw new InvalidOperationException(error);
        var lines = output.Split('\n');
        return new ServiceAddresses(lines[0], new Uri(lines[1]), new Uri(lines[2]));
    }

    private static async Task<ServiceAddresses> FindAsync()
    {
        string?[] given =
        [
            .. ((string[])["PLATFORM_POSTGRES", "PLATFORM_RABBITMQ", "PLATFORM_RABBITMQ_MANAGEMENT"]).Select(
                Environment.GetEnvironmentVariable
            ),
        ];
        if (given.All(it => it is { Length: > 0 }))
            return new ServiceAddresses(given[0]!, new Uri(given[1]!), new Uri(given[2]!));
        if (!ContainerServices.HaveAnEngine)
            return await StartPrivateAsync(Path.Combine(Script.Root, ".platform", "services"));
        var containers = await ContainerServices.StartAsync(CancellationToken.None);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => containers.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return containers.Addresses;
    }
}

/// <summary>A PostgreSQL and a RabbitMQ.</summary>
/// <param name="Postgres">Npgsql's connection string of the schema's owner.</param>
/// <param name="RabbitMq">amqp URI of an administrator.</param>
/// <param name="RabbitMqManagement">Address of the management interface.</param>
public sealed record ServiceAddresses(string Postgres, Uri RabbitMq, Uri RabbitMqManagement);
