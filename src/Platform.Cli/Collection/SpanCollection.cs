using Platform.Cli.Hosting;
using Platform.Client;

namespace Platform.Cli.Collection;

/// <summary>What a collection of spans is asked for.</summary>
/// <param name="Fleet">The fleet.</param>
/// <param name="Listen">Where spans are taken.</param>
/// <param name="Window">The length of a window.</param>
/// <param name="Names">What of a span means what.</param>
internal sealed record SpanCollectionRequest(string Fleet, Uri Listen, TimeSpan Window, UsageNames Names);

/// <summary><c>./platform collect</c>: the spans that a gateway or a server writes, as windows of a fleet.</summary>
/// <param name="request">What is asked for.</param>
/// <param name="access">Where the platform is.</param>
/// <param name="refused">Takes the windows that the platform refuses.</param>
/// <param name="say">Takes lines for a person.</param>
internal sealed class SpanCollection(
    SpanCollectionRequest request,
    PlatformAccess access,
    RefusedWindows refused,
    Action<string> say
)
{
    /// <summary>Collects until the command is to end, and sends what was collected.</summary>
    /// <exception cref="CommandFailure">The address cannot be listened at.</exception>
    public async Task<int> RunAsync(CancellationToken cancel)
    {
        var windows = new WindowBuilder(request.Fleet, TimeProvider.System);
        var mapping = new UsageMapping(windows, request.Names, TimeProvider.System);
        await using var publisher = new HttpWindowPublisher(access.Api, access.Key);
        var reporter = new WindowReporter(windows, publisher, request.Window, TimeProvider.System, refused.Keep);
        var report = new CollectReport(mapping, reporter);
        await using (reporter)
        {
            await using var server = await ListenAsync(mapping, report, cancel);
            Announce(server.Address);
            await PeriodicReport.RunAsync(() => say(report.Line()), request.Window, TimeProvider.System, cancel);
        }

        say(report.Line());
        return reporter.GivenUp == 0 ? 0 : CommandFailure.JobSaysNo;
    }

    private void Announce(Uri address) =>
        say(
            $"platform: spans of {request.Fleet} are taken at {address}v1/traces, metrics are at {address}metrics; "
                + $"a window goes to {access.Api} every {request.Window.TotalSeconds:0} s; ctrl-C ends it"
        );

    private async Task<UsageServer> ListenAsync(UsageMapping mapping, CollectReport report, CancellationToken cancel)
    {
        try
        {
            return await UsageServer.StartAsync(request.Listen, mapping.Add, report.Metrics, cancel);
        }
        catch (IOException fault)
        {
            throw new CommandFailure(
                $"--listen: {request.Listen} cannot be listened at: {fault.Message}",
                CommandFailure.BadUsage
            );
        }
    }
}
