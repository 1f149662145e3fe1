using System.Net;
using Platform.Cli.Collection.Scraping;

namespace Platform.Cli.Tests.Collection.Scraping;

public sealed class PageClientTests
{
    private static readonly Uri Page = new("http://server/metrics");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_page_is_read()
    {
        var answer = await ReadAsync(new Server(HttpStatusCode.OK, RecordedPage.Text("sglang-0.5.9.txt")));
        Assert.Equal("SGLang", answer.Reading!.Server);
        Assert.Null(answer.Fault);
    }

    [Theory]
    [InlineData(HttpStatusCode.NotFound, "up 1", "it answered 404")]
    [InlineData(HttpStatusCode.ServiceUnavailable, "", "it answered 503")]
    [InlineData(HttpStatusCode.OK, "<html>", "line 1 is none of a metrics page: <html>")]
    [InlineData(HttpStatusCode.OK, "up 1", "a metrics page on which vLLM or SGLang tells no queries that ended")]
    public async Task A_page_that_is_none_is_a_fault_and_no_end(HttpStatusCode status, string body, string fault)
    {
        var answer = await ReadAsync(new Server(status, body));
        Assert.Null(answer.Reading);
        Assert.Equal(fault, answer.Fault);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_a_fault_in_one_line()
    {
        var answer = await ReadAsync(new Server(new HttpRequestException("Connection\nrefused")));
        Assert.Equal("Connection refused", answer.Fault);
    }

    [Fact]
    public async Task A_page_that_takes_too_long_is_a_fault()
    {
        using var pages = new PageClient(TimeSpan.FromMilliseconds(20), new Server(waits: true));
        Assert.Equal("it did not answer within 0.02 s", (await pages.ReadAsync(Page, Cancel)).Fault);
    }

    [Fact]
    public async Task The_end_of_the_command_ends_the_waiting()
    {
        using var end = new CancellationTokenSource();
        using var pages = new PageClient(TimeSpan.FromMinutes(1), new Server(waits: true));
        var reading = pages.ReadAsync(Page, end.Token);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    private static async Task<PageAnswer> ReadAsync(Server server)
    {
        using var pages = new PageClient(TimeSpan.FromSeconds(30), server);
        return await pages.ReadAsync(Page, Cancel);
    }

    private sealed class Server : HttpMessageHandler
    {
        private readonly HttpStatusCode _status;
        private readonly string _body = "";
        private readonly Exception? _fault;
        private readonly bool _waits;

        public Server(HttpStatusCode status, string body)
        {
            _status = status;
            _body = body;
        }

        public Server(Exception fault) => _fault = fault;

        public Server(bool waits) => _waits = waits;

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            if (_waits)
                await Task.Delay(Timeout.Infinite, cancellationToken);
            if (_fault is not null)
                throw _fault;
            return new HttpResponseMessage(_status) { Content = new StringContent(_body) };
        }
    }
}
