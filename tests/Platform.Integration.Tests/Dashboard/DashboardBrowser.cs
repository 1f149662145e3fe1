using Microsoft.Playwright;

namespace Platform.Integration.Tests.Dashboard;

/// <summary>
/// The tests that look at pages, one after another: they share a browser, and a page in it has both cores.
/// </summary>
[CollectionDefinition]
public sealed class DashboardTests : ICollectionFixture<DashboardBrowser>;

/// <summary>One headless Chromium, that of the distribution; the first test that opens a page starts it.</summary>
public sealed class DashboardBrowser : IAsyncDisposable
{
    /// <summary>Long enough for two noisy cores; a test that passes does not wait for it.</summary>
    private const int DeadlineMillis = 30_000;

    private readonly Lazy<Task<(IPlaywright Playwright, IBrowser Browser)>> _started = new(StartAsync);

    /// <summary>
    /// Opens an address in a profile of its own, with neither cookies nor cache, and waits until all that it names is
    /// loaded.
    /// </summary>
    /// <param name="address">The page; requests to another origin than its own are foreign.</param>
    /// <param name="isDark">Whether the reader prefers dark colors.</param>
    /// <param name="withScript">Whether scripts of the page run.</param>
    /// <exception cref="InvalidOperationException">There is no Chromium.</exception>
    /// <exception cref="PlaywrightException">The address does not answer.</exception>
    public async Task<DashboardPage> OpenAsync(Uri address, bool isDark = false, bool withScript = true)
    {
        var (_, browser) = await _started.Value;
        var context = await browser.NewContextAsync(
            new()
            {
                ViewportSize = new() { Width = 1280, Height = 900 },
                Locale = "en-GB",
                // Not UTC, so that local times differ from those that are written.
                TimezoneId = "Europe/Istanbul",
                ColorScheme = isDark ? ColorScheme.Dark : ColorScheme.Light,
                JavaScriptEnabled = withScript,
            }
        );
        context.SetDefaultTimeout(DeadlineMillis);
        return await DashboardPage.OpenAsync(context, address, isDark, withScript);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_started.IsValueCreated || !_started.Value.IsCompletedSuccessfully)
            return;
        var (playwright, browser) = await _started.Value;
        await browser.CloseAsync();
        playwright.Dispose();
    }

    private static async Task<(IPlaywright Playwright, IBrowser Browser)> StartAsync()
    {
        var program = FindChromium();
        Assertions.SetDefaultExpectTimeout(DeadlineMillis);
        var playwright = await Playwright.CreateAsync();
        // Playwright starts it without a sandbox, which root could not have; the pages are our own.
        return (playwright, await playwright.Chromium.LaunchAsync(new() { ExecutablePath = program }));
    }

    private static string FindChromium() =>
        Environment
            .GetEnvironmentVariable("PATH")!
            .Split(':')
            .Select(folder => Path.Combine(folder, "chromium"))
            .FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException(
            "There is no chromium. Run the tests with ./platform test, or install it (Debian: apt-get install chromium)"
        );
}
