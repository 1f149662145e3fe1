using System.Collections;
using System.Security.Cryptography;
using Platform.Persistence;

namespace Platform.Cli.Hosting;

/// <summary>Where this run lives and what its hosts are told; ./platform gives it in the environment.</summary>
internal sealed record PlatformSettings(string Root, string Home)
{
    private const string DatabasesVariables = "Platform__Databases__";
    private const string ApplicationVariable = "PLATFORM_POSTGRES_APPLICATION";

    /// <summary>The owner's connection, for migrations and for what benchmarks do to the database itself.</summary>
    public required string Postgres { get; init; }

    /// <summary>The application role's connection where one is given, or null.</summary>
    public required string? GivenApplication { get; init; }

    /// <summary>The connection of the application's role, which everything else runs as.</summary>
    public string PostgresApplication => GivenApplication ?? ApplicationRole.ConnectionFor(Postgres);

    public required string RabbitMq { get; init; }

    public required string RabbitMqManagement { get; init; }

    /// <summary>Virtual host that tenants publish to; the hosts read the same variable.</summary>
    public string IngressVirtualHost { get; init; } = "ingress";

    /// <summary>
    /// Connection strings of further databases over which tenants are spread, by name; the hosts read the same
    /// variables.
    /// </summary>
    public IReadOnlyDictionary<string, string> OtherDatabases { get; init; } = new Dictionary<string, string>();

    /// <summary>Address of a platform that runs already, or null.</summary>
    public Uri? GivenApi { get; init; }

    /// <summary>The operator's key: the one that is given, or one that is made once for each home.</summary>
    public string OperatorKey =>
        Environment.GetEnvironmentVariable("PLATFORM_OPERATOR_KEY") is { Length: > 0 } given
            ? given
            : Secret("operator.key");

    /// <summary>
    /// The pepper under which API keys are stored, made once for each home: without it none of them is valid any more.
    /// </summary>
    public string KeyPepper => Secret("key.pepper");

    /// <summary>
    /// The private key that signs the tenants' logs, made once for each home: checkpoints that were kept elsewhere are
    /// its word.
    /// </summary>
    public string LogKey => Secret("log.key");

    /// <summary>
    /// What the secrets of webhooks are derived from, made once for each home: receivers know the platform by them.
    /// </summary>
    public string WebhookKey => Secret("webhook.key");

    /// <summary>
    /// The owner's connection and, where one is given, the application role's: all that a migration needs.
    /// </summary>
    public static (string Owner, string? Application) Databases() => (Variable("PLATFORM_POSTGRES"), Application());

    public static PlatformSettings FromEnvironment() =>
        new(Variable("PLATFORM_ROOT"), Variable("PLATFORM_HOME"))
        {
            Postgres = Variable("PLATFORM_POSTGRES"),
            GivenApplication = Application(),
            OtherDatabases = GivenDatabases(),
            RabbitMq = Variable("PLATFORM_RABBITMQ"),
            RabbitMqManagement = Variable("PLATFORM_RABBITMQ_MANAGEMENT"),
            GivenApi = Environment.GetEnvironmentVariable("PLATFORM_API") is { Length: > 0 } api
                ? Address("PLATFORM_API", api)
                : null,
            IngressVirtualHost = Environment.GetEnvironmentVariable("Platform__IngressVirtualHost")
                is { Length: > 0 } given
                ? given
                : "ingress",
        };

    public static string Variable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
            ? value
            : throw new CommandFailure($"{name} is not set; run this through ./platform", CommandFailure.BadUsage);

    /// <summary>Address of the platform that runs already.</summary>
    public static Uri RequiredApi() =>
        Environment.GetEnvironmentVariable("PLATFORM_API") is { Length: > 0 } api
            ? Address("PLATFORM_API", api)
            : throw new CommandFailure(
                "no platform: --api URL or PLATFORM_API, its address such as http://127.0.0.1:5080",
                CommandFailure.BadUsage
            );

    private static Uri Address(string name, string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && (address.Scheme is "http" or "https")
            ? address
            : throw new CommandFailure($"{name} is no address of a platform: {text}", CommandFailure.BadUsage);

    /// <summary>All databases, as the role of the application.</summary>
    public PlatformStore OpenStore() => new(PostgresApplication, OtherDatabases);

    private static Dictionary<string, string> GivenDatabases() =>
        Environment
            .GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .Where(it => ((string)it.Key).StartsWith(DatabasesVariables, StringComparison.OrdinalIgnoreCase))
            .ToDictionary(it => ((string)it.Key)[DatabasesVariables.Length..], it => (string)it.Value!);

    private static string? Application() =>
        Environment.GetEnvironmentVariable(ApplicationVariable) is { Length: > 0 } given ? given : null;

    private string Secret(string name)
    {
        const int Bytes = 32;
        var path = Path.Combine(Home, name);
        if (File.Exists(path) && File.ReadAllText(path).Trim() is { Length: > 0 } secret)
            return secret;
        Directory.CreateDirectory(Home);
        secret = RandomNumberGenerator.GetHexString(2 * Bytes, lowercase: true);
        var draft = path + ".tmp";
        File.Delete(draft);
        using (
            var file = new StreamWriter(
                draft,
                new FileStreamOptions
                {
                    Mode = FileMode.CreateNew,
                    Access = FileAccess.Write,
#pragma warning disable CA1416 // ./platform, through which all of this runs, is for Linux.
                    UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
#pragma warning restore CA1416
                }
            )
        )
            file.WriteLine(secret);
        File.Move(draft, path, overwrite: true);
        return secret;
    }
}
