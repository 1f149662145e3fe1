using System.Collections.Concurrent;
using System.Net;
using Deque.AxeCore.Commons;
using Microsoft.Playwright;
using Platform.Testing;

namespace Platform.Integration.Tests.Dashboard;

/// <summary>A page, and all that went wrong in it from its first request on, whatever it has led to since.</summary>
public sealed class DashboardPage : IAsyncDisposable
{
    private const string DescribeViolations = """
        async () => (await axe.run({ resultTypes: ['violations'] })).violations.map(violation =>
            [`${violation.id} (${violation.impact}): ${violation.help}`, ...violation.nodes.map(node => `${node.target}: ${node.html}`)].join('\n  '))
        """;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private static readonly string AxeScript = new BundledAxeScriptProvider().GetScript();

    private readonly string _origin;
    private readonly bool _isDark;
    private readonly bool _withScript;
    private readonly ConcurrentQueue<IRequest> _requests = [];
    private readonly ConcurrentQueue<Fault> _faults = [];
    private readonly List<(HttpStatusCode Status, string Address)> _expected = [];

    private DashboardPage(IPage page, Uri address, bool isDark, bool withScript)
    {
        (Page, _origin, _isDark, _withScript) = (page, address.GetLeftPart(UriPartial.Authority), isDark, withScript);
        page.Context.Console += (_, message) => Add(message);
        page.Context.WebError += (_, error) => Add("page error", error.Error, error.Page?.Url);
        page.Context.Request += (_, request) => Add(request);
        page.Context.RequestFailed += (_, request) => AddFailed(request);
        page.Context.Response += (_, answer) => Add(answer);
    }

    /// <summary>Playwright's page, to click and to look.</summary>
    public IPage Page { get; }

    /// <summary>
    /// Says that an answer is to be an error, which then has to come before the page is called clean.
    /// </summary>
    public void Expect(HttpStatusCode status, string path) => _expected.Add((status, _origin + path));

    /// <summary>
    /// Fails on console errors and warnings, errors of scripts, requests that failed or went elsewhere, and answers
    /// that are errors.
    /// </summary>
    public async Task AssertCleanAsync()
    {
        // A stream of events may have nothing to say; the icon is given up without a word when the page is left before
        // it comes. Of an answer whose body no script reads, no more than the head comes.
        var answers = _requests
            .Where(request =>
                request.ResourceType != "eventsource" && !request.Url.EndsWith("/icon.svg", StringComparison.Ordinal)
            )
            .Select(request => (Request: request, Answer: request.ResponseAsync()))
            .ToArray();
        try
        {
            await Task.WhenAll(answers.Select(it => it.Answer))
                .WaitAsync(Deadline, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException)
        {
            Fail(
                answers
                    .Where(it => !it.Answer.IsCompleted)
                    .Select(it => $"no answer within {Deadline}: {it.Request.Method} {it.Request.Url}")
            );
        }

        // What the page said before this is heard.
        await Page.EvaluateAsync("0");
        var missing = _expected
            .Where(it => !_faults.Any(fault => fault.Is(it.Status, it.Address)))
            .Select(it => $"expected answer {(int)it.Status} did not come: {it.Address}");
        var faults = _faults
            .Where(fault => !_expected.Exists(it => fault.Is(it.Status, it.Address)))
            .Select(fault => fault.ToString());
        Fail(faults.Concat(missing));
    }

    /// <summary>Fails on what axe-core objects to in the page as it is now.</summary>
    /// <exception cref="InvalidOperationException">Scripts do not run in this page, and axe-core is one.</exception>
    public async Task AssertAccessibleAsync()
    {
        if (!_withScript)
            throw new InvalidOperationException("axe-core is a script: open the page with script to have it checked");
        // Evaluated by the debugger, which no content security policy binds. Deque's own RunAxe opens a second page for
        // frames, five times as slow.
        await Page.EvaluateAsync(AxeScript);
        Fail(await Page.EvaluateAsync<string[]>(DescribeViolations));
    }

    /// <summary>Saves a picture of the whole page among those of this checkout, and gives its file.</summary>
    public async Task<string> TakePictureAsync(string name)
    {
        var file = Path.Combine(Script.Root, ".platform", "pictures", $"{name}-{(_isDark ? "dark" : "light")}.png");
        await Page.ScreenshotAsync(
            new()
            {
                Path = file,
                FullPage = true,
                Animations = ScreenshotAnimations.Disabled,
            }
        );
        return file;
    }

    /// <summary>
    /// Bytes that came over the wire for the page as it is now: bodies as they were compressed, and 300 for the head of
    /// each answer, as the browser reckons. What it had in its cache costs nothing, and a stream of events counts when
    /// it ends.
    /// </summary>
    public Task<long> TransferredBytesAsync() =>
        Page.EvaluateAsync<long>("performance.getEntries().reduce((sum, entry) => sum + (entry.transferSize ?? 0), 0)");

    public async ValueTask DisposeAsync() => await Page.Context.CloseAsync();

    internal static async Task<DashboardPage> OpenAsync(
        IBrowserContext context,
        Uri address,
        bool isDark,
        bool withScript
    )
    {
        var page = new DashboardPage(await context.NewPageAsync(), address, isDark, withScript);
        await page.Page.GotoAsync(address.ToString());
        return page;
    }

    private static void Fail(IEnumerable<string> faults)
    {
        var all = string.Join('\n', faults);
        Assert.True(all.Length == 0, all);
    }

    private void Add(string what, string? text, string? address) => _faults.Enqueue(new Fault(what, text, address));

    private void Add(IConsoleMessage message)
    {
        if (message.Type is "error" or "warning")
            Add($"console {message.Type}", message.Text, message.Location);
    }

    private void Add(IRequest request)
    {
        _requests.Enqueue(request);
        if (!request.Url.StartsWith(_origin + "/", StringComparison.Ordinal))
            Add("foreign request", request.Method, request.Url);
    }

    private void AddFailed(IRequest request)
    {
        // The page gave it up itself, or was left meanwhile.
        if (request.Failure != "net::ERR_ABORTED")
            Add("failed request", $"{request.Method} {request.Failure}", request.Url);
    }

    private void Add(IResponse answer)
    {
        if (answer.Status >= 400)
            Add($"answer {answer.Status}", answer.Request.Method, answer.Url);
    }

    private sealed record Fault(string What, string? Text, string? Address)
    {
        /// <summary>
        /// Whether it is this answer, or Chromium's word about it on the console, whose address ends in line and
        /// column.
        /// </summary>
        public bool Is(HttpStatusCode status, string address) =>
            (What == $"answer {(int)status}" && Address == address)
            || (
                Text!.Contains($" a status of {(int)status} ", StringComparison.Ordinal)
                && Address!.StartsWith(address + ":", StringComparison.Ordinal)
            );

        public override string ToString() => $"{What}: {Text} ({Address})";
    }
}
