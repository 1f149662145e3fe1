using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Options;

namespace Platform.Api.Tenants;

/// <summary>
/// What the platform does through RabbitMQ's management interface: the virtual host and exchange that tenants publish to, and one user
/// for each tenant that can do nothing but publish there under its own prefix. Every call may be repeated.
/// </summary>
internal sealed class BrokerManagement(HttpClient http, IOptions<ApiOptions> options)
{
    /// <summary>The topic exchange that tenants publish to.</summary>
    public const string Exchange = "workload-statistics";

    /// <summary>Marks the users that this platform has made, so that no tenant's id can take over another user of the broker.</summary>
    private const string TenantTag = "allocation-tenant";

    private string VirtualHost => options.Value.IngressVirtualHost;

    /// <summary>The client that the calls go through.</summary>
    public static void Configure(IServiceProvider provider, HttpClient client)
    {
        var settings = provider.GetRequiredService<IOptions<ApiOptions>>().Value;
        var (name, password) = settings.BrokerUser;
        client.BaseAddress = settings.RabbitMqManagement ?? new UriBuilder(Uri.UriSchemeHttp, settings.RabbitMq.Host, 15672).Uri;
        client.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}")));
        client.Timeout = TimeSpan.FromSeconds(10);
    }

    /// <summary>Makes the virtual host and the exchange.</summary>
    public async Task EnsureTopologyAsync(CancellationToken cancel)
    {
        await PutAsync($"vhosts/{Escape(VirtualHost)}", new { }, cancel);
        await PutAsync($"permissions/{Escape(VirtualHost)}/{Escape(options.Value.BrokerUser.Name)}", new { configure = ".*", write = ".*", read = ".*" }, cancel);
        await PutAsync($"exchanges/{Escape(VirtualHost)}/{Exchange}", new { type = "topic", durable = true, auto_delete = false, arguments = new { } }, cancel);
    }

    /// <summary>Whether a user of that name exists that is no tenant's.</summary>
    public async Task<bool> IsTakenAsync(string name, CancellationToken cancel)
    {
        using var answer = await http.GetAsync(new Uri($"api/users/{Escape(name)}", UriKind.Relative), cancel);
        if (answer.StatusCode == HttpStatusCode.NotFound)
            return false;
        answer.EnsureSuccessStatusCode();
        return !(await answer.Content.ReadAsStringAsync(cancel)).Contains($"\"{TenantTag}\"", StringComparison.Ordinal);
    }

    /// <summary>Makes a tenant's user: it may configure and read nothing, and write only under its own prefix of the one exchange.</summary>
    public async Task ProvisionAsync(string tenant, string password, CancellationToken cancel)
    {
        await PutAsync($"users/{tenant}", new { password, tags = TenantTag }, cancel);
        await PutAsync($"permissions/{Escape(VirtualHost)}/{tenant}", new { configure = "^$", write = $"^{Exchange}$", read = "^$" }, cancel);
        await PutAsync(
            $"topic-permissions/{Escape(VirtualHost)}/{tenant}", new { exchange = Exchange, write = $"^{tenant}\\.", read = "^$" }, cancel);
    }

    /// <summary>Removes a tenant's user and closes its connections.</summary>
    public async Task WithdrawAsync(string tenant, CancellationToken cancel)
    {
        foreach (var path in new[] { $"users/{tenant}", $"connections/username/{tenant}" })
        {
            using var answer = await http.DeleteAsync(new Uri($"api/{path}", UriKind.Relative), cancel);
            if (answer.StatusCode != HttpStatusCode.NotFound)
                answer.EnsureSuccessStatusCode();
        }
    }

    private async Task PutAsync<T>(string path, T body, CancellationToken cancel)
    {
        using var answer = await http.PutAsJsonAsync(new Uri($"api/{path}", UriKind.Relative), body, cancel);
        answer.EnsureSuccessStatusCode();
    }

    private static string Escape(string name) => Uri.EscapeDataString(name);
}
