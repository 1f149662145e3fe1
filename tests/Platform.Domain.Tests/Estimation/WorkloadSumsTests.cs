using System.Text;
using FsCheck.Xunit;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;

namespace Platform.Domain.Tests.Estimation;

public class WorkloadSumsTests
{
    private const int Horizon = 3_600;

    [Property(MaxTest = 100)]
    public bool Any_order_and_any_batching_gives_the_same_bytes(int seed)
    {
        var random = new Random(seed);
        var horizon = random.Next(60, 20_000);
        var reach = new WorkloadReach(horizon, random.Next(3));
        var windows = Windows.Wild(random, random.Next(1, 25), horizon);
        var once = Fold(reach, windows);

        var shuffled = (WorkloadWindow[])windows.Clone();
        random.Shuffle(shuffled);
        var batched = new WorkloadSums(reach);
        foreach (var batch in shuffled.Chunk(random.Next(1, 6)))
        {
            batched = WorkloadSums.FromBytes(batched.ToBytes());
            foreach (var window in batch)
                batched.Fold(window);
        }

        return once.ToBytes().AsSpan().SequenceEqual(batched.ToBytes())
            && once.LastWindowEnd == windows.Max(window => window.WindowEnd);
    }

    [Property(MaxTest = 100)]
    public bool Sums_of_parts_add_up_to_the_sums_of_all(int seed)
    {
        var random = new Random(seed);
        var horizon = random.Next(60, 20_000);
        var windows = Windows.Wild(random, random.Next(1, 25), horizon);
        var asOf = Windows.Start.AddSeconds(random.NextDouble() * 2 * horizon);
        var reach = new WorkloadReach(horizon, random.Next(3));
        WorkloadSums[] parts = [.. Enumerable.Range(0, 3).Select(_ => new WorkloadSums(reach))];
        foreach (var window in windows)
            parts[random.Next(parts.Length)].Fold(window);
        parts[random.Next(parts.Length)].Prune(asOf);
        var before = parts[1].ToBytes();
        parts[0].Add(parts[1]);
        parts[0].Add(parts[2]);

        var once = Fold(reach, windows);
        once.Prune(asOf);
        return parts[0].ToBytes().AsSpan().SequenceEqual(once.ToBytes())
            && parts[1].ToBytes().AsSpan().SequenceEqual(before);
    }

    [Fact]
    public void Sums_of_another_reach_cannot_be_added()
    {
        Assert.Throws<ArgumentException>(() => new WorkloadSums(Horizon).Add(new WorkloadSums(Horizon + 1)));
        var days = new WorkloadSums(new WorkloadReach(Horizon, 1));
        Assert.Throws<ArgumentException>(() => new WorkloadSums(Horizon).Add(days));
    }

    [Property(MaxTest = 60)]
    public bool Pruning_earlier_or_later_gives_the_same_bytes(int seed)
    {
        var random = new Random(seed);
        var reach = new WorkloadReach(Horizon, random.Next(2));
        var windows = Windows.Wild(random, 12, 8 * Horizon);
        var asOf = Windows.Start.AddSeconds(random.NextDouble() * 40 * Horizon);
        var late = Fold(reach, windows);
        late.Prune(asOf);

        var early = new WorkloadSums(reach);
        var at = random.Next(windows.Length);
        for (var i = 0; i < windows.Length; i++)
        {
            if (i == at)
                early.Prune(asOf);
            early.Fold(windows[i]);
        }

        return late.ToBytes().AsSpan().SequenceEqual(early.ToBytes());
    }

    [Property(MaxTest = 60)]
    public bool What_pruning_drops_counts_for_no_estimate_from_then_on(int seed)
    {
        var random = new Random(seed);
        var windows = Windows.Wild(random, 12, Horizon).Select(WithHonestService).ToArray();
        var asOf = windows.Max(window => window.WindowEnd) - (random.NextDouble() * WorkloadWindowReader.MaxLead);
        var pruned = Fold(Horizon, windows);
        pruned.Prune(asOf);
        var definition = EstimatorTests.Definition with { Solving = new SolvingPolicy { HorizonSeconds = Horizon } };
        var later = asOf.AddSeconds(random.Next(2) * random.NextDouble() * Horizon);
        var expected = StrictJson.Write(Estimator.Estimate(definition, Fold(Horizon, windows), later));
        return expected.AsSpan().SequenceEqual(StrictJson.Write(Estimator.Estimate(definition, pruned, later)));
    }

    [Property(MaxTest = 100)]
    public bool The_parts_of_a_long_window_sum_to_the_whole(int seed)
    {
        var random = new Random(seed);
        var length = random.NextDouble() * 3_000;
        var arrivals = random.NextInt64(WorkloadWindowReader.MaxSum);
        var sums = Fold(Horizon, [Windows.Of(0.25, 0.25 + length, Windows.Arrivals("math", arrivals))]);
        return Counts(sums, length + 1).Arrivals == arrivals;
    }

    [Fact]
    public void A_window_over_many_buckets_deals_its_arrivals_out_in_proportion_to_time()
    {
        // A horizon of 6,400 s makes buckets of 100 s; the start of the tests' time is a multiple of it.
        Assert.Equal(100, new WorkloadSums(6_400).BucketSeconds);
        var dealt = Fold(6_400, [Windows.Of(50, 350, Windows.Arrivals("math", 10))]);
        var told = Fold(
            6_400,
            [
                Windows.Of(50, 100, Windows.Arrivals("math", 1)),
                Windows.Of(100, 200, Windows.Arrivals("math", 4)),
                Windows.Of(200, 300, Windows.Arrivals("math", 3)),
                Windows.Of(300, 350, Windows.Arrivals("math", 2)),
            ]
        );
        Assert.Equal(Seen(told), Seen(dealt));
        Assert.Equal([1, 4, 3, 2], dealt.Buckets.Select(bucket => (int)bucket.Tasks[0][WorkloadSum.Arrivals]));
    }

    [Theory]
    [InlineData(60, 5)]
    [InlineData(321, 6)]
    [InlineData(21_600, 338)]
    [InlineData(604_800, 9_450)]
    public void A_bucket_is_a_64th_of_the_horizon_and_at_least_five_seconds(int horizon, int width) =>
        Assert.Equal(width, new WorkloadSums(horizon).BucketSeconds);

    [Fact]
    public void Queries_that_ended_go_to_the_bucket_in_which_the_window_ends()
    {
        var whole = Fold(6_400, [Windows.Of(0, 300, Windows.Served("math", (10, 20)) with { Arrivals = 0 })]);
        var last = Fold(
            6_400,
            [
                Windows.Of(0, 200),
                Windows.Of(299, 300, Windows.Served("math", (10, 20)) with { Arrivals = 0 }),
                Windows.Of(200, 299),
            ]
        );
        Assert.Equal(Seen(last), Seen(whole));
        Assert.Equal(
            [0, 0, 1],
            whole.Buckets.Select(bucket => bucket.Tasks.Sum(task => (int)task[WorkloadSum.Completions]))
        );
    }

    [Fact]
    public void Time_that_several_publishers_cover_counts_once()
    {
        var ten = Enumerable.Range(0, 10).Select(i => Windows.Of(i, 60 + i, Windows.Arrivals("math", 6)));
        var (exposure, arrivals) = Counts(Fold(Horizon, ten), 100);
        Assert.Equal(69, exposure);
        Assert.Equal(60, arrivals);
    }

    [Fact]
    public void A_gap_is_not_covered()
    {
        var sums = Fold(Horizon, [Windows.Of(0, 10), Windows.Of(20.5, 30), Windows.Of(200, 201)]);
        Assert.Equal(21, Counts(sums, 300).Exposure);
    }

    [Property(MaxTest = 100)]
    public bool Coverage_is_the_union_of_the_seconds_touched(int seed)
    {
        var random = new Random(seed);
        var windows = Enumerable
            .Range(0, random.Next(1, 12))
            .Select(_ =>
            {
                var from = random.NextDouble() * 1_500;
                return Windows.Of(from, from + 0.001 + (random.NextDouble() * 200));
            })
            .ToArray();
        var touched = windows.SelectMany(window => Touched(window)).Distinct().Count();
        return Counts(Fold(Horizon, windows), 1_700).Exposure == touched;
    }

    [Fact]
    public void A_window_too_old_for_any_later_question_is_dropped_and_remembered_in_nothing_but_the_last_end()
    {
        var sums = Fold(Horizon, [Windows.Of(10_000, 10_010, Windows.Arrivals("math", 1))]);
        var before = sums.ToBytes();
        sums.Fold(Windows.Of(0, 10, Windows.Arrivals("math", 1_000)));
        Assert.Equal(before, sums.ToBytes());
    }

    [Fact]
    public void The_state_does_not_grow_with_history()
    {
        var sums = new WorkloadSums(Horizon);
        var sizes = new List<int>();
        for (var i = 0; i < 4_000; i++)
        {
            sums.Fold(Windows.Of(i * 10, (i + 1) * 10, Windows.Served("math", (i % 100, 10), (5, 7))));
            if (i % 500 == 499)
                sizes.Add(sums.ToBytes().Length);
        }

        Assert.InRange(sizes.Max(), 1, 4_000);
        Assert.InRange(sizes[^1], 0.9 * sizes[1], 1.1 * sizes[1]);
    }

    [Fact]
    public void Made_up_task_types_are_bounded_the_same_way_in_every_order()
    {
        // 3,000 names, each in two windows, where 2,000 have room.
        var windows = Enumerable
            .Range(0, 60)
            .Select(i =>
                Windows.Of(
                    i,
                    i + 1,
                    [
                        .. Enumerable
                            .Range(0, 100)
                            .Select(k => Windows.Arrivals($"t{((i * 100) + k) * 7 % 3_000}", 1 + i)),
                    ]
                )
            )
            .ToArray();
        var forward = Fold(6_400, windows);
        Array.Reverse(windows);
        Assert.Equal(forward.ToBytes(), Fold(6_400, windows).ToBytes());
        var parts = Fold(6_400, windows[..30]);
        parts.Add(Fold(6_400, windows[30..]));
        Assert.Equal(forward.ToBytes(), parts.ToBytes());
        Assert.InRange(forward.ToBytes().Length, 2_000 * 12, 2_000 * 18);
        Assert.Equal(2_000, forward.Buckets.Sum(bucket => bucket.Tasks.Count));
    }

    [Fact]
    public void Distinct_token_counts_are_pooled_into_a_bounded_number_of_cells()
    {
        var random = new Random(4);
        var counts = Enumerable
            .Range(0, 200_000)
            .Select(_ => (long)Math.Exp(random.NextDouble() * 36.7))
            .Distinct()
            .Select(tokens => new AccuracyCount
            {
                Tokens = tokens,
                Trials = 3,
                Correct = 1,
            })
            .ToArray();
        var sums = new WorkloadSums(Horizon);
        foreach (var chunk in counts.Chunk(4_000))
            sums.Fold(Windows.Of(0, 1, Windows.Arrivals("math", 0) with { Accuracy = chunk }));
        Assert.InRange(sums.ToBytes().Length, 10_000, 60_000);
        Assert.Equal(
            3 * counts.Length,
            Estimator
                .Estimate(
                    EstimatorTests.Definition with
                    {
                        Solving = new SolvingPolicy { HorizonSeconds = Horizon },
                    },
                    sums,
                    Windows.Start.AddSeconds(1)
                )
                .Trials
        );
    }

    [Fact]
    public void Bytes_that_are_not_of_the_form_are_refused_with_a_format_exception()
    {
        var random = new Random(5);
        var bytes = Fold(new WorkloadReach(Horizon, 1), Windows.Wild(random, 5, Horizon)).ToBytes();
        for (var i = 0; i < 2_000; i++)
        {
            var mutated = (byte[])bytes.Clone();
            mutated[i < 64 ? i : random.Next(mutated.Length)] = (byte)random.Next(256);
            AssertReadOrRefused(mutated);
            AssertReadOrRefused(bytes.AsSpan(0, random.Next(bytes.Length)));
        }

        Assert.Throws<FormatException>(() => WorkloadSums.FromBytes([]));
        Assert.Throws<FormatException>(() => WorkloadSums.FromBytes([1, .. bytes[1..]]));
        Assert.Throws<FormatException>(() => WorkloadSums.FromBytes([.. bytes, 0]));
    }

    /// <summary>Arrivals by part of the bucket stand at the end, a byte each where they are few.</summary>
    private static int Parts => TrafficParts.CountFor(WorkloadSums.WidthFor(Horizon));

    /// <summary>The bytes from before windows told concurrency, and the third byte of mask since.</summary>
    [Fact]
    public void Sums_without_concurrency_keep_their_bytes_and_those_with_it_have_a_third_byte_of_mask()
    {
        var served = Windows.Served("math", (2, 3));
        var before = served with { Service = served.Service! with { AnswerTokens = 5 } };
        var since = before with
        {
            Service = before.Service with
            {
                Concurrency = new ConcurrencySums { Tokens = 7, InService = 21 },
            },
        };
        byte[] bytesBefore = [0x7f, 0x60, 1, 1, 2, 4, 3, 9, 6, 5, 1];
        byte[] bytesSince = [0x7f, 0xe0, 0b11, 1, 1, 2, 4, 3, 9, 6, 5, 1, 7, 21];
        Assert.Equal(bytesBefore, Tail(before, bytesBefore.Length));
        Assert.Equal(bytesSince, Tail(since, bytesSince.Length));

        var form = Fold(Horizon, [Windows.Of(0, 1, since)]).ToBytes();
        Assert.Equal(form, WorkloadSums.FromBytes(form).ToBytes());
        foreach (var unknown in (byte[])[0, 0b111])
        {
            form[^(12 + Parts)] = unknown;
            Assert.Throws<FormatException>(() => WorkloadSums.FromBytes(form));
        }

        static byte[] Tail(TaskWindow task, int length) =>
            Fold(Horizon, [Windows.Of(0, 1, task)]).ToBytes()[^(length + Parts)..^Parts];
    }

    [Fact]
    public void Sums_of_the_largest_windows_do_not_wrap()
    {
        const long most = WorkloadWindowReader.MaxSum;
        var sums = new WorkloadSums(Horizon);
        for (var i = 0; i < 1_000; i++)
        {
            var count = new AccuracyCount
            {
                Tokens = most,
                Trials = most,
                Correct = most,
            };
            sums.Fold(Windows.Of(0, 1, Windows.Arrivals("math", most) with { Accuracy = [count] }));
        }

        var estimate = Estimator.Estimate(
            EstimatorTests.Definition with
            {
                Solving = new SolvingPolicy { HorizonSeconds = Horizon },
            },
            sums,
            Windows.Start.AddSeconds(1)
        );
        Assert.Equal(most, estimate.Arrivals);
        Assert.InRange(estimate.ArrivalRate.Value, 100.0 * most / 10, 1_000.0 * most);
    }

    [Fact]
    public void Quarters_of_an_hour_hold_the_arrivals_of_days_and_the_time_that_is_covered()
    {
        var sums = new WorkloadSums(new WorkloadReach(Horizon, 2));
        sums.Fold(Windows.Of(850, 950, Windows.Arrivals("math", 50), Windows.Arrivals("code", 7)));
        sums.Fold(Windows.Of(900, 930, Windows.Arrivals("math", 1)));
        var first = QuarterHours.IndexOf(Windows.Start.ToUnixTimeSeconds());
        Assert.Equal(
            [(first, (UInt128)28, 60), (first + 1, (UInt128)30, 60)],
            sums.Quarters.Known.Select(quarter => (quarter.Index, quarter.Arrivals, quarter.CoveredSeconds))
        );

        // Two days and no longer: the quarter of an hour that has just ended is of no use then.
        var twoDays = Windows.Start.AddDays(2).AddSeconds(900);
        sums.Prune(twoDays);
        Assert.Equal([first + 1], sums.Quarters.Known.Select(quarter => quarter.Index));
        sums.Fold(Windows.Of(850, 950, Windows.Arrivals("math", 50)));
        Assert.Equal((UInt128)55, Assert.Single(sums.Quarters.Known).Arrivals);
    }

    [Fact]
    public void Fourteen_days_of_a_quarter_of_an_hour_each_take_some_kilobytes()
    {
        var sums = new WorkloadSums(new WorkloadReach(Horizon, 14));
        for (var i = 0; i < 15 * 96; i++)
            sums.Fold(Windows.Of(i * 900, (i + 1) * 900, Windows.Arrivals("math", 5_000)));
        Assert.InRange(sums.Quarters.Known.Count, 14 * 96, (14 * 96) + 1);
        Assert.InRange(sums.ToBytes().Length, 4_000, 7_000);
    }

    [Theory]
    [InlineData(59)]
    [InlineData(604_801)]
    public void A_horizon_out_of_range_is_refused(int horizon) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new WorkloadSums(horizon));

    /// <summary>
    /// Sums of squares that no queries could have do not pass the reader, and the estimator need not bear them.
    /// </summary>
    private static WorkloadWindow WithHonestService(WorkloadWindow window) =>
        window with
        {
            Tasks =
            [
                .. window.Tasks.Select(task =>
                    task with
                    {
                        Service = Windows.Served("", (task.Arrivals % 997, task.Arrivals % 9_973), (3, 11)).Service,
                    }
                ),
            ],
        };

    private static void AssertReadOrRefused(ReadOnlySpan<byte> bytes)
    {
        try
        {
            WorkloadSums.FromBytes(bytes).ToBytes();
        }
        catch (FormatException)
        {
            // The one refusal that is promised; anything else fails the test.
        }
    }

    private static IEnumerable<long> Touched(WorkloadWindow window)
    {
        for (
            var second = window.WindowStart.ToUnixTimeSeconds();
            second * TimeSpan.TicksPerSecond < (window.WindowEnd - DateTimeOffset.UnixEpoch).Ticks;
            second++
        )
            yield return second;
    }

    private static WorkloadSums Fold(int horizon, IEnumerable<WorkloadWindow> windows) =>
        Fold(new WorkloadReach(horizon, 0), windows);

    private static WorkloadSums Fold(WorkloadReach reach, IEnumerable<WorkloadWindow> windows)
    {
        var sums = new WorkloadSums(reach);
        foreach (var window in windows)
            sums.Fold(window);
        return sums;
    }

    /// <summary>
    /// The estimate but for the cadence, as the number of windows is all that tells these sums apart.
    /// </summary>
    private static string Seen(WorkloadSums sums)
    {
        var definition = EstimatorTests.Definition with
        {
            Solving = new SolvingPolicy { HorizonSeconds = sums.HorizonSeconds },
        };
        var estimate = Estimator.Estimate(definition, sums, Windows.Start.AddSeconds(400));

        // These two depend on the length of the windows themselves, and so does the traffic as of now.
        var validity = estimate.Validity with
        {
            Staleness = ValidityCheck.Unknown,
            TimescaleSeconds = 0,
        };
        var seen = estimate with
        {
            Validity = validity,
            ArrivalRate = estimate.Traffic!.AverageRate,
            Traffic = null,
            TaskTypes = [.. estimate.TaskTypes.Select(type => type with { Share = new(0, 0, 0, 0) })],
        };
        return Encoding.UTF8.GetString(StrictJson.Write(seen));
    }

    private static (long Exposure, long Arrivals) Counts(WorkloadSums sums, double asOfSeconds)
    {
        var definition = EstimatorTests.Definition with
        {
            Solving = new SolvingPolicy { HorizonSeconds = sums.HorizonSeconds },
        };
        var estimate = Estimator.Estimate(definition, sums, Windows.Start.AddSeconds(asOfSeconds));
        return (estimate.ExposureSeconds, estimate.Arrivals);
    }
}
