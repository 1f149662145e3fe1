using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Platform.Testing;

namespace Platform.Integration.Tests.Dashboard;

/// <summary>Who may see and do what in the dashboard, whatever a browser sends.</summary>
public sealed class SessionTests(TestPlatform platform)
{
    private static readonly string[] FleetPages =
    [
        "/fleets/chat",
        "/fleets/chat/compare",
        "/fleets/chat/plan",
        "/fleets/chat/history",
        "/fleets/chat/export",
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Uri Address => platform.Address;

    [Theory]
    [InlineData("/")]
    [InlineData("/fleets/chat")]
    [InlineData("/fleets/chat/compare")]
    [InlineData("/fleets/chat/plan")]
    [InlineData("/fleets/chat/history")]
    [InlineData("/fleets/chat/export")]
    [InlineData("/audit")]
    [InlineData("/operate")]
    [InlineData("/jobs")]
    public async Task Who_has_not_signed_in_is_asked_to(string path)
    {
        using var browser = new BrowserSession(Address);
        using var answer = await browser.GetAsync(path);
        Assert.Equal(HttpStatusCode.Found, answer.StatusCode);
        Assert.Equal($"/sign-in?ReturnUrl={Uri.EscapeDataString(path)}", answer.Headers.Location!.PathAndQuery);
    }

    [Theory]
    [InlineData("/changes")]
    [InlineData("/fleets/chat/verification?version=1")]
    public async Task A_stream_is_refused_to_who_has_not_signed_in(string path)
    {
        using var browser = new BrowserSession(Address);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync(path)).StatusCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("alloc_0000000000000000_00000000000000000000000000000000000000")]
    public async Task What_is_no_key_opens_nothing(string key)
    {
        using var browser = new BrowserSession(Address);
        using var answer = await browser.SignInAsync(key);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Null(browser.Cookies["allocation-session"]);
    }

    [Fact]
    public async Task A_session_is_sealed_kept_from_scripts_and_other_sites_and_no_good_under_v1()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        using var browser = await SignedInAsync(tenant.Key);
        using var signedIn = await browser.SignInAsync(tenant.Key);
        var cookie = signedIn
            .Headers.GetValues("Set-Cookie")
            .Single(it => it.StartsWith("allocation-session=", StringComparison.Ordinal));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(tenant.Key.Split('_')[^1], cookie, StringComparison.Ordinal);

        using var call = await browser.GetAsync("/v1/fleets");
        Assert.Equal(HttpStatusCode.Unauthorized, call.StatusCode);
    }

    [Fact]
    public async Task A_long_list_has_parts()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        for (var i = 0; i < 201; i++)
            await tenant.PutFleetAsync($"fleet-{i:000}", Cancel);
        using var browser = await SignedInAsync(tenant.Key);
        var first = await browser.TextAsync("/");
        Assert.Contains("<code>fleet-199</code>", first, StringComparison.Ordinal);
        Assert.DoesNotContain("<code>fleet-200</code>", first, StringComparison.Ordinal);
        var next = Regex.Match(first, "rel=\"next\" href=\"([^\"]+)\"").Groups[1].Value;
        var second = await browser.TextAsync($"/{WebUtility.HtmlDecode(next)}");
        Assert.Contains("<code>fleet-200</code>", second, StringComparison.Ordinal);
        Assert.DoesNotContain("<code>fleet-199</code>", second, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_sealed_by_one_process_is_opened_by_another()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        using var browser = await SignedInAsync(tenant.Key);
        var other = await platform.StartApiAsync([]);
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = other };
        client.DefaultRequestHeaders.Add(
            "Cookie",
            $"allocation-session={browser.Cookies["allocation-session"]!.Value}"
        );
        using var answer = await client.GetAsync(new Uri("/", UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task A_session_ends_with_its_key_with_the_sign_out_and_is_not_made_up()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        var key = await NewKeyAsync(tenant, ["read"]);
        using var browser = await SignedInAsync(key);
        using var @operator = platform.Operator;
        using var revoked = await @operator.DeleteAsync(
            new Uri($"/v1/tenants/{tenant.Id}/keys/{key.Split('_')[1]}", UriKind.Relative),
            Cancel
        );
        Assert.Equal(HttpStatusCode.Found, (await browser.GetAsync("/")).StatusCode);

        using var second = await SignedInAsync(tenant.Key);
        using var signedOut = await second.PostAsync("/sign-in?handler=out", "/");
        Assert.Equal(HttpStatusCode.Found, signedOut.StatusCode);
        Assert.Equal(HttpStatusCode.Found, (await second.GetAsync("/")).StatusCode);
    }

    [Fact]
    public async Task Another_tenants_fleet_is_as_one_that_does_not_exist()
    {
        var (mine, theirs) = (await platform.CreateTenantAsync(Cancel), await platform.CreateTenantAsync(Cancel));
        await theirs.PutFleetAsync("chat", Cancel);
        await theirs.UntilAllocatedAsync("chat", _ => true, Cancel);
        using var browser = await SignedInAsync(mine.Key);
        foreach (var path in FleetPages)
        {
            using var answer = await browser.GetAsync(path);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.Contains(
                "<h1>There is no such page, fleet or version</h1>",
                await answer.Content.ReadAsStringAsync(Cancel),
                StringComparison.Ordinal
            );
            Assert.Equal(
                await PageWithoutTraceAsync(browser, path.Replace("chat", "none", StringComparison.Ordinal)),
                await PageWithoutTraceAsync(browser, path)
            );
        }

        Assert.DoesNotContain("chat", await browser.TextAsync("/audit"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_operator_sees_no_tenants_fleets_and_a_tenant_not_the_operators_page()
    {
        var tenant = await TenantWithFleetAsync();
        using var @operator = await SignedInAsync(TestPlatform.OperatorKey);
        Assert.Equal("/operate", (await @operator.GetAsync("/")).Headers.Location!.OriginalString);
        Assert.Contains(tenant.Id, await @operator.TextAsync($"/operate?tenant={tenant.Id}"), StringComparison.Ordinal);
        foreach (var path in FleetPages.Concat(["/audit", "/changes", "/fleets/chat/verification?version=1"]))
            Assert.Equal(HttpStatusCode.Forbidden, (await @operator.GetAsync(path)).StatusCode);

        using var browser = await SignedInAsync(tenant.Key);
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.GetAsync("/operate")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.GetAsync("/jobs")).StatusCode);
        Assert.Contains("solve-sweep", await @operator.TextAsync("/jobs/recurring"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reader_is_shown_no_decisions_and_can_take_none()
    {
        var tenant = await TenantWithFleetAsync();
        using var reader = await SignedInAsync(await NewKeyAsync(tenant, ["read"]));
        Assert.DoesNotContain(
            "handler=",
            (await reader.TextAsync("/fleets/chat")).Replace("handler=out", "", StringComparison.Ordinal),
            StringComparison.Ordinal
        );
        await Eventually.TrueAsync(
            async () =>
                (await reader.TextAsync("/audit")).Contains("scope <code>audit</code>", StringComparison.Ordinal),
            "the log to have its first entries",
            Cancel
        );
        foreach (var handler in (string[])["solve", "pin", "unpin", "approve"])
        {
            using var answer = await reader.PostAsync(
                $"/fleets/chat?handler={handler}",
                "/fleets/chat",
                ("Version", "1"),
                ("Reason", "I may not")
            );
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }

        Assert.Equal(
            0,
            await platform.Database.QueryAsync<long>(
                $"select count(*) from events.mt_events where tenant_id = '{tenant.Id}' and type like 'allocation-%pinned'",
                Cancel
            )
        );
    }

    [Fact]
    public async Task A_key_that_may_only_publish_opens_no_session()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        using var browser = new BrowserSession(Address);
        using var answer = await browser.SignInAsync(await NewKeyAsync(tenant, ["ingest"]));
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains("may not read", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_decision_wants_the_forms_token_and_a_reason()
    {
        var tenant = await TenantWithFleetAsync();
        using var browser = await SignedInAsync(tenant.Key);
        using var forged = await browser.PostAsync(
            "/fleets/chat?handler=pin",
            null,
            ("Version", "1"),
            ("Reason", "forged")
        );
        Assert.Equal(HttpStatusCode.BadRequest, forged.StatusCode);
        using var without = await browser.PostAsync(
            "/fleets/chat?handler=pin",
            "/fleets/chat",
            ("Version", "1"),
            ("Reason", " ")
        );
        Assert.Equal(HttpStatusCode.Conflict, without.StatusCode);
        using var beyond = await browser.PostAsync(
            "/fleets/chat?handler=pin",
            "/fleets/chat",
            ("Version", "99"),
            ("Reason", "why not")
        );
        Assert.Equal(HttpStatusCode.Conflict, beyond.StatusCode);
        Assert.Contains(
            "there is no such allocation",
            await beyond.Content.ReadAsStringAsync(Cancel),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("https://elsewhere.example/")]
    [InlineData("//elsewhere.example/")]
    public async Task A_sign_in_leads_nowhere_else(string elsewhere)
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        using var browser = new BrowserSession(Address);
        using var answer = await browser.PostAsync(
            $"/sign-in?ReturnUrl={Uri.EscapeDataString(elsewhere)}",
            "/sign-in",
            ("Key", tenant.Key)
        );
        Assert.Equal("/", answer.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task A_page_tells_the_browser_to_load_and_run_nothing_from_elsewhere()
    {
        using var browser = new BrowserSession(Address);
        using var page = await browser.GetAsync("/sign-in");
        var policy = page.Headers.GetValues("Content-Security-Policy").Single();
        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.True(page.Headers.CacheControl!.NoStore);
    }

    private static async Task<string> PageWithoutTraceAsync(BrowserSession browser, string path) =>
        (await browser.TextAsync(path)).Split(", trace ")[0];

    private async Task<TestTenant> TenantWithFleetAsync()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        return tenant;
    }

    private async Task<BrowserSession> SignedInAsync(string key)
    {
        var browser = new BrowserSession(Address);
        using var answer = await browser.SignInAsync(key);
        Assert.Equal(HttpStatusCode.Found, answer.StatusCode);
        return browser;
    }

    private async Task<string> NewKeyAsync(TestTenant tenant, string[] scopes)
    {
        using var @operator = platform.Operator;
        using var answer = await @operator.PostAsJsonAsync(
            $"/v1/tenants/{tenant.Id}/keys",
            new { name = "another", scopes },
            Cancel
        );
        return (string)(await TestPlatform.ReadAsync(answer, Cancel))["apiKey"]!;
    }
}
