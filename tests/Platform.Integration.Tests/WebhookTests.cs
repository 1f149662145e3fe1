using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>
/// What comes into force is told to receivers of the tenant's, by the convention of Standard Webhooks.
/// </summary>
public sealed class WebhookTests(TestPlatform platform)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_change_of_the_fleets_that_were_named_is_told_and_signed()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var tenant = await platform.CreateTenantAsync(Cancel);
        var secret = await PutAsync(
            tenant,
            "gateway",
            new { url = receiver.Url("/taken?key=1"), fleets = (string[])["chat"] }
        );
        await tenant.PutFleetAsync("other", Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        var first = await receiver.NextAsync();
        await tenant.PutFleetAsync("chat", Cancel, definition => definition["objective"]!["accuracyWeight"] = 60.0);
        var second = await receiver.NextAsync();

        Assert.All([first, second], message => Verify(message, secret));
        var told = JsonNode.Parse(first.Body)!;
        Assert.Equal(
            ("application/cloudevents+json", "/taken", "?key=1"),
            (first.ContentType, first.Path, first.Query)
        );
        Assert.Equal(
            ("allocation.in-force", tenant.Id, "chat", 1L),
            (
                (string?)told["type"],
                (string?)told["data"]!["tenant"],
                (string?)told["data"]!["fleet"],
                (long)told["data"]!["change"]!
            )
        );
        Assert.Equal($"chat-1-{(string?)told["data"]!["hash"]}", first.Id);
        Assert.Equal(2L, (long)JsonNode.Parse(second.Body)!["data"]!["change"]!);
        await Eventually.TrueAsync(
            async () => (int)(await FindAsync(tenant, "gateway"))["waiting"]! == 0,
            "all to be told",
            Cancel
        );
        var fares = await FindAsync(tenant, "gateway");
        Assert.NotNull(fares["deliveredAt"]);
        Assert.Equal((null, null, null), (fares["failingSince"], fares["fault"], fares["disabledAt"]));
        Assert.Equal(
            1,
            await platform.Database.QueryAsync<long>(
                $"select count(*) from platform.in_force_changes where tenant_id = '{tenant.Id}' and fleet_id = 'other'",
                Cancel
            )
        );
        Assert.Empty(receiver.Rest);
    }

    [Fact]
    public async Task What_was_not_taken_comes_again_under_the_same_id_and_with_a_newer_signature()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answers.Enqueue(503);
        var tenant = await platform.CreateTenantAsync(Cancel);
        var secret = await PutAsync(tenant, "gateway", new { url = receiver.Url("/") });
        await tenant.PutFleetAsync("chat", Cancel);
        var first = await receiver.NextAsync();
        await Eventually.TrueAsync(
            async () => (string?)(await FindAsync(tenant, "gateway"))["fault"] == "answered 503",
            "the failure to show",
            Cancel
        );
        var failed = (DateTimeOffset)(await FindAsync(tenant, "gateway"))["failingSince"]!;
        var due = new DateTimeOffset(
            await platform.Database.QueryAsync<DateTime>(
                $"select due_at from platform.webhook_deliveries where tenant_id = '{tenant.Id}'",
                Cancel
            )
        );
        var again = await receiver.NextAsync();

        Assert.Equal((first.Id, first.Body), (again.Id, again.Body));
        Assert.InRange(due - failed, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5.5));
        // Signed with whole seconds.
        Assert.True(
            again.At > due - TimeSpan.FromSeconds(1),
            $"sent {first.At:O}, failed {failed:O}, due {due:O}, sent again {again.At:O}"
        );
        Verify(again, secret);
        await Eventually.TrueAsync(
            async () => (await FindAsync(tenant, "gateway"))["failingSince"] is null,
            "the failure to be over",
            Cancel
        );
    }

    [Fact]
    public async Task A_receiver_that_is_away_is_asked_once_for_all_that_waits_and_gets_all_of_it_when_it_is_back()
    {
        const int fleets = 30;
        await using var receiver = await WebhookReceiver.StartAsync();
        var tenant = await platform.CreateTenantAsync(Cancel);
        for (var i = 0; i < fleets; i++)
            await tenant.PutFleetAsync($"fleet-{i}", Cancel);
        var changes = $"from platform.in_force_changes where tenant_id = '{tenant.Id}'";
        await Eventually.TrueAsync(
            async () => await platform.Database.QueryAsync<long>($"select count(*) {changes}", Cancel) == fleets,
            "all to be in force",
            Cancel
        );
        await PutAsync(tenant, "gateway", new { url = receiver.Url("/") });
        for (var i = 0; i < 2 * fleets; i++)
            receiver.Answers.Enqueue(503);
        // All of it at the same moment, as if the receiver had been away while it came.
        await platform.Database.QueryAsync<string>(
            $"insert into platform.webhook_deliveries (tenant_id, webhook, fleet_id, change, due_at, failed) select tenant_id, 'gateway', fleet_id, change, now(), 0 {changes} returning webhook",
            Cancel
        );
        await Eventually.TrueAsync(
            async () => (await FindAsync(tenant, "gateway"))["failingSince"] is not null,
            "an attempt to fail",
            Cancel
        );
        // Each of two workers may have taken a part.
        Assert.InRange(receiver.Rest.Count, 1, 4);
        Assert.Equal(fleets, (int)(await FindAsync(tenant, "gateway"))["waiting"]!);
        receiver.Answers.Clear();
        await Eventually.TrueAsync(
            async () => (int)(await FindAsync(tenant, "gateway"))["waiting"]! == 0,
            "all to be told",
            Cancel
        );
        // Each came once more after the last failure.
        Assert.Equal(fleets, receiver.Rest.Skip(receiver.Rest.Count - fleets).Select(it => it.Id).Distinct().Count());
    }

    /// <summary>
    /// The receiver does not want one message; another receiver is away: neither keeps the others back.
    /// </summary>
    [Fact]
    public async Task A_message_that_is_not_wanted_keeps_no_other_back()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var tenant = await platform.CreateTenantAsync(Cancel);
        await PutAsync(tenant, "away", new { url = "http://127.0.0.1:1/" });
        await PutAsync(tenant, "gateway", new { url = receiver.Url("/") });
        receiver.Answers.Enqueue(422);
        await tenant.PutFleetAsync("one", Cancel);
        var refused = await receiver.NextAsync();
        await tenant.PutFleetAsync("two", Cancel);
        Assert.StartsWith("two-1-", (await receiver.NextAsync()).Id, StringComparison.Ordinal);
        Assert.StartsWith("one-1-", refused.Id, StringComparison.Ordinal);
        await Eventually.TrueAsync(
            async () => (string?)(await FindAsync(tenant, "away"))["fault"] == "cannot be connected to",
            "the failure to show",
            Cancel
        );
    }

    [Fact]
    public async Task A_receiver_that_is_gone_is_told_nothing_more_until_it_is_enabled()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var tenant = await platform.CreateTenantAsync(Cancel);
        await PutAsync(tenant, "gateway", new { url = receiver.Url("/") });
        receiver.Answers.Enqueue(410);
        await tenant.PutFleetAsync("one", Cancel);
        await receiver.NextAsync();
        await UntilDisabledAsync(tenant, "answered 410");
        await tenant.PutFleetAsync("two", Cancel);
        await tenant.UntilAllocatedAsync("two", _ => true, Cancel);
        Assert.Equal(0, (int)(await FindAsync(tenant, "gateway"))["waiting"]!);

        Assert.Null(await PutAsync(tenant, "gateway", new { url = receiver.Url("/") }));
        await tenant.PutFleetAsync("three", Cancel);
        Assert.StartsWith("three-1-", (await receiver.NextAsync()).Id, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_receiver_that_has_been_away_for_three_days_is_disabled_and_the_audit_log_says_so()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var tenant = await platform.CreateTenantAsync(Cancel);
        await PutAsync(tenant, "gateway", new { url = receiver.Url("/") });
        receiver.Answers.Enqueue(500);
        await tenant.PutFleetAsync("one", Cancel);
        await receiver.NextAsync();
        await Eventually.TrueAsync(
            async () => (await FindAsync(tenant, "gateway"))["failingSince"] is not null,
            "the failure to show",
            Cancel
        );
        receiver.Answers.Enqueue(500);
        await platform.Database.QueryAsync<int>(
            $"update platform.webhooks set failing_since = now() - interval '73 hours' where tenant_id = '{tenant.Id}' returning 1",
            Cancel
        );
        await platform.Database.QueryAsync<int>(
            $"update platform.webhook_deliveries set failed = 9, due_at = now() where tenant_id = '{tenant.Id}' returning 1",
            Cancel
        );
        await receiver.NextAsync();
        await UntilDisabledAsync(tenant, "answered 500");

        using var client = tenant.Client();
        await Eventually.TrueAsync(
            async () =>
                (await client.GetStringAsync(new Uri("/v1/audit", UriKind.Relative), Cancel)).Contains(
                    "webhook-disabled",
                    StringComparison.Ordinal
                ),
            "the log to say so",
            Cancel
        );
    }

    [Fact]
    public async Task For_a_day_messages_are_signed_with_the_secret_before_too()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var tenant = await platform.CreateTenantAsync(Cancel);
        var old = await PutAsync(tenant, "gateway", new { url = receiver.Url("/") });
        using var client = tenant.Client();
        using var answer = await client.PostAsync(
            new Uri("/v1/webhooks/gateway/secret", UriKind.Relative),
            null,
            Cancel
        );
        var latest = (string?)(await TestPlatform.ReadAsync(answer, Cancel))["secret"];
        Assert.NotEqual(old, latest);
        await tenant.PutFleetAsync("one", Cancel);
        var message = await receiver.NextAsync();
        Verify(message, old);
        Verify(message, latest);

        await platform.Database.QueryAsync<int>(
            $"update platform.webhooks set previous_until = now() where tenant_id = '{tenant.Id}' returning 1",
            Cancel
        );
        await tenant.PutFleetAsync("two", Cancel);
        var later = await receiver.NextAsync();
        Verify(later, latest);
        Assert.ThrowsAny<Exception>(() => Verify(later, old));
    }

    [Fact]
    public async Task No_redirection_is_followed_and_no_other_address_is_reached()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var tenant = await platform.CreateTenantAsync(Cancel);
        receiver.Answers.Enqueue(307);
        await PutAsync(tenant, "redirected", new { url = receiver.Url("/") });
        await PutAsync(tenant, "private", new { url = "https://hooks.example.org/" });
        using var client = tenant.Client();
        using var refused = await client.PutAsJsonAsync(
            "/v1/webhooks/metadata",
            new { url = "http://169.254.169.254/latest/meta-data" },
            Cancel
        );
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        // As if the name had come to mean it.
        await platform.Database.QueryAsync<int>(
            $"update platform.webhooks set url = 'http://169.254.169.254/' where tenant_id = '{tenant.Id}' and name = 'private' returning 1",
            Cancel
        );
        await tenant.PutFleetAsync("one", Cancel);
        await receiver.NextAsync();
        await Eventually.TrueAsync(
            async () => (string?)(await FindAsync(tenant, "redirected"))["fault"] == "answered 307",
            "the refusal to show",
            Cancel
        );
        await Eventually.TrueAsync(
            async () =>
                (string?)(await FindAsync(tenant, "private"))["fault"]
                == "its name means no address that webhooks may go to",
            "the refusal to show",
            Cancel
        );
        Assert.Empty(receiver.Rest);
    }

    [Fact]
    public async Task Removed_and_suspended_they_are_gone()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var tenant = await platform.CreateTenantAsync(Cancel);
        receiver.Answers.Enqueue(500);
        await PutAsync(tenant, "one", new { url = receiver.Url("/") });
        await PutAsync(tenant, "two", new { url = receiver.Url("/"), fleets = (string[])["none"] });
        await tenant.PutFleetAsync("chat", Cancel);
        await receiver.NextAsync();
        using var client = tenant.Client();
        using var removed = await client.DeleteAsync(new Uri("/v1/webhooks/one", UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        Assert.Equal(
            0,
            await platform.Database.QueryAsync<long>(
                $"select count(*) from platform.webhook_deliveries where tenant_id = '{tenant.Id}'",
                Cancel
            )
        );
        (
            await platform.Operator.DeleteAsync(new Uri($"/v1/tenants/{tenant.Id}", UriKind.Relative), Cancel)
        ).EnsureSuccessStatusCode();
        Assert.Equal(
            0,
            await platform.Database.QueryAsync<long>(
                $"select count(*) from platform.webhooks where tenant_id = '{tenant.Id}'",
                Cancel
            )
        );
    }

    [Fact]
    public async Task What_cannot_be_one_is_refused_with_its_place_and_there_may_be_ten()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        using var client = tenant.Client();
        foreach (
            var (name, body, pointer) in ((string, object, string)[])
                [
                    ("Hook", new { url = "https://hooks.example.org/" }, "\"\""),
                    ("hook", new { url = "https://user@hooks.example.org/" }, "/url"),
                    (
                        "hook",
                        new { url = "https://hooks.example.org/", fleets = (string[])["chat", "Chat"] },
                        "/fleets/1"
                    ),
                    ("hook", new { url = "https://hooks.example.org/", fleets = (string[])[] }, "/fleets"),
                    ("hook", new { url = "https://hooks.example.org/", secret = "mine" }, "/secret"),
                ]
        )
        {
            using var answer = await client.PutAsJsonAsync($"/v1/webhooks/{name}", body, Cancel);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            Assert.Contains(pointer, await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        }

        for (var i = 0; i < 10; i++)
            await PutAsync(tenant, $"hook-{i}", new { url = "https://hooks.example.org/" });
        using var eleventh = await client.PutAsJsonAsync(
            "/v1/webhooks/hook-10",
            new { url = "https://hooks.example.org/" },
            Cancel
        );
        Assert.Equal(HttpStatusCode.TooManyRequests, eleventh.StatusCode);
        Assert.Null(await PutAsync(tenant, "hook-9", new { url = "https://hooks.example.org/" }));
        Assert.Equal(10, (await client.GetFromJsonAsync<JsonNode>("/v1/webhooks", Cancel))!["items"]!.AsArray().Count);
    }

    private static Task UntilDisabledAsync(TestTenant tenant, string fault) =>
        Eventually.TrueAsync(
            async () =>
                await FindAsync(tenant, "gateway") is var it
                && it["disabledAt"] is not null
                && (string?)it["fault"] == fault,
            "the webhook to be disabled",
            Cancel
        );

    private static async Task<string?> PutAsync(TestTenant tenant, string name, object webhook)
    {
        using var client = tenant.Client();
        using var answer = await client.PutAsJsonAsync($"/v1/webhooks/{name}", webhook, Cancel);
        return (string?)(await TestPlatform.ReadAsync(answer, Cancel))["secret"];
    }

    private static async Task<JsonNode> FindAsync(TestTenant tenant, string name)
    {
        using var client = tenant.Client();
        return (await client.GetFromJsonAsync<JsonNode>($"/v1/webhooks/{name}", Cancel))!;
    }

    /// <summary>The convention's few lines, as a receiver has them.</summary>
    private static void Verify(ReceivedMessage message, string? secret)
    {
        var key = Convert.FromBase64String(secret!["whsec_".Length..]);
        var timestamp = message.At.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var expected = Convert.ToBase64String(
            HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{message.Id}.{timestamp}.{message.Body}"))
        );
        Assert.Contains($"v1,{expected}", message.Signature.Split(' '));
        var now = TimeProvider.System.GetUtcNow();
        Assert.InRange(message.At, now.AddMinutes(-5), now.AddSeconds(5));
    }
}
