using Platform.Domain.Contracts;
using Platform.Domain.Estimation;

namespace Platform.Domain.Tests.Estimation;

public class WorkloadObservationsTests
{
    private const int Horizon = 3_600;

    private static readonly DateTimeOffset Start = Windows.Start;

    [Fact]
    public void Nothing_was_seen_without_a_window()
    {
        var seen = WorkloadObservations.Of(new WorkloadSums(Horizon), Start);
        Assert.Empty(seen.Stretches);
        Assert.Empty(seen.TaskTypes);
    }

    [Fact]
    public void What_windows_say_adds_up_by_stretch_of_time_and_by_task_type()
    {
        var sums = new WorkloadSums(Horizon);
        sums.Fold(Window(20, 10, Math(arrivals: 5, completions: 4, tokens: 400, millis: 8_000, trials: 4, correct: 3)));
        sums.Fold(Window(20, 10, Math(arrivals: 1, completions: 2, tokens: 800, millis: 4_000, trials: 2, correct: 0)));
        var seen = WorkloadObservations.Of(sums, Start.AddSeconds(60));

        var stretch = Assert.Single(seen.Stretches);
        Assert.Equal((sums.BucketSeconds, 10, 6.0), (seen.StretchSeconds, stretch.CoveredSeconds, stretch.Arrivals));
        Assert.Equal(0.5, stretch.Accuracy!.Value);
        Assert.InRange(stretch.Accuracy.Lower, 0.18, 0.19);
        Assert.Equal(6.0, stretch.MeanSystemTimeSeconds);
        var type = Assert.Single(seen.TaskTypes);
        Assert.Equal([new ObservedService(200, 2, 6)], type.Service);
        Assert.Equal(
            [(100.0, 4.0, 0.75), (400.0, 2.0, 0.0)],
            type.Accuracy.Select(it => (it.Tokens, it.Trials, it.Accuracy.Value))
        );
    }

    [Fact]
    public void Verdicts_on_as_many_tokens_come_together_from_all_stretches_and_what_is_too_old_is_left_out()
    {
        var sums = new WorkloadSums(Horizon);
        for (var minute = 0; minute < 120; minute += 10)
            sums.Fold(
                Window(
                    60 * minute,
                    10,
                    Math(arrivals: 1, completions: 1, tokens: 100, millis: 2_000, trials: 2, correct: 1)
                )
            );
        var asOf = Start.AddMinutes(110);
        var seen = WorkloadObservations.Of(sums, asOf);

        Assert.Equal(7, seen.Stretches.Count);
        Assert.All(
            seen.Stretches,
            it => Assert.InRange((asOf - it.From).TotalSeconds, 0, Horizon + sums.BucketSeconds)
        );
        Assert.Equal(seen.Stretches.OrderBy(it => it.From), seen.Stretches);
        Assert.Equal(
            (100.0, 14.0, 0.5),
            Assert.Single(seen.TaskTypes[0].Accuracy) is var it ? (it.Tokens, it.Trials, it.Accuracy.Value) : default
        );
        Assert.Equal(7, seen.TaskTypes[0].Service.Count);
    }

    [Fact]
    public void What_nobody_told_is_not_there()
    {
        var sums = new WorkloadSums(Horizon);
        sums.Fold(Window(0, 10, new TaskWindow { TaskType = "math", Arrivals = 3 }));
        var seen = WorkloadObservations.Of(sums, Start.AddSeconds(60));
        Assert.Equal((null, null), (seen.Stretches[0].Accuracy, seen.Stretches[0].MeanSystemTimeSeconds));
        Assert.Empty(seen.TaskTypes[0].Service);
        Assert.Empty(seen.TaskTypes[0].Accuracy);
    }

    [Fact]
    public void A_system_time_is_seen_where_the_publisher_knows_its_sum_alone()
    {
        var sums = new WorkloadSums(Horizon);
        var system = new SystemSums { Completions = 4, Millis = 6_000 };
        sums.Fold(
            Window(
                0,
                10,
                new TaskWindow
                {
                    TaskType = "math",
                    Arrivals = 3,
                    System = system,
                }
            )
        );
        var seen = WorkloadObservations.Of(sums, Start.AddSeconds(60));
        Assert.Equal(1.5, seen.Stretches[^1].MeanSystemTimeSeconds);
    }

    private static WorkloadWindow Window(int fromSeconds, int seconds, TaskWindow task) =>
        new()
        {
            Fleet = "chat",
            WindowStart = Start.AddSeconds(fromSeconds),
            WindowEnd = Start.AddSeconds(fromSeconds + seconds),
            Tasks = [task],
        };

    /// <summary>A system time is three times the service time here.</summary>
    private static TaskWindow Math(
        long arrivals,
        long completions,
        long tokens,
        long millis,
        long trials,
        long correct
    ) =>
        new()
        {
            TaskType = "math",
            Arrivals = arrivals,
            Service = new ServiceSums
            {
                Completions = completions,
                Tokens = tokens,
                TokensSquared = tokens * tokens / completions,
                Millis = millis,
                MillisSquared = millis * millis / completions,
                TokenMillis = tokens * millis / completions,
            },
            System = new SystemSums
            {
                Completions = completions,
                Millis = 3 * millis,
                MillisSquared = 9 * millis * millis,
            },
            Accuracy =
            [
                new AccuracyCount
                {
                    Tokens = tokens / completions,
                    Trials = trials,
                    Correct = correct,
                },
            ],
        };
}
