using System.CommandLine;

namespace Platform.Cli.Hosting;

/// <summary>
/// Where a platform is that runs already, and by which key of a tenant: options, or else variables of the environment.
/// </summary>
/// <param name="Api">Its address.</param>
/// <param name="Key">A tenant's key.</param>
internal sealed record PlatformAccess(Uri Api, string Key)
{
    /// <summary>Adds the options <c>--api</c> and <c>--key</c> to a command.</summary>
    /// <param name="command">The command.</param>
    /// <returns>What reads them.</returns>
    public static Func<ParseResult, PlatformAccess> AddTo(Command command)
    {
        var api = new Option<Uri?>("--api")
        {
            Description = "address of the platform; PLATFORM_API if left out",
            HelpName = "URL",
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
                    return url;
                result.AddError($"--api: an address such as http://127.0.0.1:5080, not '{text}'");
                return null;
            },
        };
        var key = new Option<string?>("--key")
        {
            Description = "a key that may ingest; PLATFORM_KEY if left out, which no other user of the machine sees",
            HelpName = "KEY",
        };
        command.Add(api);
        command.Add(key);
        return parsed => new PlatformAccess(
            parsed.GetValue(api) ?? PlatformSettings.RequiredApi(),
            parsed.GetValue(key) ?? RequiredKey()
        );
    }

    private static string RequiredKey() =>
        Environment.GetEnvironmentVariable("PLATFORM_KEY") is { Length: > 0 } key
            ? key
            : throw new CommandFailure(
                "no key: --key KEY or PLATFORM_KEY, a key of the fleet's tenant that may ingest",
                CommandFailure.BadUsage
            );
}
