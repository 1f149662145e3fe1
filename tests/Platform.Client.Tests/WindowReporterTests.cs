using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Platform.Testing;

namespace Platform.Client.Tests;

public sealed class WindowReporterTests : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    private readonly TickingTime _time = new();
    private readonly Server _platform = new();
    private readonly ConcurrentQueue<RefusedWindow> _refused = [];
    private readonly WindowBuilder _builder;

    public WindowReporterTests() => _builder = new WindowBuilder("chat", _time);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _platform.Dispose();

    [Theory]
    [InlineData(HttpStatusCode.BadRequest)]
    [InlineData(HttpStatusCode.Conflict)]
    [InlineData(HttpStatusCode.RequestEntityTooLarge)]
    [InlineData(HttpStatusCode.UnprocessableEntity)]
    public async Task A_refused_window_is_set_aside_and_the_next_is_sent(HttpStatusCode status)
    {
        using var events = new RefusalListener();
        await using var reporter = Reporter();
        _platform.Answers.Enqueue(status);
        for (var i = 0; i < 3; i++)
            await TickAsync(i + 1);

        await Eventually.TrueAsync(
            () => Task.FromResult(reporter.Sent == 2),
            "the windows after the refused one to be sent",
            Cancel
        );
        Assert.Equal((1, 0, 0), (reporter.Refused, reporter.Waiting, reporter.GivenUp));
        Assert.Null(reporter.Fault);
        var refused = Assert.Single(_refused);
        Assert.Same(refused, reporter.LastRefused);
        Assert.Equal((status, true), (refused.Reason.Status, refused.Reason.IsOfWindow));
        Assert.Contains("what is wrong", refused.Reason.Message, StringComparison.Ordinal);
        Assert.Equal(3, _platform.Asked.Select(it => it.MessageId).Distinct().Count());
        Assert.Contains(refused.Message.MessageId.ToString(), events.MessageIds);
    }

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized)]
    [InlineData(HttpStatusCode.Forbidden)]
    [InlineData(HttpStatusCode.NotFound)]
    public async Task While_the_sender_is_refused_windows_wait_until_that_is_put_right(HttpStatusCode status)
    {
        await using var reporter = Reporter();
        _platform.Answers.Enqueue(status);
        await TickAsync(1);
        await Eventually.TrueAsync(
            () => Task.FromResult(reporter.Fault is WindowRefusedException { IsOfWindow: false }),
            "the fault to be told",
            Cancel
        );
        Assert.Equal((0, 1), (reporter.Refused, reporter.Waiting));

        await TickAsync(3);
        await Eventually.TrueAsync(() => Task.FromResult(reporter.Sent == 2), "both windows to be sent", Cancel);
        Assert.Equal(_platform.Asked.First(), _platform.Asked.ElementAt(1));
    }

    [Fact]
    public async Task A_listener_that_fails_stops_nothing()
    {
        await using var reporter = new WindowReporter(
            _builder,
            new HttpWindowPublisher(new Uri("http://platform"), "key", _platform),
            Period,
            _time,
            _ => throw new InvalidOperationException()
        );
        _platform.Answers.Enqueue(HttpStatusCode.BadRequest);
        await TickAsync(1);
        await TickAsync(2);
        await Eventually.TrueAsync(() => Task.FromResult(reporter.Sent == 1), "the next window to be sent", Cancel);
    }

    [Fact]
    public async Task What_cannot_be_sent_at_the_end_is_counted_as_given_up()
    {
        var reporter = Reporter();
        _platform.Answers.Enqueue(HttpStatusCode.Unauthorized);
        _builder.Arrived("math");
        _time.Now += Period;
        await reporter.DisposeAsync();
        Assert.Equal((1, 0), (reporter.GivenUp, reporter.Waiting));
    }

    [Fact]
    public async Task Arrivals_that_are_heard_of_late_are_sent_with_the_time_that_they_came_in()
    {
        await using var reporter = Reporter();
        await TickAsync(1);
        _builder.Arrived("math", _time.Now - TimeSpan.FromSeconds(6));
        await TickAsync(3);
        var late = JsonNode.Parse(_platform.Asked.ElementAt(1).Body)!;
        Assert.Equal(1, (int)late["tasks"]![0]!["arrivals"]!);
        Assert.True((DateTimeOffset)late["windowEnd"]! <= _time.Now - Period);
    }

    private WindowReporter Reporter() =>
        new(
            _builder,
            new HttpWindowPublisher(new Uri("http://platform"), "key", _platform),
            Period,
            _time,
            _refused.Enqueue
        );

    /// <summary>A period passes.</summary>
    /// <param name="asked">How often the platform has been asked by then.</param>
    private async Task TickAsync(int asked)
    {
        _time.Tick(Period);
        await Eventually.TrueAsync(() => Task.FromResult(_platform.Asked.Count >= asked), $"{asked} requests", Cancel);
    }

    /// <summary>Answers as it is told, and takes everything else.</summary>
    private sealed class Server : HttpMessageHandler
    {
        public ConcurrentQueue<HttpStatusCode> Answers { get; } = [];

        public ConcurrentQueue<(string MessageId, string Body)> Asked { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            var body = await request.Content!.ReadAsStringAsync(cancellationToken);
            var status = Answers.TryDequeue(out var answer) ? answer : HttpStatusCode.Accepted;
            Asked.Enqueue((request.Headers.GetValues("Idempotency-Key").Single(), body));
            return new HttpResponseMessage(status) { Content = new StringContent("what is wrong", Encoding.UTF8) };
        }
    }

    /// <summary>A clock whose timers fire when the test says so.</summary>
    private sealed class TickingTime : TimeProvider
    {
        private readonly ConcurrentQueue<Action> _timers = [];

        public DateTimeOffset Now { get; set; } = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _timers.Enqueue(() => callback(state));
            return new Timer();
        }

        public void Tick(TimeSpan passed)
        {
            Now += passed;
            foreach (var fire in _timers)
                fire();
        }

        private sealed class Timer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose() { }

            public ValueTask DisposeAsync() => default;
        }
    }

    /// <summary>Hears the events of the client library.</summary>
    private sealed class RefusalListener : EventListener
    {
        private readonly ConcurrentQueue<string> _messageIds = [];

        public IEnumerable<string> MessageIds => _messageIds;

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == "Platform.Client")
                EnableEvents(eventSource, EventLevel.Error);
        }

        // The base class may call this before the fields are made.
        protected override void OnEventWritten(EventWrittenEventArgs eventData) =>
            _messageIds?.Enqueue((string)eventData.Payload![1]!);
    }
}
