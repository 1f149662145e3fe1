namespace Platform.Testing;

/// <summary>The PostgreSQL and RabbitMQ that the tests run against: <c>./platform test</c> starts them, or the environment names others.</summary>
public static class TestServices
{
    public static ServiceAddresses Addresses => new(Postgres, RabbitMq, RabbitMqManagement);

    public static string Postgres => Required("PLATFORM_POSTGRES");

    public static Uri RabbitMq => new(Required("PLATFORM_RABBITMQ"));

    public static Uri RabbitMqManagement => new(Required("PLATFORM_RABBITMQ_MANAGEMENT"));

    private static string Required(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
        ? value
        : throw new InvalidOperationException(
            $"{name} is not set. Run the tests with ./platform test, or start services for them: eval \"$(./platform services start)\"");
}

/// <summary>A PostgreSQL and a RabbitMQ.</summary>
/// <param name="Postgres">Npgsql's connection string of the schema's owner.</param>
/// <param name="RabbitMq">amqp URI of an administrator.</param>
/// <param name="RabbitMqManagement">Address of the management interface.</param>
public sealed record ServiceAddresses(string Postgres, Uri RabbitMq, Uri RabbitMqManagement);
