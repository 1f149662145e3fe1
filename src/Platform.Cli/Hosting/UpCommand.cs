using System.CommandLine;
using Spectre.Console;

namespace Platform.Cli.Hosting;

/// <summary>
/// <c>./platform up</c>; the script has started the services before, and <c>down</c> is the script's alone.
/// </summary>
internal static class UpCommand
{
    private const int DefaultPort = 8080;

    public static Command Create()
    {
        var port = new Option<int?>("--port")
        {
            Description = $"the API's port; without it {DefaultPort}, or the next free one",
        };
        port.Validators.Add(result =>
        {
            // The token, as asking for the value throws where it is no number.
            if (!ushort.TryParse(result.Tokens.SingleOrDefault()?.Value, out var value) || value == 0)
                result.AddError("--port: a number from 1 to 65535");
        });
        var command = new Command("up", "Starts the platform for daily use: services, API, workers.") { port };
        command.SetAction(
            (parsed, cancellation) => RunAsync(PlatformSettings.FromEnvironment(), parsed.GetValue(port), cancellation)
        );
        return command;
    }

    private static async Task<int> RunAsync(PlatformSettings settings, int? port, CancellationToken cancellation)
    {
        if (IsUp(settings))
            Terminal.Error.Say("already up");
        else
            RefuseTakenPort(settings, port);
        var hosts = await Terminal
            .Error.Status()
            .StartAsync(
                "starting the API and its workers ...",
                async _ =>
                {
                    await PlatformHosts.MigrateAsync(settings, cancellation);
                    return await PlatformHosts.StartMissingAsync(settings, port ?? DefaultPort, cancellation);
                }
            );
        foreach (var host in hosts)
            Terminal.Error.Say($"{host.Name, -10} {host.Address}");
        Terminal.Error.Say(
            $"operator's key: {Path.Combine(settings.Home, "operator.key")}; logs: {Path.Combine(settings.Home, "logs")}"
        );
        return 0;
    }

    private static bool IsUp(PlatformSettings settings) =>
        PlatformProcess.Find(settings.Home, PlatformHosts.Api) is not null
        && Enumerable
            .Range(1, PlatformHosts.Workers)
            .All(worker => PlatformProcess.Find(settings.Home, PlatformHosts.Worker(worker)) is not null);

    private static void RefuseTakenPort(PlatformSettings settings, int? port)
    {
        if (
            port is { } wanted
            && PlatformProcess.Find(settings.Home, PlatformHosts.Api) is null
            && !LoopbackPort.IsFree(wanted)
        )
            throw new CommandFailure($"--port: {wanted} is taken", CommandFailure.BadUsage);
    }
}
