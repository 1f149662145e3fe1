using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Platform.Integration.Tests;

public sealed class ExportTests(TestPlatform platform)
{
    private const int Versions = 120;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_history_of_many_pages_is_exported_whole_and_each_line_hashes_to_its_hash()
    {
        var tenant = await WithHistoryAsync();
        using var client = tenant.Client();
        using var answer = await client.GetAsync(
            new Uri("/v1/fleets/chat/allocations/export?format=ndjson", UriKind.Relative),
            Cancel
        );
        Assert.Equal("application/x-ndjson", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal("chat-allocations.ndjson", answer.Content.Headers.ContentDisposition!.FileName!.Trim('"'));
        var lines = (await answer.Content.ReadAsStringAsync(Cancel)).Split('\n');
        Assert.Empty(lines[^1]);
        Assert.Equal(Versions, lines.Length - 1);

        var hashes = await platform.Database.QueryAsync<string>(
            $"select string_agg(hash, ' ' order by version) from platform.allocation_snapshots where tenant_id = '{tenant.Id}'",
            Cancel
        );
        Assert.Equal(
            hashes,
            string.Join(
                ' ',
                lines[..^1].Select(line => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(line))))
            )
        );
    }

    [Fact]
    public async Task As_CSV_there_is_a_line_for_each_version_and_task_type()
    {
        var tenant = await WithHistoryAsync();
        using var client = tenant.Client();
        using var answer = await client.GetAsync(
            new Uri($"/v1/fleets/chat/allocations/export?format=csv&from=2&to={Versions}", UriKind.Relative),
            Cancel
        );
        Assert.Equal("text/csv", answer.Content.Headers.ContentType!.MediaType);
        var lines = (await answer.Content.ReadAsStringAsync(Cancel)).Split("\r\n")[..^1];
        Assert.StartsWith("version,hash,solvedAt,", lines[0], StringComparison.Ordinal);
        Assert.Equal(
            Enumerable.Range(2, Versions - 1).SelectMany(version => (string[])[$"{version} math", $"{version} chat"]),
            lines[1..].Select(line => $"{line.Split(',')[0]} {line.Split(',')[7]}")
        );

        using var first = await client.GetAsync(new Uri("/v1/fleets/chat/allocations/2", UriKind.Relative), Cancel);
        var snapshot = await TestPlatform.ReadAsync(first, Cancel);
        var math = snapshot["solution"]!["allocation"]![0]!;
        Assert.Equal(
            [
                $"{first.Headers.ETag!.Tag.Trim('"')}",
                snapshot["solvedAt"]!.ToString(),
                snapshot["solution"]!["objective"]!.ToString(),
                math["tokens"]!.ToString(),
                math["accuracy"]!.ToString(),
            ],
            lines[1].Split(',') is var fields ? [fields[1], fields[2], fields[3], fields[8], fields[9]] : []
        );
    }

    [Theory]
    [InlineData("format=xml", "/format")]
    [InlineData("from=0", "/from")]
    [InlineData("to=x", "/to")]
    [InlineData("from=3&to=2", "/to")]
    public async Task Bad_input_names_its_parameter(string query, string pointer)
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        using var client = tenant.Client();
        using var answer = await client.GetAsync(
            new Uri($"/v1/fleets/chat/allocations/export?{query}", UriKind.Relative),
            Cancel
        );
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(
            pointer,
            (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!["errors"]![0]!["pointer"]!
        );
    }

    /// <summary>
    /// A fleet with one version that was solved, repeated in the database: what is exported is what is stored.
    /// </summary>
    private async Task<TestTenant> WithHistoryAsync()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel, definition => definition["solving"]!["everySeconds"] = 86_400);
        await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        await platform.Database.QueryAsync<long>(
            $"""
            with more as (
                insert into platform.allocation_snapshots
                    (tenant_id, fleet_id, version, solved_at, hash, document, objective, mean_accuracy, mean_system_time_seconds, utilization)
                select tenant_id, fleet_id, n, solved_at, encode(sha256(changed), 'hex'), changed, objective, mean_accuracy, mean_system_time_seconds, utilization
                from platform.allocation_snapshots, generate_series(2, {Versions}) n,
                    lateral (select convert_to(replace(convert_from(document, 'UTF8'), '"version":1', '"version":' || n), 'UTF8') as changed) as it
                where tenant_id = '{tenant.Id}' returning 1)
            select count(*) from more
            """,
            Cancel
        );
        return tenant;
    }
}
