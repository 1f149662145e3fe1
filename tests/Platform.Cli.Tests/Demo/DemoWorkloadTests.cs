using System.Text;
using Platform.Cli.Demo;
using Platform.Cli.Traces;
using Platform.Client;
using Platform.Domain.Contracts;

namespace Platform.Cli.Tests.Demo;

public sealed class DemoWorkloadTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
    private static readonly TraceRequest[] Trace = [.. TraceGenerator.Generate(TimeSpan.FromMinutes(20), 2)];

    [Fact]
    public void The_same_trace_and_seed_give_the_same_bytes()
    {
        Assert.Equal(Bytes(seed: 1), Bytes(seed: 1));
        Assert.NotEqual(Bytes(seed: 1), Bytes(seed: 2));
    }

    [Fact]
    public void The_platforms_own_reader_takes_every_window()
    {
        foreach (var window in Windows(Create(1)))
            Assert.True(
                WorkloadWindowReader.TryRead(WindowMessage.Of(window, default).Body.Span, Now, out _, out var errors),
                string.Join("; ", errors)
            );
    }

    [Fact]
    public void Sums_that_whole_numbers_can_have_satisfy_Cauchy_Schwarz()
    {
        var sums = Windows(Create(1))
            .SelectMany(window => window.Tasks)
            .Select(task => task.Service)
            .OfType<ServiceSums>();
        Assert.All(
            sums,
            sum =>
            {
                Assert.True((Int128)sum.Tokens * sum.Tokens <= (Int128)sum.Completions * sum.TokensSquared);
                Assert.True((Int128)sum.Millis * sum.Millis <= (Int128)sum.Completions * sum.MillisSquared);
                Assert.True((Int128)sum.TokenMillis * sum.TokenMillis <= (Int128)sum.TokensSquared * sum.MillisSquared);
            }
        );
    }

    [Fact]
    public void Every_request_arrives_in_one_window()
    {
        var workload = Create(1);

        Assert.Equal(Trace.Length, Windows(workload).SelectMany(window => window.Tasks).Sum(task => task.Arrivals));
        Assert.Equal(Trace.Length, workload.Fleets.Sum(fleet => fleet.Requests.Count));
    }

    [Fact]
    public void The_trace_ends_with_the_last_window_and_every_server_reports_all_of_it()
    {
        var workload = Create(1);
        foreach (var fleet in workload.Fleets)
        {
            var (servers, windows) = (
                fleet.Plan.Template.Servers,
                LiveFleet.WindowsOf(fleet, workload.Length).ToArray()
            );
            Assert.Equal(fleet.Windows, windows.Length);
            Assert.Equal(Now, windows[^1].WindowEnd);
            Assert.All(windows.CountBy(window => window.WindowStart), it => Assert.Equal(servers, it.Value));
            Assert.Equal(Trace[^1].At.TotalSeconds, 10.0 * windows.Length / servers, 10.0);
        }
    }

    [Fact]
    public void What_is_not_known_is_left_out_of_the_JSON()
    {
        var window = new WorkloadWindow
        {
            Fleet = "lab",
            WindowStart = Now,
            WindowEnd = Now.AddSeconds(10),
            Tasks = [new TaskWindow { TaskType = "math", Arrivals = 3 }],
        };

        Assert.Equal(
            """{"fleet":"lab","windowStart":"2026-11-23T10:00:00Z","windowEnd":"2026-11-23T10:00:10Z","tasks":[{"taskType":"math","arrivals":3}]}""",
            Encoding.UTF8.GetString(WindowMessage.Of(window, default).Body.Span)
        );
    }

    [Theory]
    [InlineData(99, 0.7, "trace.csv: holds 99 requests over 68.6 s; the demo needs at least 100 over 60 s")]
    [InlineData(100, 0.1, "trace.csv: holds 100 requests over 9.9 s; the demo needs at least 100 over 60 s")]
    public void Too_little_of_a_trace_is_refused(int requests, double apart, string fault)
    {
        var trace = Enumerable
            .Range(0, requests)
            .Select(i => new TraceRequest(TimeSpan.FromSeconds(i * apart), 100, 100))
            .ToArray();

        Assert.Equal(
            fault,
            Assert.Throws<TraceFormatException>(() => DemoWorkload.Create(trace, "trace.csv", 1, Now)).Message
        );
    }

    [Fact]
    public void A_trace_of_one_shape_of_request_still_makes_every_fleet()
    {
        var trace = Enumerable.Range(0, 100).Select(i => new TraceRequest(TimeSpan.FromSeconds(i), 100, 10)).ToArray();

        Assert.All(DemoWorkload.Create(trace, "trace.csv", 1, Now).Fleets, fleet => Assert.True(fleet.Windows > 0));
    }

    private static DemoWorkload Create(int seed) => DemoWorkload.Create(Trace, "trace.csv", seed, Now);

    private static byte[] Bytes(int seed) =>
        [
            .. Windows(Create(seed)).SelectMany(window => WindowMessage.Of(window, default).Body.ToArray()),
            .. Create(seed).Fleets.SelectMany(fleet => StrictJson.Write(fleet.Plan.Definition)),
        ];

    private static IEnumerable<WorkloadWindow> Windows(DemoWorkload workload) =>
        workload.Fleets.SelectMany(fleet => LiveFleet.WindowsOf(fleet, workload.Length));
}
