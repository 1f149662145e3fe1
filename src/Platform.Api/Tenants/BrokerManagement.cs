using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using Platform.Domain.Contracts;

namespace Platform.Api.Tenants;

/// <summary>A queue of the broker.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Ready">Messages that wait.</param>
/// <param name="Unacknowledged">Messages that a worker has taken and not yet stored.</param>
internal sealed record BrokerQueue(
    string Name,
    [property: JsonPropertyName("messages_ready")] long Ready,
    [property: JsonPropertyName("messages_unacknowledged")] long Unacknowledged
);

/// <summary>
/// What the platform does through RabbitMQ's management interface: the virtual host and exchange that tenants publish
/// to, and one user for each tenant that can do nothing but publish there under its own prefix. Every call may be
/// repeated.
/// </summary>
internal sealed class BrokerManagement(HttpClient http, IOptions<ApiOptions> options, TimeProvider time)
{
    /// <summary>
    /// Marks the users that this platform has made, so that no tenant's id can take over another user of the broker.
    /// </summary>
    private const string TenantTag = "allocation-tenant";

    /// <summary>
    /// Connections of a tenant at once: room for its gateways, and no more than a small part of what the broker can
    /// bear.
    /// </summary>
    private const int MaxConnections = 100;

    /// <summary>Channels of a tenant at once, over all its connections.</summary>
    private const int MaxChannels = 400;

    /// <summary>Notices that wait for a tenant.</summary>
    private const int MaxNotices = 10_000;

    private static readonly TimeSpan NoticesKeptFor = TimeSpan.FromDays(7);

    private string VirtualHost => options.Value.IngressVirtualHost;

    /// <summary>The client that the calls go through.</summary>
    public static void Configure(IServiceProvider provider, HttpClient client)
    {
        var settings = provider.GetRequiredService<IOptions<ApiOptions>>().Value;
        var (name, password) = settings.BrokerUser;
        client.BaseAddress =
            settings.RabbitMqManagement ?? new UriBuilder(Uri.UriSchemeHttp, settings.RabbitMq.Host, 15672).Uri;
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic",
            Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}"))
        );
        client.Timeout = TimeSpan.FromSeconds(10);
    }

    /// <summary>
    /// Makes the virtual host, the exchange, and the queues behind it, exactly as the workers declare them: a window
    /// that is confirmed before the first worker has started must have its queue.
    /// </summary>
    public async Task EnsureTopologyAsync(CancellationToken cancel)
    {
        var host = Escape(VirtualHost);
        await PutAsync($"vhosts/{host}", new { }, cancel);
        await PutAsync(
            $"permissions/{host}/{Escape(options.Value.BrokerUser.Name)}",
            new
            {
                configure = ".*",
                write = ".*",
                read = ".*",
            },
            cancel
        );
        await DeclareQueueAsync(IngressNames.Rejected, new() { ["x-queue-type"] = "quorum" }, cancel);
        await KeepRejectedAsync(host, cancel);
        await DeclareQueueAsync(
            IngressNames.Intake,
            new()
            {
                ["x-queue-type"] = "quorum",
                ["x-dead-letter-exchange"] = IngressNames.Rejected,
                ["x-delivery-limit"] = IngressNames.DeliveryLimit,
            },
            cancel
        );
        await PutAsync($"exchanges/{host}/{IngressNames.Exchange}", new { type = "topic", durable = true }, cancel);
        await LimitBacklogAsync(host, cancel);
        await PutAsync($"exchanges/{host}/{IngressNames.Allocations}", new { type = "topic", durable = true }, cancel);
        await LimitNoticesAsync(host, cancel);
        await BindAsync($"{host}/e/{IngressNames.Exchange}/e/{IngressNames.Intake}", "#", cancel);
    }

    /// <summary>
    /// Lets operators look at a rejected message as often as they like: newer brokers drop what was handed out 20
    /// times.
    /// </summary>
    private Task KeepRejectedAsync(string host, CancellationToken cancel) =>
        PutAsync(
            $"policies/{host}/{IngressNames.Rejected}",
            new Dictionary<string, object>
            {
                ["pattern"] = $"^{IngressNames.Rejected.Replace(".", @"\.", StringComparison.Ordinal)}$",
                ["apply-to"] = "queues",
                ["definition"] = new Dictionary<string, object> { ["delivery-limit"] = int.MaxValue },
            },
            cancel
        );

    /// <summary>
    /// Refuses what is published while the intake is full. A policy, unlike an argument of the queue, can be changed
    /// while it is in use. What the intake gives up is kept until the queue of rejected messages has confirmed it.
    /// </summary>
    private Task LimitBacklogAsync(string host, CancellationToken cancel) =>
        PutAsync(
            $"policies/{host}/{IngressNames.Intake}",
            new Dictionary<string, object>
            {
                ["pattern"] = $"^{IngressNames.Intake.Replace(".", @"\.", StringComparison.Ordinal)}$",
                ["apply-to"] = "queues",
                ["definition"] = new Dictionary<string, object>
                {
                    ["max-length"] = options.Value.IntakeBacklog,
                    ["overflow"] = "reject-publish",
                    ["dead-letter-strategy"] = "at-least-once",
                },
            },
            cancel
        );

    /// <summary>
    /// Notices that nobody fetches make room for newer ones, and are gone after a week: what is in force can be asked
    /// for at any time.
    /// </summary>
    private Task LimitNoticesAsync(string host, CancellationToken cancel) =>
        PutAsync(
            $"policies/{host}/{IngressNames.Allocations}",
            new Dictionary<string, object>
            {
                ["pattern"] = $"^{IngressNames.Allocations}\\.",
                ["apply-to"] = "queues",
                ["definition"] = new Dictionary<string, object>
                {
                    ["max-length"] = MaxNotices,
                    ["overflow"] = "drop-head",
                    ["message-ttl"] = (long)NoticesKeptFor.TotalMilliseconds,
                },
            },
            cancel
        );

    /// <summary>The queues of the intake: what waits, what was set aside.</summary>
    public async Task<IReadOnlyList<BrokerQueue>> QueuesAsync(CancellationToken cancel) =>
        await http.GetFromJsonAsync<IReadOnlyList<BrokerQueue>>(
            new Uri($"api/queues/{Escape(VirtualHost)}?disable_stats=true&enable_queue_totals=true", UriKind.Relative),
            cancel
        ) ?? [];

    /// <summary>Whether a user of that name exists that is no tenant's.</summary>
    public async Task<bool> IsTakenAsync(string name, CancellationToken cancel)
    {
        using var answer = await http.GetAsync(new Uri($"api/users/{Escape(name)}", UriKind.Relative), cancel);
        if (answer.StatusCode == HttpStatusCode.NotFound)
            return false;
        answer.EnsureSuccessStatusCode();
        return !(await answer.Content.ReadAsStringAsync(cancel)).Contains($"\"{TenantTag}\"", StringComparison.Ordinal);
    }

    /// <summary>
    /// Makes a tenant's user and the queue of its notices: it may configure nothing, write only under its own prefix of
    /// the one exchange, read only that queue, and hold so many connections and channels.
    /// </summary>
    public async Task ProvisionAsync(string tenant, string password, CancellationToken cancel)
    {
        await PutAsync($"users/{tenant}", new { password, tags = TenantTag }, cancel);
        await PutAsync($"user-limits/{tenant}/max-connections", new { value = MaxConnections }, cancel);
        await PutAsync($"user-limits/{tenant}/max-channels", new { value = MaxChannels }, cancel);
        var (host, notices) = (Escape(VirtualHost), IngressNames.AllocationsOf(tenant));
        await PutAsync(
            $"queues/{host}/{notices}",
            new { durable = true, arguments = new Dictionary<string, object> { ["x-queue-type"] = "classic" } },
            cancel
        );
        await BindAsync($"{host}/e/{IngressNames.Allocations}/q/{notices}", $"{tenant}.*", cancel);
        await PutAsync(
            $"permissions/{host}/{tenant}",
            new
            {
                configure = "^$",
                write = $"^{IngressNames.Exchange}$",
                read = $"^{notices.Replace(".", "\\.", StringComparison.Ordinal)}$",
            },
            cancel
        );
        await PutAsync(
            $"topic-permissions/{host}/{tenant}",
            new
            {
                exchange = IngressNames.Exchange,
                write = $"^{tenant}\\.",
                read = "^$",
            },
            cancel
        );
    }

    /// <summary>Gives a tenant's user another password, and closes what was opened with the one before.</summary>
    public async Task ReplacePasswordAsync(string tenant, string password, CancellationToken cancel)
    {
        await ProvisionAsync(tenant, password, cancel);
        await CloseConnectionsAsync(tenant, cancel);
    }

    /// <summary>Removes a tenant's user and its notices, and closes its connections.</summary>
    public async Task WithdrawAsync(string tenant, CancellationToken cancel)
    {
        await DeleteAsync($"users/{tenant}", cancel);
        await DeleteAsync($"queues/{Escape(VirtualHost)}/{IngressNames.AllocationsOf(tenant)}", cancel);
        await CloseConnectionsAsync(tenant, cancel);
    }

    private async Task CloseConnectionsAsync(string tenant, CancellationToken cancel)
    {
        // The broker closes the connections of a user that is gone, too; whoever comes second to one gets a server
        // error.
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await DeleteAsync($"connections/username/{tenant}", cancel);
                return;
            }
            catch (HttpRequestException fault)
                when (fault.StatusCode == HttpStatusCode.InternalServerError && attempt < 5)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200 * attempt), time, cancel);
            }
        }
    }

    private async Task DeleteAsync(string path, CancellationToken cancel)
    {
        using var answer = await http.DeleteAsync(new Uri($"api/{path}", UriKind.Relative), cancel);
        if (answer.StatusCode != HttpStatusCode.NotFound)
            answer.EnsureSuccessStatusCode();
    }

    /// <summary>A queue and the fanout exchange of the same name before it.</summary>
    private async Task DeclareQueueAsync(string name, Dictionary<string, object> arguments, CancellationToken cancel)
    {
        var host = Escape(VirtualHost);
        await PutAsync($"exchanges/{host}/{name}", new { type = "fanout", durable = true }, cancel);
        await PutAsync($"queues/{host}/{name}", new { durable = true, arguments }, cancel);
        await BindAsync($"{host}/e/{name}/q/{name}", "", cancel);
    }

    private async Task BindAsync(string path, string routingKey, CancellationToken cancel)
    {
        using var answer = await http.PostAsJsonAsync(
            new Uri($"api/bindings/{path}", UriKind.Relative),
            new { routing_key = routingKey },
            cancel
        );
        answer.EnsureSuccessStatusCode();
    }

    private async Task PutAsync<T>(string path, T body, CancellationToken cancel)
    {
        using var answer = await http.PutAsJsonAsync(new Uri($"api/{path}", UriKind.Relative), body, cancel);
        answer.EnsureSuccessStatusCode();
    }

    private static string Escape(string name) => Uri.EscapeDataString(name);
}
