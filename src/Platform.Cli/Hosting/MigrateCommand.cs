using System.CommandLine;
using Npgsql;

namespace Platform.Cli.Hosting;

/// <summary>
/// <c>./platform migrate</c>: brings the database of <c>PLATFORM_POSTGRES</c> to the schema of this version and makes
/// the application's role, by itself, where something else than <c>./platform up</c> starts the hosts. It may be
/// repeated. It needs no broker.
/// </summary>
internal static class MigrateCommand
{
    public static Command Create()
    {
        var command = new Command(
            "migrate",
            "Brings the database to this version's schema, and makes the role that the hosts run as."
        );
        command.SetAction((_, cancellation) => RunAsync(cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CancellationToken cancellation)
    {
        var (owner, application) = PlatformSettings.Databases();
        await PlatformHosts.MigrateAsync(owner, application, cancellation);
        var database = new NpgsqlConnectionStringBuilder(owner);
        Terminal.Error.Say($"database {database.Database} on {database.Host} has the schema of this version");
        return 0;
    }
}
