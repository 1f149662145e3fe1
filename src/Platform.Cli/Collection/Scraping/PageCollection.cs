using Platform.Cli.Hosting;
using Platform.Client;

namespace Platform.Cli.Collection.Scraping;

/// <summary>What a collection from metrics pages is asked for.</summary>
/// <param name="Pages">The pages' addresses, one for each replica.</param>
/// <param name="Fleet">The fleet.</param>
/// <param name="TaskType">The task type of all queries; null for the only one of the fleet's definition.</param>
/// <param name="Interval">The time from one scrape to the next, which a page has to answer.</param>
/// <param name="Window">The length of a window.</param>
internal sealed record PageCollectionRequest(
    IReadOnlyList<Uri> Pages,
    string Fleet,
    string? TaskType,
    TimeSpan Interval,
    TimeSpan Window
);

/// <summary>
/// <c>./platform collect --prometheus</c>: the metrics pages of a fleet's servers, as windows of the fleet.
/// </summary>
/// <param name="request">What is asked for.</param>
/// <param name="access">Where the platform is.</param>
/// <param name="refused">Takes the windows that the platform refuses.</param>
/// <param name="say">Takes lines for a person.</param>
/// <param name="time">The clock.</param>
internal sealed class PageCollection(
    PageCollectionRequest request,
    PlatformAccess access,
    RefusedWindows refused,
    Action<string> say,
    TimeProvider time
)
{
    /// <summary>Collects until the command is to end, and sends what was collected.</summary>
    /// <exception cref="CommandFailure">The task type is not given, and the fleet does not have just one.</exception>
    public async Task<int> RunAsync(CancellationToken cancel)
    {
        var taskType = request.TaskType ?? await OnlyTaskTypeAsync(cancel);
        var windows = new ScrapedWindows(request.Fleet, taskType);
        var rounds = new ScrapeRounds(request.Pages, windows, say);
        using var pages = new PageClient(request.Interval);
        await using var publisher = new HttpWindowPublisher(access.Api, access.Key);
        var reporter = new WindowReporter(windows, publisher, request.Window, time, refused.Keep);
        await using (reporter)
        {
            Announce(taskType);
            var reporting = PeriodicReport.RunAsync(() => say(Line(rounds, reporter)), request.Window, time, cancel);
            await ScrapeAsync(rounds, pages, cancel);
            await reporting;
        }

        say(Line(rounds, reporter));
        return reporter.GivenUp == 0 ? 0 : CommandFailure.JobSaysNo;
    }

    /// <summary>Finds out which task type a fleet's queries are, where there is no choice.</summary>
    private async Task<string> OnlyTaskTypeAsync(CancellationToken cancel)
    {
        const string Needed = "--task-type ID is needed, since a server's page knows no task types";
        var known = await FleetLookup.TaskTypesAsync(access, request.Fleet, cancel);
        if (known is null)
            throw BadUsage($"{Needed}, and the key may not read the fleet's definition");
        if (known.Count != 1)
            throw BadUsage($"{Needed}, and the fleet {request.Fleet} has {known.Count}: {string.Join(", ", known)}");
        return known[0];
    }

    private static CommandFailure BadUsage(string message) => new(message, CommandFailure.BadUsage);

    private void Announce(string taskType) =>
        say(
            $"platform: {request.Pages.Count} pages are read every {request.Interval.TotalSeconds:0} s, as {taskType} of "
                + $"{request.Fleet}; a window of arrivals and of times from arrival to end goes to {access.Api} every "
                + $"{request.Window.TotalSeconds:0} s; ctrl-C ends it"
        );

    private async Task ScrapeAsync(ScrapeRounds rounds, PageClient pages, CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(request.Interval, time);
        try
        {
            do
            {
                var at = time.GetUtcNow();
                var answers = await Task.WhenAll(request.Pages.Select(page => pages.ReadAsync(page, cancel)));
                rounds.Add(at, answers);
            } while (await timer.WaitForNextTickAsync(cancel));
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The usual end: what the last round told is sent on the way out.
        }
    }

    private static string Line(ScrapeRounds rounds, WindowReporter reporter) =>
        $"{rounds.ReportStanding().Line()}; {SentWindows.Line(reporter)}";
}
