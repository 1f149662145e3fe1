using System.Text.Json;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Queueing;
using Platform.Domain.Simulation;

namespace Platform.Domain.Tests.Simulation;

/// <summary>
/// The simulator and the formulas check each other. Seeds are fixed, so a run passes for ever or never; the rule is
/// fair to any seed: within
/// 4.5 standard errors always (29 degrees of freedom: missed by 1 in 10,000), and no more misses of the 95 % interval
/// than chance allows.
/// </summary>
public sealed class AgainstFormulasTests
{
    private const double Widest = 4.5;

    private static readonly Dictionary<string, AllocationProblem> Golden = Load();

    [Fact]
    public void Golden_problems_up_to_a_utilization_of_95_percent_agree_with_Pollaczek_Khinchine()
    {
        var (runs, misses) = (0, 0);
        foreach (var (id, problem) in Golden.Where(golden => golden.Value.Dispatch == Dispatch.Split))
        {
            var solution = AllocationSolver.Solve(problem);
            if (solution.Status != SolutionStatus.Optimal || solution.Utilization > 0.95)
                continue;
            var result = Simulate(problem, solution, 1_000_000);
            var predicted = Predicted(problem, solution);
            runs++;
            misses += Misses(result.SystemTime, predicted) ? 1 : 0;
            Near(id, result.SystemTime, predicted);
            Assert.Equal(solution.Utilization!.Value, result.Utilization, 0.02);
            Assert.Equal(
                solution.MeanServiceSeconds!.Value,
                result.MeanServiceSeconds,
                0.02 * solution.MeanServiceSeconds!.Value
            );
            Assert.True(result.Stable);
        }

        Assert.InRange(runs, 12, 19);
        Assert.InRange(misses, 0, 3);
    }

    [Fact]
    public void The_shared_queue_of_the_golden_problem_is_near_Lee_and_Longton()
    {
        var problem = Golden["g19"];
        var solution = AllocationSolver.Solve(problem);
        var result = Simulate(problem, solution, 2_000_000);
        Assert.Equal(
            solution.MeanSystemTimeSeconds!.Value,
            result.SystemTime.MeanSeconds,
            0.05 * result.SystemTime.MeanSeconds
        );
        Assert.Equal(solution.Utilization!.Value, result.Utilization, 0.01);
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.7)]
    [InlineData(0.9)]
    public void One_server_with_one_service_time_waits_as_M_D_1(double load)
    {
        var result = QueueSimulator.Simulate(
            QueueSimulatorTests.Problem(load, [1], [1]),
            [0],
            new() { Arrivals = 2_000_000, Seed = 3 }
        );
        Near($"{load}", result.Wait, load / (2 * (1 - load)));
    }

    [Theory]
    [InlineData(1, 0.5)]
    [InlineData(2, 0.5)]
    [InlineData(2, 0.9)]
    [InlineData(5, 0.8)]
    public void A_shared_queue_with_one_service_time_waits_as_Crommelin_found(int servers, double load)
    {
        var problem = QueueSimulatorTests.Problem(load * servers, [1], [1], servers, Dispatch.Shared);
        var result = QueueSimulator.Simulate(problem, [0], new() { Arrivals = 2_000_000, Seed = 5 });
        Near($"{servers} at {load}", result.Wait, CrommelinWait(servers, load * servers));
    }

    [Fact]
    public void With_one_server_split_and_shared_are_the_same_queue()
    {
        var split = QueueSimulatorTests.Problem(0.8, [0.5, 0.5], [0.5, 1.5]);
        var options = new SimulationOptions { Arrivals = 100_000 };
        Assert.Equivalent(
            QueueSimulator.Simulate(split, [0, 0], options),
            QueueSimulator.Simulate(split with { Dispatch = Dispatch.Shared }, [0, 0], options),
            strict: true
        );
    }

    [Fact]
    public void A_shared_queue_waits_less_than_split_ones()
    {
        var split = QueueSimulatorTests.Problem(3.2, [0.5, 0.5], [0.5, 1.5], servers: 4);
        var options = new SimulationOptions { Arrivals = 200_000 };
        var shared = QueueSimulator.Simulate(split with { Dispatch = Dispatch.Shared }, [0, 0], options);
        Assert.True(shared.Wait.HighSeconds < QueueSimulator.Simulate(split, [0, 0], options).Wait.LowSeconds);
    }

    [Fact]
    public void The_interval_holds_the_truth_as_often_as_it_says()
    {
        const int Runs = 200;
        var problem = QueueSimulatorTests.Problem(0.5, [0.5, 0.5], [0.5, 1.5]);
        var truth = MG1.MeanSystemTimeSeconds(0.5, ServiceMoments.OfMixture([0.5, 0.5], [0.5, 1.5]));
        var hits = Enumerable
            .Range(1, Runs)
            .Count(seed =>
                !Misses(
                    QueueSimulator
                        .Simulate(problem, [0, 0], new() { Arrivals = 30_000, Seed = (ulong)seed })
                        .SystemTime,
                    truth
                )
            );
        Assert.InRange((double)hits / Runs, 0.90, 0.99);
    }

    /// <summary>
    /// Service times that scatter make every query wait longer, and the prediction is right with their variance and
    /// wrong without.
    /// </summary>
    [Theory]
    [InlineData(0.5, 0.25)]
    [InlineData(0.7, 1)]
    [InlineData(0.9, 1)]
    [InlineData(0.6, 3)]
    public void Scatter_of_service_times_counts_in_the_wait(double load, double variance)
    {
        double[] shares = [0.4, 0.6],
            seconds = [1.6, 0.6];
        var problem = QueueSimulatorTests.Problem(load, shares, seconds, variance: variance);
        var wait = QueueSimulator.Simulate(problem, [0, 0], new() { Arrivals = 4_000_000, Seed = 11 }).Wait;
        Near(
            $"{load} {variance}",
            wait,
            MG1.MeanWaitSeconds(load, ServiceMoments.OfMixture(shares, seconds, [variance, variance]))
        );
        var without = MG1.MeanWaitSeconds(load, ServiceMoments.OfMixture(shares, seconds));
        Assert.True(without < wait.MeanSeconds - (Widest * wait.StandardErrorSeconds!.Value), $"{without} {wait}");
        Assert.Equal(
            wait.MeanSeconds,
            AllocationSolver.Solve(problem).MeanSystemTimeSeconds!.Value - 1,
            Widest * wait.StandardErrorSeconds!.Value
        );
    }

    [Fact]
    public void Each_type_waits_as_long_as_any_other()
    {
        // Arrivals of every type see time averages (Wolff 1982), so that their system times differ by their service
        // times alone.
        var problem = QueueSimulatorTests.Problem(0.7, [0.3, 0.7], [2, 0.5]);
        var result = QueueSimulator.Simulate(problem, [0, 0], new() { Arrivals = 2_000_000 });
        var waits = result
            .TaskTypes.Select((type, k) => type.MeanSystemTimeSeconds!.Value - problem.TaskTypes[k].Service.BaseSeconds)
            .ToArray();
        Assert.Equal(waits[0], waits[1], 4 * result.Wait.StandardErrorSeconds!.Value);
    }

    private static SimulationResult Simulate(AllocationProblem problem, AllocationSolution solution, long arrivals) =>
        QueueSimulator.Simulate(
            problem,
            [.. solution.Allocation!.Select(type => type.Tokens)],
            new() { Arrivals = arrivals }
        );

    private static double Predicted(AllocationProblem problem, AllocationSolution solution)
    {
        var moments = ServiceMoments.OfMixture(
            [.. problem.TaskTypes.Select(type => type.Share)],
            [.. solution.Allocation!.Select(type => type.ServiceSeconds)]
        );
        return MG1.MeanSystemTimeSeconds(MG1.SplitArrivalRate(problem.ArrivalRate, problem.Servers), moments);
    }

    /// <summary>
    /// Mean wait in M/D/k for a service time of 1 (Crommelin 1932, "Delay probability formulae when the holding times
    /// are constant"): Σ over i ≥ 1 of P(X ≥ ik) − (k/a) P(X ≥ ik + 1), where X is a Poisson number with mean ia and a
    /// the load in erlang.
    /// </summary>
    private static double CrommelinWait(int servers, double load)
    {
        var wait = 0.0;
        for (var i = 1; i < 5000; i++)
        {
            var (mean, first) = (i * load, i * servers);
            var log = -mean;
            for (var j = 1; j <= first; j++)
                log += Math.Log(mean / j);
            var (term, atLeast) = (Math.Exp(log), 0.0);
            var point = term;
            for (var j = first; term > 1e-18 * point; j++)
            {
                atLeast += term;
                term *= mean / (j + 1);
            }

            wait += atLeast - (servers / load * (atLeast - point));
            if (point < 1e-14)
                break;
        }

        return wait;
    }

    private static bool Misses(SimulatedMean mean, double truth) => truth < mean.LowSeconds || truth > mean.HighSeconds;

    private static void Near(string what, SimulatedMean mean, double truth)
    {
        var errors = Math.Abs(mean.MeanSeconds - truth) / mean.StandardErrorSeconds!.Value;
        Assert.True(errors <= Widest, $"{what}: {mean.MeanSeconds} is {errors} standard errors from {truth}");
    }

    private static Dictionary<string, AllocationProblem> Load()
    {
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "golden", "golden.json"));
        using var vectors = JsonDocument.Parse(file);
        return vectors
            .RootElement.EnumerateArray()
            .ToDictionary(
                vector => vector.GetProperty("id").GetString()!,
                vector =>
                    JsonSerializer.Deserialize<AllocationProblem>(vector.GetProperty("problem"), StrictJson.Options)!
            );
    }
}
