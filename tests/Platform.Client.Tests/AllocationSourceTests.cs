using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Platform.Testing;

namespace Platform.Client.Tests;

public sealed class AllocationSourceTests : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    private readonly string _folder = Directory.CreateTempSubdirectory("allocations").FullName;
    private readonly ManualTime _time = new();
    private readonly Server _server = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task It_asks_once_a_period_with_the_tag_of_what_it_has()
    {
        using var source = Source();
        var first = await source.GetAsync("chat", Cancel);
        Assert.Equal((1, 812L, (DateTimeOffset?)_time.Now), (first.Version, first.Tokens["math"], first.ConfirmedAt));
        Assert.Same(first, await source.GetAsync("chat", Cancel));
        Assert.Empty(first.Ladder);
        Assert.Equal(["none"], _server.Asked);

        _time.Now += Every;
        var confirmed = await source.GetAsync("chat", Cancel);
        Assert.Equal((1, (DateTimeOffset?)_time.Now), (confirmed.Version, confirmed.ConfirmedAt));
        Assert.Equal(["none", $"\"{first.Hash}\""], _server.Asked);

        _server.Document = Server.Snapshot(version: 2, tokens: 900);
        _time.Now += Every;
        Assert.Equal(900, (await source.GetAsync("chat", Cancel)).Tokens["math"]);
    }

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError)]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    [InlineData(HttpStatusCode.Unauthorized)]
    [InlineData((HttpStatusCode)0)]
    public async Task While_the_platform_is_away_the_last_known_holds_and_it_is_not_asked_more_often(
        HttpStatusCode answer
    )
    {
        using var source = Source();
        var first = await source.GetAsync("chat", Cancel);
        _server.Answer = answer;
        _time.Now += Every;
        Assert.Equal((first.Version, first.ConfirmedAt), await Seen());
        Assert.Equal((first.Version, first.ConfirmedAt), await Seen());
        Assert.Equal(2, _server.Asked.Count);

        _server.Answer = HttpStatusCode.OK;
        _time.Now += Every;
        Assert.Equal((first.Version, _time.Now), await Seen());

        async Task<(int, DateTimeOffset?)> Seen() =>
            await source.GetAsync("chat", Cancel) is var it ? (it.Version, it.ConfirmedAt) : default;
    }

    [Fact]
    public async Task Without_any_allocation_it_says_why()
    {
        _server.Answer = HttpStatusCode.NotFound;
        using var source = Source();
        var fault = await Assert.ThrowsAsync<NoAllocationException>(() => source.GetAsync("chat", Cancel));
        Assert.Contains("404", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_document_that_does_not_hash_to_its_tag_is_not_taken()
    {
        using var source = Source();
        await source.GetAsync("chat", Cancel);
        _server.Document = Server.Snapshot(version: 2, tokens: 1);
        _server.Tag = new string('0', 64);
        _time.Now += Every;
        Assert.Equal(1, (await source.GetAsync("chat", Cancel)).Version);
    }

    [Fact]
    public async Task A_process_that_starts_while_the_platform_is_away_has_what_another_has_left()
    {
        using (var before = Source(_folder))
            await before.GetAsync("chat", Cancel);
        _server.Answer = 0;
        using var source = Source(_folder);
        var kept = await source.GetAsync("chat", Cancel);
        Assert.Equal((1, 812L, null), (kept.Version, kept.Tokens["math"], kept.ConfirmedAt));
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public async Task A_ladder_comes_with_the_allocation_and_is_there_while_the_platform_is_away()
    {
        _server.Document = Encoding.UTF8.GetBytes(
            """
            {"version":3,"problem":{"servers":4},"solution":{"allocation":[{"taskType":"math","tokens":812}]},
             "ladder":{"method":"loads/1","rungs":[
               {"inFlightPerServer":0,"arrivalRate":0.1,"allocation":[{"taskType":"math","tokens":812}]},
               {"inFlightPerServer":2.5,"allocation":[{"taskType":"math","tokens":0,"name":"none"}]}]}}
            """
        );
        using (var before = Source(_folder))
            await before.GetAsync("chat", Cancel);
        _server.Answer = 0;
        using var source = Source(_folder);
        var kept = await source.GetAsync("chat", Cancel);
        Assert.Equal(4, kept.Servers);
        Assert.Equal([0, 2.5], kept.Ladder.Select(rung => rung.InFlightPerServer));
        Assert.Equal([812, 812, 0], new[] { 0, 2.4, 2.5 }.Select(inFlight => kept.TokensFor("math", inFlight)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"version\":1}")]
    public async Task A_file_that_cannot_be_read_is_as_good_as_none(string text)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "chat.json"), text, Cancel);
        using var source = Source(_folder);
        Assert.Equal(1, (await source.GetAsync("chat", Cancel)).Version);
    }

    [Fact]
    public async Task Of_many_that_ask_at_once_one_goes_to_the_platform()
    {
        _server.Gate = new TaskCompletionSource();
        using var source = Source();
        var all = Enumerable.Range(0, 50).Select(_ => source.GetAsync("chat", Cancel)).ToArray();
        _server.Gate.SetResult();
        Assert.All(await Task.WhenAll(all), it => Assert.Equal(1, it.Version));
        Assert.Single(_server.Asked);
    }

    private AllocationSource Source(string? folder = null) =>
        new(new Uri("http://platform.test"), "key", Every, folder, _time, _server);

    /// <summary>Answers like the platform's API.</summary>
    private sealed class Server : HttpMessageHandler
    {
        public byte[] Document { get; set; } = Snapshot(version: 1, tokens: 812);

        public string? Tag { get; set; }

        /// <summary>0: no answer.</summary>
        public HttpStatusCode Answer { get; set; } = HttpStatusCode.OK;

        public TaskCompletionSource? Gate { get; set; }

        public List<string> Asked { get; } = [];

        public static byte[] Snapshot(int version, long tokens) =>
            Encoding.UTF8.GetBytes(
                $$$"""{"version":{{{version}}},"solution":{"allocation":[{"taskType":"math","tokens":{{{tokens}}}}]}}"""
            );

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            var tag = $"\"{Tag ?? Convert.ToHexStringLower(SHA256.HashData(Document))}\"";
            lock (Asked)
                Asked.Add(request.Headers.IfNoneMatch.Count == 0 ? "none" : request.Headers.IfNoneMatch.Single().Tag);
            if (Gate is not null)
                await Gate.Task;
            if (Answer == 0)
                throw new HttpRequestException("no route");
            var isHeld = request.Headers.IfNoneMatch.Any(it => it.Tag == tag);
            return new HttpResponseMessage(Answer == HttpStatusCode.OK && isHeld ? HttpStatusCode.NotModified : Answer)
            {
                Content = new ByteArrayContent(Document),
                Headers = { ETag = new EntityTagHeaderValue(tag) },
            };
        }
    }
}
