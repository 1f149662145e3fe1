using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Npgsql;
using Platform.Domain.Contracts;
using static Microsoft.Playwright.Assertions;

namespace Platform.Integration.Tests.Dashboard;

/// <summary>The pages as people use them, in a real browser, against the real platform.</summary>
[Collection(typeof(DashboardTests))]
public sealed class PageTests(TestPlatform platform, DashboardBrowser browser)
{
    private const int Windows = 40;
    private const int MostFirstPageBytes = 100_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Uri Address => platform.Address;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_page_of_a_tenant_is_clean_and_accessible_and_has_its_picture(bool isDark)
    {
        var tenant = await LearntAsync();
        await using var page = await browser.OpenAsync(Address, isDark);
        await CheckAsync(page, "sign-in");
        await SignInAsync(page, tenant.Key);
        await Expect(page.Page.GetByRole(AriaRole.Link, new() { Name = "Revised" })).ToBeVisibleAsync();
        await CheckAsync(page, "fleets");
        await page.Page.GetByRole(AriaRole.Link, new() { Name = "Revised" }).ClickAsync();
        await Expect(page.Page.Locator("figure[data-series] canvas").First).ToBeVisibleAsync();
        await CheckAsync(page, "fleet");
        foreach (
            var (link, name) in ((string, string)[])
                [("Compare versions", "compare"), ("Plan", "plan"), ("History and verification", "history")]
        )
        {
            await page.Page.GetByRole(AriaRole.Link, new() { Name = link, Exact = true }).ClickAsync();
            // The state and not the event, which on a busy machine may have passed before anybody waits for it.
            await Expect(page.Page).ToHaveURLAsync(new Regex($"/fleets/chat/{name}"));
            await page.Page.WaitForFunctionAsync("document.readyState === 'complete'");
            await CheckAsync(page, name);
            await page.Page.GotoAsync(new Uri(Address, "/fleets/chat").ToString());
        }

        await page.Page.GetByRole(AriaRole.Link, new() { Name = "Audit" }).ClickAsync();
        await Expect(page.Page.GetByRole(AriaRole.Heading, new() { Name = "Last checkpoint" })).ToBeVisibleAsync();
        await CheckAsync(page, "audit");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_operators_page_shows_workers_queues_and_tenants(bool isDark)
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await using var page = await browser.OpenAsync(Address, isDark);
        await SignInAsync(page, TestPlatform.OperatorKey);
        await Expect(page.Page.GetByText("alive", new() { Exact = true }).First).ToBeVisibleAsync();
        await Expect(page.Page.GetByText("workload-statistics.intake")).ToBeVisibleAsync();
        await CheckAsync(page, "operate");
        await Expect(page.Page.Locator("main")).ToHaveAttributeAsync("data-refreshed", new Regex("[1-9]"));
        await page.Page.GotoAsync(new Uri(Address, $"/operate?tenant={tenant.Id}").ToString());
        await Expect(page.Page.GetByRole(AriaRole.Region, new() { Name = "Keys" }))
            .ToContainTextAsync("ingest, read, manage, audit");
        await page.AssertAccessibleAsync();
        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task An_empty_platform_says_what_to_do_next()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await using var page = await browser.OpenAsync(Address);
        await SignInAsync(page, tenant.Key);
        await Expect(page.Page.GetByRole(AriaRole.Heading, new() { Name = "No fleet yet" })).ToBeVisibleAsync();
        await CheckAsync(page, "fleets-empty");
    }

    [Fact]
    public async Task That_no_worker_solves_is_said_in_clear_words()
    {
        var tenant = await SolvedAsync();
        // Who solves a fleet holds its lock; who hangs holds it for ever.
        await using var hung = new NpgsqlConnection(platform.Database.ConnectionString);
        await hung.OpenAsync(Cancel);
        await using (
            var hold = new NpgsqlCommand(
                $"select pg_advisory_lock(hashtext('platform.fleets'), hashtext('{tenant.Id}/chat'))",
                hung
            )
        )
            await hold.ExecuteNonQueryAsync(Cancel);
        await platform.Database.QueryAsync<int>(
            $"with late as (update platform.fleets set due_at = now() - interval '5 minutes' where tenant_id = '{tenant.Id}' returning 1) select count(*)::int from late",
            Cancel
        );

        await using var page = await OpenAsync(tenant, "/");
        await Expect(page.Page.GetByRole(AriaRole.Status))
            .ToContainTextAsync("No worker is solving. 1 of 1 fleets are past due");
        await page.AssertAccessibleAsync();
        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task A_page_that_is_not_there_says_so()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await using var page = await browser.OpenAsync(new Uri(Address, "/fleets/none"));
        await SignInAsync(page, tenant.Key, isKnown: false);
        page.Expect(HttpStatusCode.NotFound, "/fleets/none");
        await Expect(page.Page.GetByRole(AriaRole.Heading)).ToHaveTextAsync("There is no such page, fleet or version");
        await page.AssertAccessibleAsync();
        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task A_new_version_shows_up_by_itself_and_what_was_open_stays_open()
    {
        var tenant = await SolvedAsync();
        await using var page = await OpenAsync(tenant, "/fleets/chat");
        await page.Page.Locator("summary").First.ClickAsync();
        await Expect(page.Page.Locator(".facts dd").First).ToHaveTextAsync("v1");

        await tenant.PutFleetAsync("chat", Cancel, definition => definition["objective"]!["accuracyWeight"] = 60.0);
        await Expect(page.Page.Locator(".facts dd").First).ToHaveTextAsync("v2");
        await Expect(page.Page.Locator("details").First).ToHaveAttributeAsync("open", "");
        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task The_list_is_filtered_and_sorted_by_its_address()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        foreach (var (fleet, weight) in ((string, double)[])[("alpha", 30), ("beta", 300), ("gamma", 100)])
        {
            await tenant.PutFleetAsync(
                fleet,
                Cancel,
                definition => definition["objective"]!["accuracyWeight"] = weight
            );
            await tenant.UntilAllocatedAsync(fleet, _ => true, Cancel);
        }

        await using var page = await OpenAsync(tenant, "/");
        await page.Page.GetByRole(AriaRole.Link, new() { Name = "Utilization" }).ClickAsync();
        await Expect(page.Page.Locator("tbody code")).ToHaveTextAsync(["alpha", "gamma", "beta"]);
        await page.Page.GetByRole(AriaRole.Link, new() { Name = "Utilization" }).ClickAsync();
        await Expect(page.Page.Locator("tbody code")).ToHaveTextAsync(["beta", "gamma", "alpha"]);
        await page.Page.GetByLabel("Fleet", new() { Exact = true }).FillAsync("A");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();
        await Expect(page.Page).ToHaveURLAsync(new Regex("q=A"));
        await page.Page.GetByLabel("Fleet", new() { Exact = true }).FillAsync("alp");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();
        await Expect(page.Page.Locator("tbody code")).ToHaveTextAsync(["alpha"]);
        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task A_version_is_pinned_and_released_with_a_reason()
    {
        var tenant = await SolvedAsync();
        await tenant.PutFleetAsync("chat", Cancel, definition => definition["objective"]!["accuracyWeight"] = 60.0);
        await tenant.UntilAllocatedAsync("chat", it => (int)it["version"]! == 2, Cancel);
        await using var page = await OpenAsync(tenant, "/fleets/chat");
        var pin = page.Page.Locator("form[action$='handler=pin']");
        await pin.GetByLabel("Version").FillAsync("1");
        await pin.GetByLabel("Reason").FillAsync("the old one was <b>better</b>");
        await pin.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Page.GetByText("Version 1 is pinned")).ToBeVisibleAsync();
        await Expect(page.Page.GetByRole(AriaRole.Status))
            .ToContainTextAsync("by default: the old one was <b>better</b>");
        await Expect(page.Page.Locator(".facts dd").First).ToHaveTextAsync("v1");

        var unpin = page.Page.Locator("form[action$='handler=unpin']");
        await unpin.GetByLabel("Reason").FillAsync("it was not");
        await unpin.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Page.Locator(".facts dd").First).ToHaveTextAsync("v2");
        await Expect(page.Page.Locator(".feed li").First)
            .ToContainTextAsync("allocation unpinned by default: it was not");
        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task A_ladder_is_a_table_with_a_column_for_each_rung()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync(
            "chat",
            Cancel,
            definition => definition["solving"]!["ladder"] = JsonNode.Parse("""{ "rungs": 4 }""")
        );
        var snapshot = await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        await using var page = await OpenAsync(tenant, "/fleets/chat");
        var table = page.Page.GetByRole(AriaRole.Region, new() { Name = "Tokens in a surge" });
        var columns = snapshot["ladder"]!["rungs"]!.AsArray().Count + 1;
        await Expect(table.GetByRole(AriaRole.Columnheader)).ToHaveCountAsync(columns);
        await Expect(table.GetByRole(AriaRole.Row).Last.GetByRole(AriaRole.Cell).Last).ToContainTextAsync("0");
        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task A_proposed_version_is_approved_and_a_solve_is_asked_for()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel, definition => definition["solving"]!["approvalSeconds"] = 3_600);
        await using var page = await OpenAsync(tenant, "/fleets/chat");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Solve now" }).ClickAsync();
        await Expect(page.Page.GetByText("Version 1 waits for approval")).ToBeVisibleAsync();
        var approve = page.Page.Locator("form[action$='handler=approve']");
        await approve.GetByLabel("Reason").FillAsync("looks right");
        await approve.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Page.Locator(".facts dd").First).ToHaveTextAsync("v1");
        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task Two_versions_are_compared_by_version_and_by_instant_and_as_JSON()
    {
        var tenant = await SolvedAsync();
        var between = TimeProvider.System.GetUtcNow();
        await tenant.PutFleetAsync("chat", Cancel, definition => definition["arrivalRate"] = 0.02);
        await tenant.UntilAllocatedAsync("chat", it => (int)it["version"]! == 2, Cancel);
        await using var page = await OpenAsync(tenant, "/fleets/chat/compare?from=1&to=2");
        await Expect(page.Page.GetByRole(AriaRole.Region, new() { Name = "Inputs" }))
            .ToContainTextAsync("Arrival rate");
        var causes = page.Page.GetByRole(AriaRole.Region, new() { Name = "Causes" });
        await Expect(causes.GetByRole(AriaRole.Rowheader)).ToHaveTextAsync(["Traffic"]);
        await Expect(causes.GetByRole(AriaRole.Cell).First).ToHaveTextAsync("arrival rate");
        var tokens = await page.Page.GetByRole(AriaRole.Region, new() { Name = "Tokens" }).InnerTextAsync();

        await page
            .Page.GetByLabel("From", new() { Exact = true })
            .FillAsync(between.ToString("O", CultureInfo.InvariantCulture));
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Compare" }).ClickAsync();
        await Expect(page.Page).ToHaveURLAsync(new Regex("from=20"));
        Assert.Equal(tokens, await page.Page.GetByRole(AriaRole.Region, new() { Name = "Tokens" }).InnerTextAsync());
        var json = await page.Page.APIRequest.GetAsync(
            new Uri(Address, "/fleets/chat/compare?from=1&to=2&handler=json").ToString()
        );
        Assert.Equal(2, (await json.JsonAsync())!.Value.GetProperty("to").GetProperty("version").GetInt32());

        await page.Page.GetByLabel("To", new() { Exact = true }).FillAsync("soon");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Compare" }).ClickAsync();
        await Expect(page.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("neither a version nor an instant");
    }

    [Fact]
    public async Task A_plan_is_made_with_a_slider_and_fields_and_says_what_holds_it_back()
    {
        var tenant = await SolvedAsync();
        await using var page = await OpenAsync(tenant, "/fleets/chat/plan");
        var before = await page.Page.GetByRole(AriaRole.Region, new() { Name = "Figures" }).InnerTextAsync();
        await Expect(page.Page.Locator("#rate"))
            .ToHaveTextAsync(new Regex("The plan is made for .+: the true rate is below"));
        await page.Page.GetByLabel("Traffic").FillAsync("1.2");
        await Expect(page.Page.Locator("output[for=factor]")).ToHaveTextAsync("1.2");
        await page.Page.GetByLabel("Mean tokens a query").FillAsync("50");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Solve" }).ClickAsync();
        await Expect(page.Page.GetByText("The mean token budget of 50.0 binds")).ToBeVisibleAsync();
        await Expect(page.Page.Locator("#rate"))
            .ToHaveTextAsync(new Regex("arrive now. The plan is made for .+ as asked; a solve takes"));
        Assert.NotEqual(
            before,
            await page.Page.GetByRole(AriaRole.Region, new() { Name = "Figures" }).InnerTextAsync()
        );
        await Expect(page.Page.Locator("pre").First).ToContainTextAsync("\"meanTokenBudget\":50");
        await page.AssertAccessibleAsync();

        await page.Page.GetByLabel("Mean system time at most").FillAsync("0.01");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Solve" }).ClickAsync();
        await Expect(page.Page.GetByText("No allocation keeps within these limits")).ToBeVisibleAsync();
        await page.AssertCleanAsync();
        await page.Page.GotoAsync(new Uri(Address, "/fleets/chat/plan?servers=many").ToString());
        page.Expect(HttpStatusCode.BadRequest, "/fleets/chat/plan?servers=many");
        await Expect(page.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("/servers: must be a number");
        await page.AssertCleanAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_version_is_verified_and_one_that_was_tampered_with_is_not(bool withScript)
    {
        var tenant = await SolvedAsync();
        await using var page = await OpenAsync(tenant, "/fleets/chat/history", withScript);
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Verify" }).ClickAsync();
        await Expect(page.Page.GetByRole(AriaRole.Status))
            .ToContainTextAsync("Verified version 1; the chain is intact.");

        await platform.Database.QueryAsync<int>(
            $"update platform.allocation_snapshots set objective = objective + 1 where tenant_id = '{tenant.Id}' returning version",
            Cancel
        );
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Verify" }).ClickAsync();
        await Expect(page.Page.GetByRole(AriaRole.Status)).ToContainTextAsync("Does not match version 1");
        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task Everything_can_be_read_without_script()
    {
        var tenant = await LearntAsync();
        await using var page = await OpenAsync(tenant, "/fleets/chat", withScript: false);
        await Expect(page.Page.GetByRole(AriaRole.Region, new() { Name = "Tokens per task type" }))
            .ToContainTextAsync("math");
        await page.Page.Locator("summary", new() { HasText = "Numbers: Accuracy" }).ClickAsync();
        await Expect(
                page.Page.GetByRole(AriaRole.Region, new() { Name = "Accuracy, as numbers" }).Locator("tbody tr").First
            )
            .ToBeVisibleAsync();
        await Expect(page.Page.GetByRole(AriaRole.Img, new() { Name = "Accuracy of math against tokens" }))
            .ToBeVisibleAsync();
        await Expect(page.Page.GetByRole(AriaRole.Img, new() { Name = "Arrival rate: seen, now and expected" }))
            .ToBeVisibleAsync();
        await page.Page.Locator("summary", new() { HasText = "Numbers: arrival rate" }).ClickAsync();
        await Expect(
                page.Page.GetByRole(AriaRole.Region, new() { Name = "Arrival rate, as numbers" })
                    .Locator("tbody tr")
                    .First
            )
            .ToBeVisibleAsync();
        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task Names_with_markup_and_marks_of_direction_are_inert()
    {
        const string name = "<img src=x onerror=alert(1)>\u202eevil\u2066\"'&amp;";
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel, definition => definition["displayName"] = name);
        await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        await using var page = await OpenAsync(tenant, "/");
        await Expect(page.Page.Locator("tbody bdi")).ToHaveTextAsync(name);
        foreach (
            var path in (string[])
                [
                    "/fleets/chat",
                    "/fleets/chat/plan",
                    "/fleets/chat/history",
                    "/fleets/chat/compare?from=1&to=1",
                    "/audit",
                    "/?q=%3Cscript%3E",
                ]
        )
        {
            await page.Page.GotoAsync(new Uri(Address, path).ToString());
            await Expect(page.Page.Locator("main img, main script")).ToHaveCountAsync(0);
        }

        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task The_keyboard_reaches_the_content_and_the_first_page_is_small()
    {
        var tenant = await SolvedAsync();
        await using var page = await OpenAsync(tenant, "/");
        Assert.InRange(await page.TransferredBytesAsync(), 1, MostFirstPageBytes);
        await page.Page.Keyboard.PressAsync("Tab");
        await Expect(page.Page.Locator(".skip")).ToBeFocusedAsync();
        await page.Page.Keyboard.PressAsync("Enter");
        await page.Page.Keyboard.PressAsync("Tab");
        await Expect(page.Page.GetByLabel("Fleet", new() { Exact = true })).ToBeFocusedAsync();
        await Expect(page.Page.Locator("tbody time").First).ToHaveAttributeAsync("title", new Regex("Europe/Istanbul"));
    }

    private static async Task CheckAsync(DashboardPage page, string name)
    {
        await page.AssertAccessibleAsync();
        await page.AssertCleanAsync();
        await page.TakePictureAsync(name);
    }

    private static async Task SignInAsync(DashboardPage page, string key, bool isKnown = true)
    {
        await page.Page.GetByLabel("Key").FillAsync(key);
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        if (isKnown)
            await Expect(page.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" })).ToBeVisibleAsync();
    }

    /// <summary>Opens a page as the tenant, who is asked for its key on the way.</summary>
    private async Task<DashboardPage> OpenAsync(TestTenant tenant, string path, bool withScript = true)
    {
        var page = await browser.OpenAsync(new Uri(Address, path), withScript: withScript);
        await SignInAsync(page, tenant.Key);
        Assert.Equal(new Uri(Address, path).ToString(), page.Page.Url);
        return page;
    }

    /// <summary>A tenant whose fleet <c>chat</c> has its first version.</summary>
    private async Task<TestTenant> SolvedAsync()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        await tenant.UntilAllocatedAsync("chat", it => (int)it["version"]! == 1, Cancel);
        return tenant;
    }

    /// <summary>A tenant whose fleet <c>chat</c> has learnt from windows, and has two versions.</summary>
    private async Task<TestTenant> LearntAsync()
    {
        var tenant = await SolvedAsync();
        await using (var publisher = await tenant.ConnectAsync(Cancel))
        {
            var end = TimeProvider.System.GetUtcNow();
            for (var i = 0; i < Windows; i++)
                await publisher.PublishAsync(
                    "chat",
                    StrictJson.Write(TestTenant.Window("chat", 1 + (i % 3), end.AddSeconds(-60 * i))),
                    Guid.NewGuid(),
                    Cancel
                );
        }

        await tenant.UntilAllocatedOnAsync("chat", Windows, Cancel);
        return tenant;
    }
}
