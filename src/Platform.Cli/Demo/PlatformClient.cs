using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Platform.Client;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;

namespace Platform.Cli.Demo;

/// <summary>A tenant taken on, with its secrets.</summary>
internal sealed record RegisteredTenant(string Id, string ApiKey, BrokerAccess Broker);

/// <summary>Where a fleet's solving stands.</summary>
internal sealed record FleetProgress(string Id, int LatestVersion, FleetFreshness Freshness, FleetHealth Health);

/// <summary>How much is in the latest solve.</summary>
internal sealed record FleetFreshness(long SolvedWorkloadVersion);

/// <summary>What keeps a fleet from being solved.</summary>
internal sealed record FleetHealth(string Status, string? Detail);

/// <summary>An allocation with the entity tag by which a client asks whether it still holds.</summary>
internal sealed record HeldAllocation(AllocationSnapshot Snapshot, EntityTagHeaderValue Tag);

/// <summary>The platform's HTTP interface as an operator or a tenant uses it: by its contract alone.</summary>
internal sealed class PlatformClient : IDisposable
{
    // A client takes what an answer has beyond what it knows.
    private static readonly JsonSerializerOptions Lenient = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>How long a window is sent again that the platform does not take.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly HttpClient _http;

    public PlatformClient(Uri address, string key)
    {
        // The platform is on this machine, whatever proxy the environment names.
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    public async Task<RegisteredTenant> RegisterTenantAsync(string id, string displayName, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/tenants")
        {
            Content = Json(new { id, displayName }),
        };
        return await SendAsync<RegisteredTenant>(request, cancel);
    }

    public async Task PutFleetAsync(string fleet, FleetDefinition definition, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/v1/fleets/{fleet}")
        {
            Content = Json(definition),
        };
        await SendAsync<JsonNode>(request, cancel);
    }

    public async Task<FleetProgress> FleetAsync(string fleet, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/fleets/{fleet}");
        return await SendAsync<FleetProgress>(request, cancel);
    }

    /// <summary>
    /// Sends a window with its message id as idempotency key, again and again while the platform is away or asks for
    /// patience; ends when the platform has taken it.
    /// </summary>
    /// <exception cref="CommandFailure">It was refused, or the platform was away for too long.</exception>
    public async Task SendAsync(WindowMessage message, CancellationToken cancel)
    {
        for (var watch = Stopwatch.StartNew(); ; )
        {
            var (answer, wait) = await TrySendAsync(message, cancel);
            using (answer)
            {
                if (answer is { IsSuccessStatusCode: true })
                    return;
                if (
                    watch.Elapsed > Patience
                    || answer
                        is { StatusCode: < HttpStatusCode.InternalServerError and not HttpStatusCode.TooManyRequests }
                )
                    throw new CommandFailure(
                        $"a window for {message.Fleet} was answered {StatusOf(answer)}",
                        CommandFailure.JobSaysNo
                    );
            }

            await Task.Delay(wait, cancel);
        }
    }

    private static string StatusOf(HttpResponseMessage? answer) =>
        answer is null ? "not at all" : $"with {(int)answer.StatusCode}";

    /// <summary>The snapshot in force, or null before the first.</summary>
    /// <param name="fleet">The fleet's id.</param>
    /// <param name="held">What the caller has already: asked with its entity tag, and given back when it still
    /// holds.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="CommandFailure">Its hash is not that of what was served.</exception>
    public async Task<HeldAllocation?> AllocationAsync(string fleet, HeldAllocation? held, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/fleets/{fleet}/allocation");
        if (held is not null)
            request.Headers.IfNoneMatch.Add(held.Tag);
        using var answer = await _http.SendAsync(request, cancel);
        if (answer.StatusCode == HttpStatusCode.NotFound)
            return null;
        if (held is not null && answer.StatusCode == HttpStatusCode.NotModified)
            return held;
        var body = await ReadAsync(request, answer, cancel);
        var hash = AllocationSnapshot.HashOf(body);
        if (answer.Headers.ETag is not { IsWeak: false } tag || tag.Tag != $"\"{hash}\"")
            throw new CommandFailure(
                $"the allocation of {fleet} has the entity tag {answer.Headers.ETag}, but its bytes hash to {hash}",
                CommandFailure.JobSaysNo
            );
        return new HeldAllocation(JsonSerializer.Deserialize<AllocationSnapshot>(body, Lenient)!, tag);
    }

    /// <summary>What the platform knows of the fleet now.</summary>
    public async Task<FleetEstimate> EstimateAsync(string fleet, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/fleets/{fleet}/estimate");
        return await SendAsync<FleetEstimate>(request, cancel);
    }

    public void Dispose() => _http.Dispose();

    /// <returns>The answer, or null when there was none, and how long to wait before the next try.</returns>
    private async Task<(HttpResponseMessage? Answer, TimeSpan Wait)> TrySendAsync(
        WindowMessage message,
        CancellationToken cancel
    )
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/fleets/{message.Fleet}/statistics")
            {
                Content = Json(message.Body),
            };
            request.Headers.Add("Idempotency-Key", message.MessageId.ToString());
            var answer = await _http.SendAsync(request, cancel);
            return (answer, answer.Headers.RetryAfter?.Delta ?? Pause);
        }
        catch (HttpRequestException)
        {
            return (null, Pause);
        }
    }

    private static ByteArrayContent Json<T>(T value) => Json((ReadOnlyMemory<byte>)StrictJson.Write(value));

    private static ByteArrayContent Json(ReadOnlyMemory<byte> json)
    {
        var content = new ByteArrayContent(json.ToArray());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }

    private async Task<T> SendAsync<T>(HttpRequestMessage request, CancellationToken cancel)
    {
        using var answer = await _http.SendAsync(request, cancel);
        return JsonSerializer.Deserialize<T>(await ReadAsync(request, answer, cancel), Lenient)
            ?? throw new CommandFailure(
                $"{request.Method} {request.RequestUri} answered null",
                CommandFailure.JobSaysNo
            );
    }

    private static async Task<byte[]> ReadAsync(
        HttpRequestMessage request,
        HttpResponseMessage answer,
        CancellationToken cancel
    )
    {
        var body = await answer.Content.ReadAsByteArrayAsync(cancel);
        return answer.IsSuccessStatusCode
            ? body
            : throw new CommandFailure(
                $"{request.Method} {request.RequestUri} answered {(int)answer.StatusCode}: {System.Text.Encoding.UTF8.GetString(body)}",
                CommandFailure.JobSaysNo
            );
    }
}
