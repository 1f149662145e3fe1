using Platform.Cli.Benchmarks.Traffic;

namespace Platform.Cli.Tests.Benchmarks.Traffic;

public sealed class TrafficWindowsTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Windows_may_tell_arrivals_alone(bool isAlone)
    {
        var windows = new TrafficWindows(TrafficFleets.Queue(10), windowSeconds: 30, seed: 1)
        {
            TellsArrivalsAlone = isAlone,
        };
        var tasks = windows.Next(Start, rate: 2, recorded: 60, tokens: [100, 100, 100, 100]).Tasks;

        Assert.Equal(60, tasks.Sum(task => task.Arrivals));
        Assert.All(tasks, task => Assert.Equal(isAlone, task.Service is null));
        Assert.All(tasks, task => Assert.Equal(isAlone, task.Accuracy is null));
    }
}
