using System.IO.Compression;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;

namespace Platform.Integration.Tests.Dashboard;

/// <summary>Pages with one fault each, and one that has none: what the browser says of them.</summary>
[Collection<DashboardTests>]
public sealed class DashboardBrowserTests(DashboardBrowser browser) : IAsyncLifetime
{
    private const string Picture = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>";

    private const string Style = """
        body { background: white; color: black }
        .pale { color: #ccc }
        .night { color: #333 }
        @media (prefers-color-scheme: dark) { body { background: black; color: white } }
        """;

    private readonly TaskCompletionSource _release = new();
    private WebApplication _site = null!;
    private string _policy = "default-src 'self'";
    private string _body = "<p>Nothing is wrong.</p>";
    private string _script = "document.querySelector('p').append(' Scripts run.')";

    private Uri Address => new(_site.Urls.First());

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        // The second port is another origin.
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        _site = builder.Build();
        _site.Run(AnswerAsync);
        await _site.StartAsync(TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync() => _site.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_good_page_is_clean_and_accessible(bool isDark)
    {
        await using var page = await browser.OpenAsync(Address, isDark);
        await Assertions.Expect(page.Page.GetByText("Scripts run.")).ToBeVisibleAsync();
        await page.AssertCleanAsync();
        await page.AssertAccessibleAsync();
        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task A_page_is_clean_without_script_and_axe_says_that_it_needs_script()
    {
        await using var page = await browser.OpenAsync(Address, withScript: false);
        await Assertions.Expect(page.Page.GetByText("Nothing is wrong.")).ToBeVisibleAsync();
        await Assertions.Expect(page.Page.GetByText("Scripts run.")).ToHaveCountAsync(0);
        await page.AssertCleanAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(page.AssertAccessibleAsync);
    }

    [Theory]
    [InlineData("console.error('a word')", "", "console error: a word (")]
    [InlineData("console.warn('a word')", "", "console warning: a word (")]
    [InlineData("throw new Error('a word')", "", "page error: Error: a word")]
    [InlineData("", "<script>1</script>", "Content Security Policy")]
    [InlineData("", "<img alt='A picture' src='/cut'>", "failed request: GET net::ERR_")]
    [InlineData("", "<img alt='A picture' src='/missing'>", "answer 404: GET (http://127.0.0.1:")]
    public async Task A_fault_is_reported(string script, string body, string report)
    {
        (_script, _body) = (script, body);
        await using var page = await browser.OpenAsync(Address);
        Assert.Contains(report, await ReportAsync(page.AssertCleanAsync), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("default-src 'self'")]
    [InlineData("default-src 'self'; img-src *")]
    public async Task A_request_to_another_origin_is_reported(string policy)
    {
        var elsewhere = $"{_site.Urls.Last()}/picture.svg";
        (_policy, _body) = (policy, $"<img alt='A picture' src='{elsewhere}'>");
        await using var page = await browser.OpenAsync(Address);
        Assert.Contains(elsewhere, await ReportAsync(page.AssertCleanAsync), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_expected_answer_is_no_fault_and_has_to_come()
    {
        await using var page = await browser.OpenAsync(new Uri(Address, "/missing"));
        Assert.Contains("answer 404", await ReportAsync(page.AssertCleanAsync), StringComparison.Ordinal);
        page.Expect(HttpStatusCode.NotFound, "/missing");
        await page.AssertCleanAsync();
        page.Expect(HttpStatusCode.Forbidden, "/missing");
        Assert.Contains(
            "expected answer 403 did not come",
            await ReportAsync(page.AssertCleanAsync),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task An_answer_under_way_is_waited_for()
    {
        _script = "fetch('/slow')";
        await using var page = await browser.OpenAsync(Address);
        var report = ReportAsync(page.AssertCleanAsync);
        await page.Page.EvaluateAsync("0");
        _release.SetResult();
        Assert.Contains("answer 404", await report, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_of_events_is_not_waited_for()
    {
        _script = """
            new EventSource('/silent')
            new EventSource('/events').onmessage = event => document.querySelector('p').append(event.data)
            """;
        await using var page = await browser.OpenAsync(Address);
        await Assertions.Expect(page.Page.GetByText("An event")).ToBeVisibleAsync();
        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task A_request_that_the_page_gives_up_is_no_fault()
    {
        _script = """
            const end = new AbortController()
            await fetch('/events', { signal: end.signal })
            end.abort()
            document.querySelector('p').append(' Given up.')
            """;
        await using var page = await browser.OpenAsync(Address);
        await Assertions.Expect(page.Page.GetByText("Given up.")).ToBeVisibleAsync();
        await page.AssertCleanAsync();
    }

    [Theory]
    [InlineData("<img src='/picture.svg'>", false, "image-alt (critical)")]
    [InlineData("<p class='pale'>Hard to read</p>", false, "color-contrast (serious)")]
    [InlineData("<p class='night'>Hard to read at night</p>", true, "color-contrast (serious)")]
    public async Task What_axe_objects_to_is_reported_with_its_place(string body, bool isDark, string report)
    {
        _body = body;
        await using var page = await browser.OpenAsync(Address, isDark);
        var said = await ReportAsync(page.AssertAccessibleAsync);
        Assert.Contains(report, said, StringComparison.Ordinal);
        Assert.Contains(body.Split('>')[0].Replace('\'', '"'), said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bytes_are_counted_as_they_are_sent()
    {
        _script = $"// {new string('a', 100_000)}";
        await using var page = await browser.OpenAsync(Address);
        var sent = Compress(Page()).Length + Compress(Style).Length + Compress(_script).Length;
        // With or without the page's icon, for which nobody waits.
        var icon = 300 + Compress(Picture).Length;
        Assert.InRange(await page.TransferredBytesAsync(), sent + 3 * 300, sent + 3 * 300 + icon);
    }

    [Fact]
    public async Task A_picture_is_taken()
    {
        await using var page = await browser.OpenAsync(Address, isDark: true);
        var file = await page.TakePictureAsync("rig");
        Assert.EndsWith("/.platform/pictures/rig-dark.png", file, StringComparison.Ordinal);
        Assert.Equal(
            "\x89PNG"u8.ToArray()[^3..],
            (await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken))[1..4]
        );
    }

    private static async Task<string> ReportAsync(Func<Task> check) =>
        (await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(check)).Message;

    private static byte[] Compress(string text)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Optimal))
            gzip.Write(Encoding.UTF8.GetBytes(text));
        return bytes.ToArray();
    }

    private static async Task SendAsync(HttpContext context, string type, string text)
    {
        context.Response.Headers.ContentEncoding = "gzip";
        context.Response.ContentType = type + "; charset=utf-8";
        await context.Response.Body.WriteAsync(Compress(text), context.RequestAborted);
    }

    private string Page() =>
        $"""
            <!doctype html><html lang="en"><head><title>A page</title><link rel="stylesheet" href="/style.css"></head>
            <body><main><h1>A page</h1>{_body}</main><script type="module" src="/script.js"></script></body></html>
            """;

    private async Task AnswerAsync(HttpContext context)
    {
        context.Response.Headers.ContentSecurityPolicy = _policy;
        switch (context.Request.Path.Value)
        {
            case "/":
                await SendAsync(context, "text/html", Page());
                break;
            case "/style.css":
                await SendAsync(context, "text/css", Style);
                break;
            case "/script.js":
                await SendAsync(context, "text/javascript", _script);
                break;
            case "/picture.svg" or "/favicon.ico":
                await SendAsync(context, "image/svg+xml", Picture);
                break;
            case "/events":
                context.Response.ContentType = "text/event-stream";
                await context.Response.WriteAsync("data: An event\n\n", context.RequestAborted);
                goto case "/silent";
            case "/silent":
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
                break;
            case "/cut":
                context.Abort();
                break;
            case "/slow":
                await _release.Task;
                goto default;
            default:
                context.Response.StatusCode = 404;
                await SendAsync(context, "text/html", "<!doctype html>Nothing is here");
                break;
        }
    }
}
