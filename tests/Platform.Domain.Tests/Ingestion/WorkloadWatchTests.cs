using Platform.Domain.Contracts;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;
using Platform.Domain.Snapshots;

namespace Platform.Domain.Tests.Ingestion;

/// <summary>
/// How seldom the watch is wrong, and how soon it is right. The figures are those of docs/estimation.md.
/// </summary>
public sealed class WorkloadWatchTests(ITestOutputHelper output)
{
    private const int Fleets = 200;
    private const int Windows = 1_000;

    /// <summary>
    /// The bound is one in 40,000, with the estimate's own error in what is expected, and service times that follow no
    /// normal law. What three windows tell is wrong beyond its interval in one fleet of twenty, and that fleet gives an
    /// alarm again and again until it is solved.
    /// </summary>
    [Theory]
    [InlineData(3, 10_000)]
    [InlineData(30, 10_000)]
    [InlineData(300, 40_000)]
    public void A_fleet_that_does_not_change_gives_no_alarm(int learnt, int oneIn)
    {
        var alarms = Enumerable
            .Range(1, Fleets)
            .Sum(seed => new WatchedFleet(seed, Rate(seed)).Learn(learnt).Alarms(Windows));
        output.WriteLine($"{alarms} alarms in {Fleets * Windows} windows");
        Assert.True(alarms <= Fleets * Windows / oneIn, $"{alarms} alarms");
    }

    /// <summary>
    /// A fleet that runs near its limit looks for small changes, and must not find them where there are none.
    /// </summary>
    [Fact]
    public void A_fleet_at_its_limit_that_does_not_change_gives_no_alarm()
    {
        var alarms = Enumerable.Range(1, Fleets).Sum(seed => AtLimit(seed).Learn(300).Alarms(Windows));
        output.WriteLine($"{alarms} alarms in {Fleets * Windows} windows");
        Assert.True(alarms <= Fleets * Windows / 40_000, $"{alarms} alarms");
    }

    [Theory]
    [InlineData(2.0, 1.0, 60)]
    [InlineData(0.5, 1.0, 120)]
    [InlineData(0.0, 1.0, 40)]
    [InlineData(1.0, 2.0, 60)]
    [InlineData(1.0, 0.5, 60)]
    public void A_change_is_found_after_some_tens_of_the_arrivals_expected(double traffic, double slowness, int within)
    {
        var delays = Enumerable
            .Range(1, Fleets)
            .Select(seed =>
            {
                var fleet = new WatchedFleet(seed, Rate(seed)).Learn(2_000);
                fleet.Alarms(50);
                fleet.Watch.Expect(fleet.Expectation);
                var expected = fleet.Expected;
                (fleet.Rate, fleet.Slowness) = (fleet.Rate * traffic, slowness);
                return expected * fleet.UntilAlarm(1_000)!.Value.Windows;
            })
            .Order()
            .ToArray();
        output.WriteLine(
            $"{delays[Fleets / 2]:0} arrivals expected in the median, {delays[Fleets * 95 / 100]:0} at the 95th percentile"
        );
        Assert.True(delays[Fleets / 2] < within, $"{delays[Fleets / 2]} in the median");
        Assert.True(delays[Fleets * 95 / 100] < 2 * within, $"{delays[Fleets * 95 / 100]} at the 95th percentile");
    }

    [Fact]
    public void At_its_limit_a_fleet_finds_a_fifth_more_traffic()
    {
        var fleet = AtLimit(1).Learn(2_000);
        fleet.Rate *= 1.2;
        Assert.NotNull(fleet.UntilAlarm(400));
        fleet = new WatchedFleet(1, 2).Learn(2_000);
        fleet.Rate *= 1.2;
        Assert.Null(fleet.UntilAlarm(400));
    }

    /// <summary>
    /// The least rise that is looked for is a tenth: one of 3 in 10 would not show this one, one of 2 in 100 not so
    /// soon.
    /// </summary>
    [Fact]
    public void At_its_limit_a_fleet_finds_an_eighth_more_traffic_soon_and_is_not_unstable()
    {
        var found = Enumerable
            .Range(1, 40)
            .Select(seed =>
            {
                var fleet = AtLimit(seed).Learn(2_000);
                fleet.Rate *= 1.13;
                return fleet.UntilAlarm(1_000) ?? (1_000, SolveReason.Drift);
            })
            .OrderBy(it => it.Item1)
            .ToArray();
        output.WriteLine($"{found[20].Item1} windows of 20 arrivals in the median");
        Assert.InRange(found[20].Item1, 1, 160);
        Assert.InRange(found.Count(it => it.Item2 == SolveReason.Drift), 30, 40);
    }

    /// <summary>A watch that has just begun knows of no burst but from the estimate.</summary>
    [Fact]
    public void Bursts_that_the_estimate_knows_are_no_change_to_a_new_watch_either()
    {
        var fleet = new WatchedFleet(1, 2) { Dispersion = 6 }.Learn(2_000);
        var alarms = 0;
        for (var i = 0; i < Windows; i++)
        {
            var watch = new WorkloadWatch();
            watch.Expect(fleet.Expectation);
            alarms += watch.Observe([fleet.Next()]) is null ? 0 : 1;
        }

        Assert.InRange(alarms, 0, 2);
    }

    [Fact]
    public void Servers_of_different_speeds_that_report_by_turns_are_no_change()
    {
        var (fleet, alarms) = (new WatchedFleet(1, 2).Learn(2_000), 0);
        for (var i = 0; i < Windows; i++)
        {
            fleet.Slowness = i % 2 == 0 ? 0.4 : 1.6;
            if (fleet.Step() is null)
                continue;
            alarms++;
            fleet.Watch.Expect(fleet.Expectation);
        }

        Assert.InRange(alarms, 0, 5);
    }

    [Fact]
    public void Service_times_of_a_task_type_that_is_expected_no_more_are_not_looked_at()
    {
        var fleet = new WatchedFleet(1, 2).Learn(300);
        fleet.Watch.Expect(fleet.Expectation! with { TaskTypes = [] });
        fleet.Slowness = 5;
        Assert.Null(fleet.UntilAlarm(100));
        fleet.Watch.Expect(fleet.Expectation);
        Assert.NotNull(fleet.UntilAlarm(10));
    }

    /// <summary>Whatever the arrivals do meanwhile, which have not changed.</summary>
    [Fact]
    public void Slower_servers_that_cannot_do_the_work_are_always_instability() =>
        Assert.All(
            Enumerable.Range(1, 20),
            seed =>
            {
                var fleet = Loaded(servers: 4, seed).Learn(300);
                fleet.Slowness = 2;
                Assert.Equal(SolveReason.Instability, fleet.UntilAlarm(200)!.Value.Reason);
            }
        );

    /// <summary>
    /// A burst loads the servers all the same: what it costs is a solve now and then, not one for each.
    /// </summary>
    [Fact]
    public void Bursts_that_the_estimate_knows_are_hardly_ever_a_change()
    {
        var alarms = Enumerable
            .Range(1, Fleets)
            .Sum(seed =>
                new WatchedFleet(seed, 2) { Dispersion = 6 }
                    .Learn(2_000)
                    .Alarms(Windows)
            );
        output.WriteLine($"{alarms} alarms in {Fleets * Windows} windows");
        Assert.True(alarms <= Fleets * Windows / 500, $"{alarms} alarms");
    }

    /// <summary>
    /// One has half of the traffic, nine share the other half: what a gateway reports is never what the mean gateway
    /// does.
    /// </summary>
    [Fact]
    public void Gateways_with_different_parts_of_the_traffic_are_no_change_and_hide_none()
    {
        double[] parts = [0.5, .. Enumerable.Repeat(0.5 / 9, 9)];
        var alarms = 0;
        for (var seed = 1; seed <= 20; seed++)
        {
            var fleet = new WatchedFleet(seed, 20) { Gateways = parts }.Learn(300);
            // What is learnt of the scatter stays; until then there may be an alarm.
            fleet.Alarms(50);
            alarms += fleet.Alarms(Windows);
            fleet.Watch.Expect(fleet.Expectation);
            fleet.Rate *= 2;
            Assert.InRange(fleet.UntilAlarm(1_000)!.Value.Windows, 1, 400);
        }

        output.WriteLine($"{alarms} alarms in {20 * Windows} windows");
        Assert.True(alarms <= 2, $"{alarms} alarms");
    }

    /// <summary>The sum of ten gateways' windows that came together is one observation.</summary>
    [Fact]
    public void Gateways_that_report_together_are_one_observation()
    {
        double[] parts = [0.5, .. Enumerable.Repeat(0.5 / 9, 9)];
        var fleet = new WatchedFleet(1, 20) { Gateways = parts }.Learn(300);
        for (var i = 0; i < 500; i++)
            Assert.Null(Together(fleet));
        fleet.Rate *= 2;
        Assert.Contains(SolveReason.Drift, Enumerable.Range(0, 3).Select(_ => Together(fleet)));

        SolveReason? Together(WatchedFleet fleet) =>
            fleet.Watch.Observe([.. Enumerable.Range(0, 10).Select(_ => fleet.Next())])?.Reason;
    }

    [Fact]
    public void Without_windows_the_definitions_guess_counts_with_its_doubt()
    {
        Assert.Null(new WatchedFleet(1, 2).Learn(0).UntilAlarm(1_000));
        var fleet = new WatchedFleet(1, 2).Learn(0);
        fleet.Rate = 20;
        Assert.NotNull(fleet.UntilAlarm(10));
    }

    [Fact]
    public void More_work_than_the_servers_can_do_is_instability_and_less_is_drift()
    {
        var fleet = Loaded(servers: 4).Learn(300);
        Assert.InRange(fleet.Expectation!.Utilization, 0.55, 0.95);
        // However long all went as expected.
        Assert.Equal(0, fleet.Alarms(500));
        fleet.Rate *= 2;
        Assert.Equal(SolveReason.Instability, fleet.UntilAlarm(200)!.Value.Reason);

        fleet = Loaded(servers: 4).Learn(300);
        fleet.Slowness = 2;
        Assert.Equal(SolveReason.Instability, fleet.UntilAlarm(200)!.Value.Reason);

        fleet = new WatchedFleet(1, 1).Learn(300);
        Assert.InRange(fleet.Expectation!.Utilization, 0.001, 0.45);
        fleet.Rate *= 2;
        Assert.Equal(SolveReason.Drift, fleet.UntilAlarm(200)!.Value.Reason);
    }

    [Fact]
    public void Windows_too_old_to_count_are_not_looked_at()
    {
        var fleet = new WatchedFleet(1, 2).Learn(300);
        fleet.Rate = 200;
        var old = Enumerable
            .Range(0, 100)
            .Select(_ => fleet.Next())
            .Select(window =>
                window with
                {
                    WindowStart = fleet.Expectation!.CountsFrom.AddSeconds(-11),
                    WindowEnd = fleet.Expectation.CountsFrom.AddSeconds(-1),
                }
            );
        Assert.Null(fleet.Watch.Observe(old));
        Assert.NotNull(fleet.Step());
    }

    [Fact]
    public void Without_an_expectation_there_is_nothing_to_say() =>
        Assert.Null(new WorkloadWatch().Observe([new WatchedFleet(1, 200).Next()]));

    [Fact]
    public void An_expectation_is_read_as_it_was_written()
    {
        var expectation = new WatchedFleet(1, 2).Learn(300).Expectation!;
        Assert.Equal(2, expectation.TaskTypes.Count);
        var written = StrictJson.Write(expectation);
        Assert.True(StrictJson.TryRead<WorkloadExpectation>(written, out var read, out _));
        Assert.Equal(written, StrictJson.Write(read));
        Assert.True(written.Length < 1_100, $"{written.Length} bytes");
    }

    [Theory]
    [InlineData(null, SolveReason.Drift, 3_600, 5)]
    [InlineData(SolveReason.Periodic, SolveReason.Drift, 3_600, 5)]
    [InlineData(SolveReason.Requested, SolveReason.Drift, 3_600, 5)]
    [InlineData(SolveReason.Drift, SolveReason.Drift, 3_600, 360)]
    [InlineData(SolveReason.Instability, SolveReason.Drift, 3_600, 360)]
    [InlineData(SolveReason.Drift, SolveReason.Drift, 10, 5)]
    [InlineData(SolveReason.Drift, SolveReason.Instability, 3_600, 5)]
    [InlineData(SolveReason.Instability, SolveReason.Instability, 3_600, 5)]
    public void Solves_before_their_time_keep_their_distance(
        SolveReason? last,
        SolveReason next,
        int every,
        int seconds
    )
    {
        var at = new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
        Assert.Equal(
            at.AddSeconds(seconds),
            SolvePolicy.EarliestNext(at, last, next, new SolvingPolicy { EverySeconds = every })
        );
    }

    /// <summary>From a window that is mostly empty to one that is full.</summary>
    private static double Rate(int seed) => 0.05 * Math.Pow(2, seed % 7);

    /// <summary>One arrival a second, and an objective that loads the servers.</summary>
    private static WatchedFleet Loaded(int servers, int seed = 1) =>
        new(
            seed,
            1,
            servers,
            definition => definition with { Objective = definition.Objective with { AccuracyWeight = 1_000 } }
        );

    private static WatchedFleet AtLimit(int seed) =>
        new(
            seed,
            2,
            servers: 8,
            definition =>
                definition with
                {
                    Objective = definition.Objective with { AccuracyWeight = 1_000, MaxUtilization = 0.8 },
                }
        );
}
