using Platform.Cli.Benchmarks.Traffic;
using Platform.Domain.Estimation;

namespace Platform.Cli.Tests.Benchmarks.Traffic;

public sealed class TrafficScoreTests
{
    private readonly TrafficScore _score = new(stepSeconds: 10, windowSeconds: 30);

    [Fact]
    public void An_overload_is_late_after_three_windows_and_the_solve()
    {
        Load(from: 300, seconds: 130, utilization: 1.5);

        Assert.Equal((130, 130, 30, 130), (_score.Above1, _score.Avoidable, _score.Late, _score.Longest));
    }

    /// <summary>Else a method that goes to and fro would never be late.</summary>
    [Fact]
    public void One_that_comes_back_within_ten_minutes_is_the_same()
    {
        Load(from: 300, seconds: 60, utilization: 1.5);
        Load(from: 360, seconds: 300, utilization: 0.5);
        Load(from: 660, seconds: 60, utilization: 1.5);
        Assert.Equal((20, 120), (_score.Late, _score.Longest));

        Load(from: 720, seconds: 600, utilization: 0.5);
        Load(from: 1_320, seconds: 60, utilization: 1.5);
        Assert.Equal((20, 120), (_score.Late, _score.Longest));
    }

    [Fact]
    public void The_first_windows_and_what_nobody_can_carry_count_against_no_method()
    {
        Load(from: 0, seconds: 90, utilization: 1.5);
        _score.AddLoad(90, 1.5, isAvoidable: false);

        Assert.Equal((100, 100, 0), (_score.Above95, _score.Above1, _score.Avoidable));
    }

    [Fact]
    public void The_part_of_the_gain_is_by_queries()
    {
        _score.AddObjective(100, 3, method: 2, best: 4, single: 0);
        _score.AddObjective(110, 1, method: 4, best: 4, single: 0);

        Assert.Equal(0.625, _score.PartOfGain);
    }

    [Fact]
    public void Intervals_are_held_against_the_true_rate()
    {
        _score.AddRate(new IntervalEstimate(1.1, 0.1, 0.9, 1.3), 1);
        _score.AddRate(new IntervalEstimate(3, 0.1, 2.9, 3.1), 2);

        Assert.Equal(0.5, _score.Coverage);
        Assert.Equal(0.3, _score.Error!.Value, 1e-9);
        Assert.Equal(0.25, _score.Width!.Value, 1e-9);
    }

    private void Load(int from, int seconds, double utilization)
    {
        for (var second = from; second < from + seconds; second += 10)
            _score.AddLoad(second, utilization, isAvoidable: true);
    }
}
