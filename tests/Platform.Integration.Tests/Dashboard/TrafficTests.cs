using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.AspNetCore.Mvc.Razor;
using Microsoft.AspNetCore.Mvc.Rendering;
using Microsoft.AspNetCore.Mvc.ViewFeatures;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using Platform.Api.Dashboard;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Persistence.Snapshots;
using static Microsoft.Playwright.Assertions;

namespace Platform.Integration.Tests.Dashboard;

/// <summary>
/// The traffic of a fleet as its page shows it, of estimates that are made for it: days of windows would have to be
/// published for a forecast.
/// </summary>
[Collection<DashboardTests>]
public sealed class TrafficTests(DashboardBrowser browser) : IAsyncLifetime
{
    private const int StretchSeconds = 338;
    private const int PhoneWidth = 390;

    private static readonly DateTimeOffset Now = new(2026, 12, 1, 12, 0, 0, TimeSpan.Zero);

    private WebApplication _site = null!;
    private TrafficDrawing _drawing = null!;

    private Uri Address => new(_site.Urls.First());

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddDashboard();
        _site = builder.Build();
        _site.MapAssets();
        _site.MapGet("/", SendAsync);
        await _site.StartAsync(TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync() => _site.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Seen_rate_rate_now_upper_rate_and_forecast_are_drawn_and_listed(bool isDark)
    {
        Show(Estimate(Forecast("days")), Night());
        await using var page = await browser.OpenAsync(Address, isDark);
        await Expect(page.Page.Locator(".facts dt"))
            .ToHaveTextAsync([
                "Arrival rate now",
                "Allocations are made for",
                "Over the last 6 hours",
                "Forecast until 1 Dec 14:00:00",
            ]);
        await Expect(page.Page.Locator("dd:not(.hint)"))
            .ToHaveTextAsync([
                "0.0300\u202f/s (0.0200\u202f/s to 0.0400\u202f/s)",
                "0.0950\u202f/s",
                "0.0120\u202f/s (0.0100\u202f/s to 0.0140\u202f/s)",
                "0.0800\u202f/s (0.0600\u202f/s to 0.100\u202f/s)",
            ]);
        await Expect(page.Page.Locator("dd.hint").Nth(1)).ToContainTextAsync("with probability 90.0\u202f%");
        await Expect(page.Page.Locator("dd.hint").Nth(3))
            .ToContainTextAsync("from the same hours of the last days; the error of such forecasts was 62.0\u202f%");

        var picture = page.Page.GetByRole(AriaRole.Img, new() { Name = "Arrival rate: seen, now and expected" });
        foreach (var line in (string[])["seen-rate", "band", "curve", "upper-rate", "forecast", "forecast-band"])
            await Expect(picture.Locator($"polyline.{line}")).ToHaveCountAsync(1);
        var now = double.Parse((await picture.Locator("line.mark").GetAttributeAsync("x1"))!);
        Assert.All(await XsAsync(picture, "forecast"), x => Assert.InRange(x, now, double.MaxValue));
        Assert.All(await XsAsync(picture, "curve"), x => Assert.InRange(x, 0, now));
        Assert.All(await XsAsync(picture, "seen-rate"), x => Assert.InRange(x, 0, now));
        await Expect(page.Page.Locator(".legend li")).ToHaveCountAsync(4);
        await page.AssertAccessibleAsync();
        await page.AssertCleanAsync();
        await page.TakePictureAsync("traffic");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_fits_a_phone(bool isDark)
    {
        Show(Estimate(Forecast("weekday")), Night());
        await using var page = await browser.OpenAsync(Address, isDark);
        await page.Page.SetViewportSizeAsync(PhoneWidth, 844);
        await page.Page.Locator("summary").ClickAsync();
        await Expect(page.Page.GetByRole(AriaRole.Row)).ToHaveCountAsync(Night().Count + 1);
        Assert.Equal(PhoneWidth, await page.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        await page.AssertAccessibleAsync();
        await page.TakePictureAsync("traffic-phone");
        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task Without_a_forecast_the_rate_now_goes_to_the_end_and_the_page_says_why_there_is_none()
    {
        Show(Estimate(forecast: null), Night());
        await using var page = await browser.OpenAsync(Address);
        await Expect(page.Page.GetByText("There is no forecast: the hours of the days before are too few, or"))
            .ToBeVisibleAsync();
        await Expect(page.Page.Locator(".facts dt")).ToHaveCountAsync(3);
        await Expect(page.Page.Locator(".legend li")).ToHaveCountAsync(3);
        var picture = page.Page.GetByRole(AriaRole.Img);
        await Expect(picture.Locator(".forecast, .forecast-band")).ToHaveCountAsync(0);
        Assert.Equal(await XsAsync(picture, "upper-rate"), await XsAsync(picture, "curve"));
        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task Time_without_windows_is_a_gap_in_what_was_seen()
    {
        var night = Night();
        Show(Estimate(forecast: null), [.. night[..4], .. night[6..]]);
        await using var page = await browser.OpenAsync(Address);
        await Expect(page.Page.Locator("polyline.seen-rate")).ToHaveCountAsync(2);
    }

    [Fact]
    public async Task Before_the_first_window_the_rates_are_listed_and_nothing_is_drawn()
    {
        Show(Estimate(forecast: null), []);
        await using var page = await browser.OpenAsync(Address);
        await Expect(page.Page.Locator(".facts dt")).ToHaveCountAsync(3);
        await Expect(page.Page.GetByRole(AriaRole.Img)).ToHaveCountAsync(0);
        await page.AssertAccessibleAsync();
    }

    private static async Task<IEnumerable<double>> XsAsync(ILocator picture, string line)
    {
        var points = await picture.Locator($"polyline.{line}").GetAttributeAsync("points");
        return Regex.Matches(points!, "([0-9.]+),").Select(point => double.Parse(point.Groups[1].Value));
    }

    /// <summary>Hours of little traffic, and an hour in which the morning begins.</summary>
    private static List<ObservedStretch> Night()
    {
        var first = Now.ToUnixTimeSeconds() / StretchSeconds - 40;
        return
        [
            .. Enumerable
                .Range(0, 40)
                .Select(i => new ObservedStretch
                {
                    From = DateTimeOffset.FromUnixTimeSeconds((first + i) * StretchSeconds),
                    CoveredSeconds = StretchSeconds,
                    Arrivals = i < 30 ? i % 3 : 4 + i % 5,
                    Accuracy = null,
                    MeanSystemTimeSeconds = null,
                }),
        ];
    }

    private static TrafficForecast Forecast(string hours) =>
        new()
        {
            Until = Now.AddHours(2),
            Rate = new IntervalEstimate(0.08, 0.01, 0.06, 0.1),
            UpperRate = 0.095,
            Hours = hours,
            ErrorRatio = 0.62,
        };

    private static FleetEstimate Estimate(TrafficForecast? forecast)
    {
        var average = new IntervalEstimate(0.012, 0.001, 0.01, 0.014);
        return Estimator.Estimate(Definition(), new WorkloadSums(21_600), Now) with
        {
            ArrivalRate = new IntervalEstimate(0.03, 0.005, 0.02, 0.04),
            Traffic = new TrafficEstimate(average, 0.095, 0.9) { Forecast = forecast },
        };
    }

    private static FleetDefinition Definition() =>
        StrictJson.TryRead<FleetDefinition>(
            Encoding.UTF8.GetBytes(TestTenant.Definition().ToJsonString()),
            out var definition,
            out var fault
        )
            ? definition
            : throw new InvalidOperationException(fault.ToString());

    private void Show(FleetEstimate estimate, IReadOnlyList<ObservedStretch> stretches)
    {
        var seen = new WorkloadObservations
        {
            StretchSeconds = StretchSeconds,
            Stretches = stretches,
            TaskTypes = [],
        };
        _drawing = TrafficDrawing.Find(new EstimateWithObservations(Definition(), estimate, seen))!;
    }

    private async Task SendAsync(HttpContext http)
    {
        http.Response.ContentType = "text/html; charset=utf-8";
        await http.Response.WriteAsync(await PageAsync(http));
    }

    private async Task<string> PageAsync(HttpContext http) =>
        $"""
            <!doctype html><html lang="en"><head><meta charset="utf-8"><title>Traffic</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <link rel="icon" href="{DashboardAssets.PathOf(
                "icon.svg"
            )}"><link rel="stylesheet" href="{DashboardAssets.PathOf("dashboard.css")}">
            </head><body><main id="main"><h1>A fleet</h1>{await RenderAsync(http)}</main></body></html>
            """;

    private async Task<string> RenderAsync(HttpContext http)
    {
        var services = http.RequestServices;
        var view = services
            .GetRequiredService<IRazorViewEngine>()
            .GetView(null, "/Dashboard/_Traffic.cshtml", isMainPage: false)
            .View!;
        var action = new ActionContext(http, new RouteData(), new ActionDescriptor());
        var data = new ViewDataDictionary<TrafficDrawing>(new EmptyModelMetadataProvider(), new ModelStateDictionary())
        {
            Model = _drawing,
        };
        var kept = new TempDataDictionary(http, services.GetRequiredService<ITempDataProvider>());
        await using var text = new StringWriter();
        await view.RenderAsync(new ViewContext(action, view, data, kept, text, new HtmlHelperOptions()));
        return text.ToString();
    }
}
