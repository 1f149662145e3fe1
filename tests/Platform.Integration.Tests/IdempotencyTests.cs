using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Platform.Domain.Contracts;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>
/// A key or message-id stands for one window: the same window again is a duplicate, another one is the publisher's
/// fault.
/// </summary>
public sealed class IdempotencyTests(TestPlatform platform) : IAsyncLifetime
{
    private readonly DateTimeOffset _end = TimeProvider.System.GetUtcNow();
    private TestTenant _tenant = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _tenant = await platform.CreateTenantAsync(Cancel);
        await _tenant.PutFleetAsync("chat", Cancel);
    }

    public ValueTask DisposeAsync() => default;

    [Fact]
    public async Task A_key_with_another_body_is_answered_422_that_names_the_header_and_stores_nothing()
    {
        Assert.Equal(HttpStatusCode.Accepted, (await SendAsync("k1", Text(load: 1))).Status);
        // At once, while the first may still be on its road, and again when it is stored.
        await RefusedAsync(load: 2);
        await _tenant.UntilStoredAsync("chat", 1, Cancel);
        await RefusedAsync(load: 3);

        await _tenant.PublishAsync("chat", TestTenant.Window("chat", load: 7), Guid.NewGuid(), Cancel);
        await _tenant.UntilStoredAsync("chat", 2, Cancel);
        Assert.Equal(2, await _tenant.StoredWindowsAsync("chat", Cancel));
    }

    [Fact]
    public async Task An_API_that_has_just_started_knows_the_keys_of_before()
    {
        Assert.Equal(HttpStatusCode.Accepted, (await SendAsync("k1", Text(load: 1))).Status);
        await _tenant.UntilStoredAsync("chat", 1, Cancel);
        var another = await platform.StartApiAsync([]);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await SendAsync("k1", Text(load: 2), another)).Status);
        Assert.Equal(HttpStatusCode.Accepted, (await SendAsync("k1", Text(load: 1), another)).Status);
    }

    [Fact]
    public async Task The_same_window_written_differently_is_a_duplicate()
    {
        var window = TestTenant.Window("chat", end: _end);
        var turned = new JsonObject([
            .. window.Reverse().Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone())),
        ]);
        turned["windowEnd"] = window["windowEnd"]!.ToString().Replace("Z", "0000+00:00", StringComparison.Ordinal);
        var (first, again) = (
            await SendAsync("k1", window.ToJsonString()),
            await SendAsync("k1", $"  {turned.ToJsonString(new() { WriteIndented = true })}\n")
        );
        Assert.Equal((HttpStatusCode.Accepted, HttpStatusCode.Accepted), (first.Status, again.Status));
        Assert.Equal((string?)first.Answer["messageId"], (string?)again.Answer["messageId"]);

        await _tenant.PublishAsync("chat", TestTenant.Window("chat", load: 7), Guid.NewGuid(), Cancel);
        await _tenant.UntilStoredAsync("chat", 2, Cancel);
        Assert.Equal(2, await _tenant.StoredWindowsAsync("chat", Cancel));
    }

    [Fact]
    public async Task A_message_id_with_another_body_goes_aside_with_its_reason_and_the_first_stays()
    {
        var id = Guid.NewGuid();
        await _tenant.PublishAsync("chat", TestTenant.Window("chat", load: 1, _end), id, Cancel);
        await _tenant.UntilStoredAsync("chat", 1, Cancel);
        await _tenant.PublishAsync("chat", TestTenant.Window("chat", load: 1, _end), id, Cancel);
        var other = StrictJson.Write(TestTenant.Window("chat", load: 2, _end));
        await _tenant.PublishAsync("chat", other, id, Cancel);

        var rejected = await platform.Rejected.WithMessageIdAsync(id, Cancel);
        Assert.StartsWith("conflict: ", rejected.Reason, StringComparison.Ordinal);
        Assert.Equal(_tenant.Id, rejected.Tenant);
        Assert.Equal(other, rejected.Body);
        Assert.Equal(1, await _tenant.StoredWindowsAsync("chat", Cancel));
    }

    /// <summary>
    /// Two APIs do not see what is on its road through the other: what both let pass, the intake sets aside.
    /// </summary>
    [Fact]
    public async Task Of_many_bodies_at_once_under_one_key_one_is_stored_and_each_other_is_refused_or_set_aside()
    {
        Uri[] apis = [platform.Address, await platform.StartApiAsync([])];
        const int bodies = 12;
        var answers = await Task.WhenAll(
            Enumerable.Range(0, bodies).Select(i => SendAsync("k1", Text(load: i + 1), apis[i % 2]))
        );

        Assert.All(
            answers,
            answer =>
                Assert.True(
                    answer.Status is HttpStatusCode.Accepted or HttpStatusCode.UnprocessableEntity,
                    $"{answer.Status}"
                )
        );
        var accepted = answers.Where(answer => answer.Status == HttpStatusCode.Accepted).ToList();
        await Eventually.TrueAsync(
            async () =>
                await _tenant.StoredWindowsAsync("chat", Cancel) == 1
                && platform.Rejected.CountOf(_tenant.Id) == accepted.Count - 1,
            $"one of {accepted.Count} accepted windows to be stored and the others to be set aside",
            Cancel
        );
    }

    private string Text(int load) => TestTenant.Window("chat", load, _end).ToJsonString();

    private async Task RefusedAsync(int load)
    {
        var (status, answer) = await SendAsync("k1", Text(load));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Equal("/Idempotency-Key", (string?)answer["errors"]![0]!["pointer"]);
        Assert.Contains("used before", (string)answer["title"]!, StringComparison.Ordinal);
    }

    private async Task<(HttpStatusCode Status, JsonNode Answer)> SendAsync(string key, string body, Uri? api = null)
    {
        using var client = platform.Client(_tenant.Key, api);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/fleets/chat/statistics");
        request.Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        request.Headers.Add("Idempotency-Key", key);
        using var answer = await client.SendAsync(request, Cancel);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!);
    }
}
