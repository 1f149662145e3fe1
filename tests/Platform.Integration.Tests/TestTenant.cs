using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Platform.Domain.Contracts;
using Platform.Testing;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Platform.Integration.Tests;

/// <summary>A tenant as its own team uses the platform.</summary>
public sealed record TestTenant(TestPlatform Platform, string Id, string Key, string BrokerPassword)
{
    private static readonly CreateChannelOptions Confirmed = new(
        publisherConfirmationsEnabled: true,
        publisherConfirmationTrackingEnabled: true
    );

    /// <summary>The API that it uses; null for the platform's first.</summary>
    public Uri? Api { get; init; }

    /// <summary>Where it publishes.</summary>
    public required string VirtualHost { get; init; }

    /// <summary>Port on which it reaches the broker, when that is not the broker's own.</summary>
    public int? BrokerPort { get; init; }

    public HttpClient Client() => Platform.Client(Key, Api);

    /// <summary>Registers a fleet that is solved every second.</summary>
    public async Task<JsonNode> PutFleetAsync(string fleet, CancellationToken cancel, Action<JsonObject>? change = null)
    {
        using var client = Client();
        using var answer = await client.PutAsJsonAsync($"/v1/fleets/{fleet}", Definition(change), cancel);
        return await TestPlatform.ReadAsync(answer, cancel);
    }

    /// <summary>A definition of two task types.</summary>
    public static JsonObject Definition(Action<JsonObject>? change = null)
    {
        var definition = JsonNode
            .Parse(
                """
                { "displayName": "Chat", "objective": { "accuracyWeight": 30.0, "maxUtilization": 0.95 }, "arrivalRate": 0.05,
                  "taskTypes": [
                    { "id": "math", "share": 0.4, "maxTokens": 32768, "service": { "baseSeconds": 0.4, "secondsPerToken": 0.02 },
                      "accuracy": { "floor": 0.2, "gain": 0.6, "ratePerToken": 0.001 } },
                    { "id": "chat", "share": 0.6, "maxTokens": 32768, "service": { "baseSeconds": 0.2, "secondsPerToken": 0.02 },
                      "accuracy": { "floor": 0.5, "gain": 0.3, "ratePerToken": 0.004 } } ],
                  "solving": { "everySeconds": 1, "horizonSeconds": 21600 } }
                """
            )!
            .AsObject();
        change?.Invoke(definition);
        return definition;
    }

    /// <summary>
    /// A valid window of the fleet that ends now: ten seconds, one query of each kind for each unit of
    /// <paramref name="load"/>.
    /// </summary>
    public static JsonObject Window(string fleet, int load = 1, DateTimeOffset? end = null)
    {
        var windowEnd = end ?? TimeProvider.System.GetUtcNow();
        return JsonNode
            .Parse(
                $$"""
                { "fleet": "{{fleet}}", "windowStart": "{{windowEnd.AddSeconds(-10):yyyy-MM-ddTHH:mm:ss.fffZ}}",
                  "windowEnd": "{{windowEnd:yyyy-MM-ddTHH:mm:ss.fffZ}}",
                  "tasks": [ { "taskType": "math", "arrivals": {{load}},
                    "service": { "completions": {{load}}, "tokens": {{800 * load}}, "tokensSquared": {{640_000
                    * load}}, "tokensGranted": {{800 * load}},
                                 "millis": {{16_400 * load}}, "millisSquared": {{268_960_000L
                    * load}}, "tokenMillis": {{13_120_000L * load}} },
                    "accuracy": [ { "tokens": 800, "trials": {{load}}, "correct": {{load / 2}} } ] } ] }
                """
            )!
            .AsObject();
    }

    /// <summary>
    /// Publishes as the tenant's own broker user, with the contract's properties unless they are changed; waits for the
    /// confirm.
    /// </summary>
    public async Task PublishAsync(
        string fleet,
        ReadOnlyMemory<byte> body,
        Guid messageId,
        CancellationToken cancel,
        Action<BasicProperties>? change = null
    )
    {
        await using var publisher = await ConnectAsync(cancel);
        await publisher.PublishAsync(fleet, body, messageId, cancel, change);
    }

    /// <summary>
    /// Publishes with copies to the routing keys of a header CC or BCC. False where the broker refuses it, as RabbitMQ
    /// 4 does: it asks for the right to write to those keys, too.
    /// </summary>
    public async Task<bool> TryPublishCopiesAsync(
        string fleet,
        ReadOnlyMemory<byte> body,
        Dictionary<string, object?> headers,
        CancellationToken cancel
    )
    {
        try
        {
            await PublishAsync(fleet, body, Guid.NewGuid(), cancel, properties => properties.Headers = headers);
            return true;
        }
        catch (AlreadyClosedException refused) when (refused.ShutdownReason?.ReplyCode == Constants.AccessRefused)
        {
            return false;
        }
    }

    /// <summary>Connects to the broker as the tenant's own user.</summary>
    public async Task<TestPublisher> ConnectAsync(CancellationToken cancel)
    {
        var connection = await Platform
            .BrokerAs(Id, BrokerPassword, VirtualHost, BrokerPort)
            .CreateConnectionAsync(cancel);
        return new TestPublisher(Id, connection, await connection.CreateChannelAsync(Confirmed, cancel));
    }

    public Task PublishAsync(string fleet, JsonNode window, Guid messageId, CancellationToken cancel) =>
        PublishAsync(fleet, StrictJson.Write(window), messageId, cancel);

    /// <summary>Windows in the fleet's history.</summary>
    public Task<long> StoredWindowsAsync(string fleet, CancellationToken cancel) =>
        Platform.Database.QueryAsync<long>(
            $"select count(*) from events.mt_events where tenant_id = '{Id}' and type = 'workload-window-recorded' and data->'window'->>'fleet' = '{fleet}'",
            cancel
        );

    public Task UntilStoredAsync(string fleet, long windows, CancellationToken cancel) =>
        Eventually.TrueAsync(
            async () => await StoredWindowsAsync(fleet, cancel) >= windows,
            $"{windows} windows to be stored",
            cancel
        );

    /// <summary>
    /// Waits until the windows are stored, and for a version that has them all. A revision asks for it: without one,
    /// what the last windows add may be within chance, and the version in force is confirmed.
    /// </summary>
    public async Task<JsonNode> UntilAllocatedOnAsync(string fleet, long windows, CancellationToken cancel)
    {
        await UntilStoredAsync(fleet, windows, cancel);
        var revised = await PutFleetAsync(fleet, cancel, definition => definition["displayName"] = "Revised");
        return await UntilAllocatedAsync(
            fleet,
            it =>
                (long)it["provenance"]!["workloadVersion"]! == windows
                && (int)it["provenance"]!["definitionRevision"]! == (int)revised["revision"]!,
            cancel
        );
    }

    /// <summary>Waits for a snapshot for which <paramref name="wanted"/> holds, and gives its document.</summary>
    /// <exception cref="TimeoutException">It has not come; the message says how the fleet fares.</exception>
    public async Task<JsonNode> UntilAllocatedAsync(string fleet, Func<JsonNode, bool> wanted, CancellationToken cancel)
    {
        using var client = Client();
        try
        {
            return await Eventually.GetAsync(FindAsync, "a snapshot", cancel);
        }
        catch (TimeoutException fault)
        {
            throw new TimeoutException(
                $"{fault.Message} The fleet: {await client.GetStringAsync(new Uri($"/v1/fleets/{fleet}", UriKind.Relative), cancel)}",
                fault
            );
        }

        async Task<JsonNode?> FindAsync()
        {
            using var answer = await client.GetAsync(
                new Uri($"/v1/fleets/{fleet}/allocation", UriKind.Relative),
                cancel
            );
            if (!answer.IsSuccessStatusCode)
                return null;
            var snapshot = JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancel))!;
            return wanted(snapshot) ? snapshot : null;
        }
    }
}

/// <summary>A tenant's connection to the broker.</summary>
public sealed class TestPublisher(string tenant, IConnection connection, IChannel channel) : IAsyncDisposable
{
    /// <summary>Publishes with the contract's properties unless they are changed; waits for the confirm.</summary>
    public async Task PublishAsync(
        string fleet,
        ReadOnlyMemory<byte> body,
        Guid messageId,
        CancellationToken cancel,
        Action<BasicProperties>? change = null
    )
    {
        var properties = new BasicProperties
        {
            UserId = tenant,
            MessageId = messageId.ToString(),
            ContentType = "application/json",
            DeliveryMode = DeliveryModes.Persistent,
        };
        change?.Invoke(properties);
        await channel.BasicPublishAsync(
            "workload-statistics",
            $"{tenant}.{fleet}",
            mandatory: true,
            properties,
            body,
            cancel
        );
    }

    public async ValueTask DisposeAsync()
    {
        await channel.DisposeAsync();
        await connection.DisposeAsync();
    }
}
