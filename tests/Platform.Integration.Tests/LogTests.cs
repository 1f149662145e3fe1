using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Platform.Domain.Transparency;
using Platform.Persistence.Transparency;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>The tenant's log over HTTP: kept by the workers, read and checked by an auditor.</summary>
public sealed class LogTests(TestPlatform platform)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_decided_is_in_the_log_moments_later_and_an_auditor_can_prove_it()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel, definition => definition["solving"]!["everySeconds"] = 86_400);
        await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        using var team = tenant.Client();
        using var pinned = await team.PostAsJsonAsync(
            "/v1/fleets/chat/allocations/1/pin",
            new { reason = "hold" },
            Cancel
        );
        Assert.Equal(HttpStatusCode.OK, pinned.StatusCode);

        using var auditor = await AuditorAsync(tenant);
        var entries = await Eventually.GetAsync(
            async () =>
                await GetAsync(auditor, "/v1/audit") is var page && page["items"]!.AsArray().Count == 6
                    ? page["items"]!.AsArray()
                    : null,
            "six entries",
            Cancel
        );
        Assert.Equal(
            [
                "allocation-pinned",
                "allocation-published",
                "api-key-issued",
                "api-key-issued",
                "fleet-registered",
                "tenant-registered",
            ],
            entries.Select(entry => (string)entry!["event"]!).Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            "hold",
            (string)entries.Single(entry => (string)entry!["event"]! == "allocation-pinned")!["data"]!["reason"]!
        );

        var proof = await GetAsync(auditor, "/v1/fleets/chat/allocations/1/inclusion");
        var snapshot = await auditor.GetAsync(new Uri("/v1/fleets/chat/allocations/1", UriKind.Relative), Cancel);
        Assert.Equal(
            snapshot.Headers.ETag!.Tag.Trim('"'),
            (string)JsonNode.Parse((string)proof["leaf"]!)!["data"]!["hash"]!
        );
        var note = await auditor.GetStringAsync(new Uri("/v1/log/checkpoint", UriKind.Relative), Cancel);
        Assert.True(SignedNote.TryParse(note, out var signed));
        Assert.True(
            NoteVerifier.TryParse(
                await auditor.GetStringAsync(new Uri("/v1/log/verifier", UriKind.Relative), Cancel),
                out var verifier
            )
        );
        Assert.True(LogSigner.HasSigned(verifier, signed));
        Assert.True(Checkpoint.TryParse(signed.Text, out var checkpoint));
        Assert.Equal(($"allocation-platform/{tenant.Id}", 6), (checkpoint.Origin, checkpoint.Size));
        Assert.NotEmpty((await GetAsync(auditor, "/v1/log/consistency?from=3&to=6"))["proof"]!.AsArray());
    }

    [Fact]
    public async Task A_key_that_is_refused_is_recorded_with_its_cause_once_a_minute()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        using var issued = await platform.Operator.PostAsJsonAsync(
            $"/v1/tenants/{tenant.Id}/keys",
            new { name = "old", scopes = (string[])["read"] },
            Cancel
        );
        var key = await TestPlatform.ReadAsync(issued, Cancel);
        using var revoked = await platform.Operator.DeleteAsync(
            new Uri($"/v1/tenants/{tenant.Id}/keys/{key["id"]}", UriKind.Relative),
            Cancel
        );
        using var old = platform.Client((string)key["apiKey"]!);
        for (var i = 0; i < 3; i++)
            Assert.Equal(
                HttpStatusCode.Unauthorized,
                (await old.GetAsync(new Uri("/v1/fleets", UriKind.Relative), Cancel)).StatusCode
            );

        using var client = tenant.Client();
        var failed = await Eventually.GetAsync(
            async () =>
                (await GetAsync(client, "/v1/audit"))["items"]!
                    .AsArray()
                    .Where(it => (string)it!["event"]! == "authentication-failed")
                    .ToArray()
                    is { Length: > 0 } found
                    ? found
                    : null,
            "the record",
            Cancel
        );
        var data = Assert.Single(failed)!["data"]!;
        Assert.Equal(
            ((string)key["id"]!, "revoked", 1),
            ((string)data["keyId"]!, (string)data["cause"]!, (int)data["attempts"]!)
        );
    }

    [Fact]
    public async Task The_log_is_read_page_by_page()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        for (var i = 0; i < 3; i++)
            await tenant.PutFleetAsync(
                $"chat-{i}",
                Cancel,
                definition => definition["solving"]!["approvalSeconds"] = 3600
            );
        using var auditor = await AuditorAsync(tenant);
        await Eventually.TrueAsync(
            async () => (await GetAsync(auditor, "/v1/audit"))["items"]!.AsArray().Count >= 6,
            "six entries",
            Cancel
        );

        var (indexes, cursor) = (new List<long>(), "");
        while (indexes.Count < 6)
        {
            var page = await GetAsync(auditor, $"/v1/audit?limit=4&cursor={cursor}");
            indexes.AddRange(page["items"]!.AsArray().Select(entry => (long)entry!["index"]!));
            cursor = (string?)page["nextCursor"] ?? "";
        }

        Assert.Equal(Enumerable.Range(0, indexes.Count).Select(i => (long)i), indexes);
    }

    [Theory]
    [InlineData("/v1/log/consistency?from=0&to=1", 400)]
    [InlineData("/v1/log/consistency?from=2&to=1", 400)]
    [InlineData("/v1/log/consistency?from=1&to=1000000", 400)]
    [InlineData("/v1/log/consistency?from=x&to=1", 400)]
    [InlineData("/v1/fleets/none/allocations/1/inclusion", 404)]
    [InlineData("/v1/audit?cursor=x", 400)]
    public async Task What_is_not_there_is_said(string path, int status)
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        using var client = tenant.Client();
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), Cancel);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
    }

    private async Task<HttpClient> AuditorAsync(TestTenant tenant)
    {
        using var issued = await platform.Operator.PostAsJsonAsync(
            $"/v1/tenants/{tenant.Id}/keys",
            new { name = "auditor", scopes = (string[])["audit"] },
            Cancel
        );
        return platform.Client((string)(await TestPlatform.ReadAsync(issued, Cancel))["apiKey"]!);
    }

    private static async Task<JsonNode> GetAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), Cancel);
        return await TestPlatform.ReadAsync(answer, Cancel);
    }
}
