using Platform.Domain.Queueing;

namespace Platform.Domain.Tests.Queueing;

/// <summary>What is known of servers that batch, against other ways to compute the same.</summary>
public sealed class ProcessorSharingTests
{
    /// <summary>Loads with most of an iteration shared, half of it, and nothing of it.</summary>
    public static TheoryData<double, double, double> Loads =>
        new()
        {
            { 1, 4.12, 0.13 },
            { 1, 20, 0.42 },
            { 1, 30, 0.95 },
            { 0.25, 2, 2 },
            { 3, 0, 0.2 },
        };

    [Theory]
    [MemberData(nameof(Loads))]
    public void The_number_in_system_is_negative_binomial(double rate, double overhead, double work)
    {
        var load = new SharingLoad(overhead, work);
        var probabilities = ProcessorSharing.InSystemProbabilities(rate, load, 60_000);
        Assert.Equal(1, probabilities.Sum(), 1e-10);
        var mean = probabilities.Select((probability, n) => n * probability).Sum();
        Assert.Equal(mean, ProcessorSharing.MeanInSystem(rate, load), 1e-9 * mean);
        Assert.Equal(
            (overhead + work) / (1 - (rate * work)),
            ProcessorSharing.MeanSystemTimeSeconds(rate, load),
            1e-12 * mean / rate
        );

        // C(n + a, n) ρⁿ (1 − ρ)^(1 + a), each in its own right.
        if (work * overhead == 0)
            return;
        var utilization = rate * work;
        var order = overhead / work;
        for (var n = 0; n < 30; n++)
        {
            var choose = Enumerable.Range(1, n).Aggregate(1.0, (product, i) => product * (order + i) / i);
            var probability = choose * Math.Pow(utilization, n) * Math.Pow(1 - utilization, 1 + order);
            Assert.Equal(probability, probabilities[n], 1e-12 * probability);
        }
    }

    [Theory]
    [MemberData(nameof(Loads))]
    public void Detailed_balance_holds_between_neighbouring_states(double rate, double overhead, double work)
    {
        // n queries, each at the rate 1/(α + δ n) of a token, end at the rate n/(α E[o] + n E[w]).
        var probabilities = ProcessorSharing.InSystemProbabilities(rate, new SharingLoad(overhead, work), 200);
        for (var n = 1; n < probabilities.Length; n++)
        {
            var ends = probabilities[n] * n / (overhead + (n * work));
            Assert.Equal(rate * probabilities[n - 1], ends, 1e-13 * ends);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(32)]
    [InlineData(300)]
    public void With_a_cap_the_means_are_those_of_the_chain(int cap)
    {
        foreach (var load in (double[])[0.001, 0.3, 0.7, 0.95])
        {
            foreach (var (overhead, work) in ((double, double)[])[(4.12, 0.13), (1, 1), (0, 0.5), (2, 0)])
            {
                var rate = load / (work + (overhead / cap));
                var (time, wait) = Chain(rate, overhead, work, cap);
                var means = ProcessorSharing.Means(rate, new SharingLoad(overhead, work), cap);
                Assert.Equal(time, means.SystemSeconds, 1e-10 * time);
                Assert.Equal(wait, means.WaitSeconds, 1e-10 * time);
                Assert.Equal(
                    rate * time,
                    ProcessorSharing.MeanInSystem(rate, new SharingLoad(overhead, work), cap),
                    1e-9 * rate * time
                );
            }
        }
    }

    [Fact]
    public void Derivatives_are_those_of_finite_differences()
    {
        var random = new Random(1);
        for (var i = 0; i < 2_000; i++)
        {
            var (load, rate, cap) = Random(random);
            var means = ProcessorSharing.Means(rate, load, cap);
            var longer = 1e-5 * load.OverheadSeconds;
            var heavier = 1e-5 * load.WorkSeconds;
            Near(means.SystemPerOverhead, Slope(longer, 0, it => it.SystemSeconds));
            Near(means.WaitPerOverhead, Slope(longer, 0, it => it.WaitSeconds));
            Near(means.SystemPerWork, Slope(0, heavier, it => it.SystemSeconds));
            Near(means.WaitPerWork, Slope(0, heavier, it => it.WaitSeconds));

            double Slope(double overhead, double work, Func<SharingMeans, double> mean)
            {
                var above = new SharingLoad(load.OverheadSeconds + overhead, load.WorkSeconds + work);
                var below = new SharingLoad(load.OverheadSeconds - overhead, load.WorkSeconds - work);
                var more = mean(ProcessorSharing.Means(rate, above, cap));
                var less = mean(ProcessorSharing.Means(rate, below, cap));
                return (more - less) / (2 * (overhead + work));
            }

            void Near(double derivative, double slope)
            {
                var noise = 1e-9 * means.SystemSeconds / Math.Min(load.WorkSeconds, load.OverheadSeconds);
                Assert.True(
                    Math.Abs(derivative - slope) <= (1e-5 * Math.Abs(slope)) + noise,
                    $"{i}: {derivative:R}, not {slope:R}"
                );
            }
        }
    }

    [Fact]
    public void Second_derivatives_are_those_of_finite_differences()
    {
        var random = new Random(2);
        for (var i = 0; i < 2_000; i++)
        {
            var (load, rate, cap) = Random(random);
            var means = ProcessorSharing.Means(rate, load, cap);
            var curvature = Curvature(rate, load, cap);
            var longer = 1e-5 * load.OverheadSeconds;
            var heavier = 1e-5 * load.WorkSeconds;
            Assert.Equal(means.SystemSeconds, curvature.SystemSeconds, 1e-12 * means.SystemSeconds);
            Near(means.SystemPerOverhead, curvature.PerOverhead, 1e-4 * means.SystemPerOverhead, 0);
            Near(means.SystemPerWork, curvature.PerWork, 1e-10 * means.SystemPerWork, 0);
            Near(Slope(longer, 0, it => it.SystemPerOverhead), curvature.OverheadOverhead, 0, longer);
            Near(Slope(0, heavier, it => it.SystemPerOverhead), curvature.OverheadWork, 0, heavier);
            Near(Slope(0, heavier, it => it.SystemPerWork), curvature.WorkWork, 0, heavier);

            double Slope(double overhead, double work, Func<SharingMeans, double> derivative)
            {
                var above = new SharingLoad(load.OverheadSeconds + overhead, load.WorkSeconds + work);
                var below = new SharingLoad(load.OverheadSeconds - overhead, load.WorkSeconds - work);
                var more = derivative(ProcessorSharing.Means(rate, above, cap));
                var less = derivative(ProcessorSharing.Means(rate, below, cap));
                return (more - less) / (2 * (overhead + work));
            }

            void Near(double expected, double actual, double room, double step)
            {
                var noise = step > 0 ? 1e-10 * means.SystemPerWork / step : 0;
                Assert.True(
                    Math.Abs(expected - actual) <= (1e-4 * Math.Abs(expected)) + room + noise,
                    $"{i}: {actual:R}, not {expected:R}"
                );
            }
        }
    }

    [Fact]
    public void The_mean_system_time_alone_is_the_same_to_the_bit()
    {
        var random = new Random(3);
        for (var i = 0; i < 5_000; i++)
        {
            var (load, rate, cap) = Random(random);
            var idle = 1 - ProcessorSharing.Utilization(rate, load, cap);
            Assert.Equal(
                ProcessorSharing.Means(rate, load, cap, idle).SystemSeconds,
                ProcessorSharing.MeanSystemTimeSeconds(rate, load, cap, idle)
            );
        }

        Assert.Equal(double.PositiveInfinity, ProcessorSharing.MeanSystemTimeSeconds(1, new SharingLoad(1, 1), 4, 0));
    }

    [Fact]
    public void A_cap_out_of_reach_is_no_cap()
    {
        foreach (var utilization in (double[])[0.1, 0.5, 0.9])
        {
            var load = new SharingLoad(4.12, 0.13);
            var rate = utilization / load.WorkSeconds;
            var free = ProcessorSharing.Means(rate, load);
            var far = ProcessorSharing.Means(rate, load, 100_000);
            Assert.Equal(free.SystemSeconds, far.SystemSeconds, 1e-11 * free.SystemSeconds);
            Assert.Equal(free.SystemPerOverhead, far.SystemPerOverhead, 1e-9 * free.SystemPerOverhead);
            Assert.Equal(free.SystemPerWork, far.SystemPerWork, 1e-9 * free.SystemPerWork);
            Assert.Equal(0, far.WaitSeconds, 1e-12);
        }
    }

    /// <summary>What a limit on the time between tokens is held to is never short of the truth.</summary>
    [Fact]
    public void The_longest_stretch_is_a_bound_that_rises_with_the_work()
    {
        var random = new Random(5);
        for (var i = 0; i < 10_000; i++)
        {
            var (load, rate, cap) = Random(random);
            var work = rate * load.WorkSeconds;
            var means = ProcessorSharing.Means(rate, load, cap);
            var stretch = (means.SystemSeconds - means.WaitSeconds) / load.LoneSeconds;
            var (longest, slope) = ProcessorSharing.LongestStretch(work, cap);
            Assert.True(stretch <= longest * (1 + 1e-11), $"{i}: {stretch:R} above {longest:R}, B {cap}");
            Assert.True(cap is not null || stretch >= longest * (1 - 1e-11), $"{i}: {stretch:R} below {longest:R}");
            Assert.True(longest <= (cap ?? double.PositiveInfinity) * (1 + 1e-14));
            var step = 1e-6 * (1 - work);
            var more = ProcessorSharing.LongestStretch(work + step, cap);
            var less = ProcessorSharing.LongestStretch(work - step, cap);
            Assert.Equal((more.Value - less.Value) / (2 * step), slope, 1e-5 * (1 + slope));
            Assert.True(more.Slope >= less.Slope * (1 - 1e-12));
        }
    }

    /// <summary>
    /// Why the limit is not held to the stretch itself: with a cap it can fall as tokens are added to heavy prompts.
    /// </summary>
    [Fact]
    public void With_a_cap_the_stretch_can_fall_as_tokens_are_added()
    {
        double[] stretches = [.. Enumerable.Range(0, 20).Select(Stretch)];
        Assert.True(stretches[19] < 0.95 * stretches[0], string.Join(' ', stretches));

        double Stretch(int i)
        {
            var load = new SharingLoad(0.02 * i * 5, 1 + (0.0001 * i * 5));
            var means = ProcessorSharing.Means(0.8, load, 8);
            return (means.SystemSeconds - means.WaitSeconds) / load.LoneSeconds;
        }
    }

    [Fact]
    public void A_tighter_cap_takes_longer()
    {
        var load = new SharingLoad(4.12, 0.13);
        var caps = Enumerable.Range(10, 500);
        double[] times = [.. caps.Select(cap => ProcessorSharing.MeanSystemTimeSeconds(2, load, cap))];
        for (var i = 1; i < times.Length; i++)
            Assert.True(times[i] <= times[i - 1] * (1 + 1e-14), $"at {i + 10}: {times[i]:R} after {times[i - 1]:R}");
        Assert.True(times[^1] >= ProcessorSharing.MeanSystemTimeSeconds(2, load) * (1 - 1e-13));
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.9)]
    [InlineData(0.999)]
    public void Without_overhead_it_is_processor_sharing_of_one_server(double utilization)
    {
        // M/G/1-PS: E[T] = E[S]/(1 − ρ), with any cap by which the work is conserved.
        var load = new SharingLoad(0, 0.5);
        var rate = utilization / load.WorkSeconds;
        var time = load.WorkSeconds / (1 - utilization);
        Assert.Equal(time, ProcessorSharing.MeanSystemTimeSeconds(rate, load), 1e-12 * time);
        Assert.Equal(time, ProcessorSharing.MeanSystemTimeSeconds(rate, load, 5), 1e-12 * time / (1 - utilization));
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.9)]
    public void One_in_service_is_M_M_1(double utilization)
    {
        var load = new SharingLoad(0.3, 0.2);
        var rate = utilization / load.LoneSeconds;
        var means = ProcessorSharing.Means(rate, load, 1);
        var time = load.LoneSeconds / (1 - utilization);
        Assert.Equal(time, means.SystemSeconds, 1e-12 * time);
        Assert.Equal(utilization * time, means.WaitSeconds, 1e-12 * time);
        Assert.Equal(MG1.MeanWaitSeconds(rate, new(0.5, 2 * 0.25)), means.WaitSeconds, 1e-12 * time);
    }

    [Fact]
    public void Without_arrivals_a_query_is_alone()
    {
        var load = new SharingLoad(3, 1);
        Assert.Equal(4, ProcessorSharing.MeanSystemTimeSeconds(0, load));
        Assert.Equal(4, ProcessorSharing.MeanSystemTimeSeconds(0, load, 8));
        Assert.Equal(4, ProcessorSharing.MeanSystemTimeSeconds(1e-12, load, 8), 1e-10);
    }

    [Fact]
    public void A_full_server_takes_for_ever()
    {
        Assert.Equal(double.PositiveInfinity, ProcessorSharing.MeanSystemTimeSeconds(1, new SharingLoad(3, 1)));
        Assert.Equal(double.PositiveInfinity, ProcessorSharing.MeanWaitSeconds(1, new SharingLoad(4, 0.5), 8));
        Assert.Equal(1.0, ProcessorSharing.Utilization(1, new SharingLoad(4, 0.5), 8));
    }

    /// <summary>
    /// Where tokens cost the same, output and work grow together, and E[T] is convex in the tokens. Without a cap that
    /// is proven; with a cap this is what there is to show for it.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void E_T_is_convex_where_output_and_work_grow_together(bool capped)
    {
        var random = new Random(capped ? 2 : 3);
        var worst = 0.0;
        for (var i = 0; i < 10_000; i++)
        {
            var (load, rate, drawn) = Random(random);
            var cap = capped ? drawn ?? 3 : (int?)null;
            rate = Math.Min(rate, 0.95 / ProcessorSharing.Utilization(1, load, cap));

            // A token more costs α of overhead and δ of work, whatever the answer and the prompt were.
            var alpha = load.OverheadSeconds * random.NextDouble();
            var delta = load.WorkSeconds * random.NextDouble();
            var step = 1e-3;
            var below = Time(-step);
            var at = Time(0);
            var above = Time(step);
            worst = Math.Min(worst, (below - (2 * at) + above) / at);

            double Time(double by) =>
                ProcessorSharing.MeanSystemTimeSeconds(
                    rate,
                    new SharingLoad(load.OverheadSeconds + (by * alpha), load.WorkSeconds + (by * delta)),
                    cap
                );
        }

        Assert.True(worst > -1e-12, $"a second difference of {worst:E2} of the time");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    [InlineData(256)]
    public void E_T_is_convex_on_a_grid_of_tokens(int cap)
    {
        // α 20.6 ms, δ 0.41 ms, from no tokens up to saturation, in a hundred steps.
        foreach (var (alpha, delta) in ((double, double)[])[(0.0206, 0.00041), (0.001, 0.001), (0.03, 1e-5), (0, 0.01)])
        {
            foreach (var rate in (double[])[0.001, 0.1, 1])
            {
                var most = 0.999 / (rate * (delta + (alpha / cap)));
                double[] times =
                [
                    .. Enumerable
                        .Range(1, 100)
                        .Select(i =>
                            ProcessorSharing.MeanSystemTimeSeconds(
                                rate,
                                new SharingLoad(alpha * most * i / 100, delta * most * i / 100),
                                cap
                            )
                        ),
                ];
                for (var i = 1; i + 1 < times.Length; i++)
                {
                    var bend = times[i - 1] - (2 * times[i]) + times[i + 1];
                    Assert.True(
                        bend >= -1e-12 * times[i],
                        $"B {cap}, α {alpha}, δ {delta}, λ {rate}, step {i}: {bend:E2}"
                    );
                }
            }
        }
    }

    /// <summary>A load, a rate with which it is stable, and for half of them a cap.</summary>
    private static (SharingLoad Load, double Rate, int? Cap) Random(Random random)
    {
        var overhead = Math.Pow(10, (4 * random.NextDouble()) - 2);
        var load = new SharingLoad(overhead, overhead * Math.Pow(10, (5 * random.NextDouble()) - 4));
        var cap = random.Next(2) == 0 ? (int)Math.Pow(10, 2.5 * random.NextDouble()) : (int?)null;
        var utilization = 0.95 * random.NextDouble();
        return (load, utilization / ProcessorSharing.Utilization(1, load, cap), cap);
    }

    private static SharingCurvature Curvature(double rate, SharingLoad load, int? cap)
    {
        var idle = 1 - ProcessorSharing.Utilization(rate, load, cap);
        return cap is { } most ? SharingCurvature.Of(rate, load, most, idle) : SharingCurvature.Of(rate, load, idle);
    }

    /// <summary>The chain state by state, until nothing is left.</summary>
    private static (double Time, double Wait) Chain(double rate, double overhead, double work, int cap)
    {
        double weight = 1,
            total = 1,
            number = 0,
            waiting = 0;
        for (var n = 1; n < 20_000; n++)
        {
            var inService = Math.Min(n, cap);
            var ends = inService / (overhead + (inService * work));
            weight *= rate / ends;
            total += weight;
            number += n * weight;
            waiting += (n - inService) * weight;
        }

        return (number / total / rate, waiting / total / rate);
    }
}
