using System.Net;
using System.Text.RegularExpressions;

namespace Platform.Integration.Tests.Dashboard;

/// <summary>
/// Speaks to the dashboard as a browser without script: keeps cookies, posts forms with their antiforgery token,
/// follows nothing.
/// </summary>
public sealed partial class BrowserSession : IDisposable
{
    private readonly HttpClientHandler _handler = new()
    {
        AllowAutoRedirect = false,
        CookieContainer = new CookieContainer(),
    };
    private readonly HttpClient _client;

    public BrowserSession(Uri address)
    {
        _client = new HttpClient(_handler) { BaseAddress = address };
        _client.DefaultRequestHeaders.Add("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    }

    /// <summary>The cookies that it has.</summary>
    public CookieCollection Cookies => _handler.CookieContainer.GetCookies(_client.BaseAddress!);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _client.Dispose();
        _handler.Dispose();
    }

    public Task<HttpResponseMessage> GetAsync(string path) => _client.GetAsync(new Uri(path, UriKind.Relative), Cancel);

    /// <summary>Posts a form with the token of a page; without one if it is null.</summary>
    public async Task<HttpResponseMessage> PostAsync(
        string path,
        string? tokenOf,
        params (string Name, string Value)[] fields
    )
    {
        var form = fields.ToDictionary(it => it.Name, it => it.Value);
        if (tokenOf is not null)
            form["__RequestVerificationToken"] = Token().Match(await TextAsync(tokenOf)).Groups[1].Value;
        using var content = new FormUrlEncodedContent(form);
        return await _client.PostAsync(new Uri(path, UriKind.Relative), content, Cancel);
    }

    public Task<HttpResponseMessage> SignInAsync(string key) => PostAsync("/sign-in", "/sign-in", ("Key", key));

    public async Task<string> TextAsync(string path)
    {
        using var answer = await GetAsync(path);
        return await answer.Content.ReadAsStringAsync(Cancel);
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" type=\"hidden\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
