using System.Text;
using System.Text.Json.Nodes;
using Platform.Domain.Contracts;

namespace Platform.Domain.Tests.Contracts;

public class WindowContentTests
{
    private const string Example = """
        { "fleet": "chat-eu", "windowStart": "2026-11-23T10:00:00Z", "windowEnd": "2026-11-23T10:00:10Z",
          "tasks": [ { "taskType": "math", "arrivals": 12, "accuracy": [ { "tokens": 512, "trials": 10, "correct": 7 } ] },
                     { "taskType": "chat", "arrivals": 3 } ] }
        """;

    [Fact]
    public void Another_order_and_other_white_space_say_the_same()
    {
        var turned = """
            {"tasks":[{"arrivals":3,"accuracy":[],"taskType":"chat","service":null},
            {"accuracy":[{"correct":7,"tokens":512,"trials":10}],"taskType":"math","arrivals":12}],
            "windowEnd":"2026-11-23T10:00:10.000+00:00","windowStart":"2026-11-23T10:00:00.0Z","fleet":"chat-eu"}
            """;
        Assert.True(WindowContent.IsSame(Read(Example), Read(turned)));
        Assert.Equal(WindowContent.FingerprintOf(Read(Example)), WindowContent.FingerprintOf(Read(turned)));
    }

    [Theory]
    [InlineData("\"arrivals\": 12", "\"arrivals\": 13")]
    [InlineData("chat-eu", "chat-us")]
    [InlineData("10:00:10Z", "10:00:10.001Z")]
    [InlineData("\"trials\": 10", "\"trials\": 11")]
    [InlineData("\"taskType\": \"chat\"", "\"taskType\": \"code\"")]
    public void Any_other_value_says_something_else(string old, string other)
    {
        var changed = Read(Example.Replace(old, other, StringComparison.Ordinal));
        Assert.False(WindowContent.IsSame(Read(Example), changed));
        Assert.NotEqual(WindowContent.FingerprintOf(Read(Example)), WindowContent.FingerprintOf(changed));
    }

    [Fact]
    public void Another_concurrency_or_none_says_something_else()
    {
        var sums = new ServiceSums
        {
            Completions = 1,
            Tokens = 2,
            TokensSquared = 4,
            Millis = 3,
            MillisSquared = 9,
            TokenMillis = 6,
        };
        var untold = Served(sums);
        var told = Served(
            sums with
            {
                Concurrency = new ConcurrencySums { Tokens = 2, InService = 5 },
            }
        );
        var other = Served(
            sums with
            {
                Concurrency = new ConcurrencySums { Tokens = 2, InService = 6 },
            }
        );
        Assert.False(WindowContent.IsSame(untold, told));
        Assert.False(WindowContent.IsSame(told, other));
        Assert.NotEqual(WindowContent.FingerprintOf(told), WindowContent.FingerprintOf(other));
    }

    private static WorkloadWindow Served(ServiceSums sums) =>
        Read(Example) with
        {
            Tasks =
            [
                new TaskWindow
                {
                    TaskType = "math",
                    Arrivals = 1,
                    Service = sums,
                },
            ],
        };

    private static WorkloadWindow Read(string text)
    {
        Assert.True(
            StrictJson.TryRead<WorkloadWindow>(
                Encoding.UTF8.GetBytes(JsonNode.Parse(text)!.ToJsonString()),
                out var window,
                out _
            )
        );
        return window;
    }
}
