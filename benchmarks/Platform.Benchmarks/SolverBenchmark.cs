using System.Diagnostics;
using System.Text.Json;
using Platform.Domain.Allocation;

namespace Platform.Benchmarks;

/// <summary>
/// <c>./platform bench solver</c>: the default method against one plain evaluation of objective and gradient, against
/// the other methods and against a general optimiser. Times are compared within one run only.
/// </summary>
internal static class SolverBenchmark
{
    private const int Fleets = 100_000;
    private const int SharingFleets = 6;

    // By how much the marginal work of a token differs between types, and queries in service at most.
    private const double Near = 0.3;
    private const int Cap = 64;

    // A baseline that is not done by then, and by so many times the default method's time, is reported as "> x".
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(4);
    private const double LeastTimes = 150;
    private static readonly int[] Sizes = [1, 6, 12, 100, 10_000, 1_000_000];
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private static readonly SolverMethod[] Others =
    [
        SolverMethod.FixedPoint,
        SolverMethod.ProjectedGradient,
        SolverMethod.AcceleratedProjectedGradient,
    ];

    /// <summary>Runs all and prints the figures.</summary>
    /// <param name="output">Receives the figures.</param>
    /// <param name="progress">Receives a line before each part.</param>
    /// <param name="json">Whether the figures are written as JSON.</param>
    /// <returns>The exit status: 0.</returns>
    public static int Run(TextWriter output, TextWriter progress, bool json)
    {
        var rows = new List<Row>();
        foreach (var types in Sizes)
        {
            progress.WriteLine($"N = {types:N0} ...");
            rows.Add(Measure(new GeneratedFleet(types, 5)));
            GC.Collect();
        }

        progress.WriteLine($"{Fleets:N0} fleets of 12 types ...");
        var (limited, branched) = WholeLimited();
        var report = new Report(rows, Whole(), limited, branched, Bulk(), Environment.ProcessorCount)
        {
            SharingAgainstSplit = SharingAgainstSplit(),
        };
        if (json)
            output.WriteLine(JsonSerializer.Serialize(report, Json));
        else
            Print(output, report);
        return 0;
    }

    private static Row Measure(GeneratedFleet fleet)
    {
        var solver = new BulkSolver(fleet.Count);
        var optimum = solver.Solve(fleet.Columns(), fleet.Tokens);
        var plain = Seconds(() => fleet.Evaluate(fleet.Tokens, fleet.Gradient));
        var newton = Seconds(() => solver.Solve(fleet.Columns(), fleet.Tokens));
        var before = GC.GetAllocatedBytesForCurrentThread();
        solver.Solve(fleet.Columns(), fleet.Tokens);
        var bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        var model = new AllocationModel(fleet.Problem());
        var others = Others.Select(method => Against(model, method, newton, plain)).ToList();
        others.Add(AgainstBfgs(fleet, optimum.Objective, newton));
        return new(fleet.Count, newton / plain, optimum.Iterations, optimum.OptimalityGap, bytes, others)
        {
            Sharing = Sharing(fleet, model),
        };
    }

    /// <summary>The continuous optimum where servers share over that of split dispatch, with the same types.</summary>
    private static List<SharingRatio> Sharing(GeneratedFleet fleet, AllocationModel split)
    {
        var seconds = Seconds(() => split.Method().Solve());
        return
        [
            Ratio("sharing, common costs", fleet.Sharing(0, null)),
            Ratio("sharing, near costs", fleet.Sharing(Near, null)),
            Ratio("sharing, common costs, a cap", fleet.Sharing(0, Cap)),
            Ratio("sharing, near costs, a cap", fleet.Sharing(Near, Cap)),
        ];

        SharingRatio Ratio(string name, AllocationProblem problem)
        {
            var model = new AllocationModel(problem);
            var method = model.Method();
            var gap = method.Solve().Gap;
            return new(name, Seconds(() => model.Method().Solve()) / seconds, method.Sweeps, gap);
        }
    }

    private static Ratio Against(AllocationModel model, SolverMethod method, double newton, double plain)
    {
        // An iteration costs two plain evaluations and more.
        var limit = Math.Max(Limit.TotalSeconds, LeastTimes * newton);
        var most = (int)Math.Clamp(limit / (2 * plain), 2, 2_000_000);
        var options = new SolverOptions { Method = method, MaxIterations = most };
        SolverExit Solve() =>
            method == SolverMethod.FixedPoint
                ? new FixedPoint(model).Solve(options).Exit
                : new ProjectedGradient(model).Solve(options).Exit;
        var watch = Stopwatch.GetTimestamp();
        var exit = Solve();
        var seconds = Stopwatch.GetElapsedTime(watch).TotalSeconds;
        if (seconds < 0.2)
            seconds = Seconds(() => Solve());
        var name = JsonSerializer.Serialize(method, Domain.Contracts.StrictJson.Options).Trim('"');
        return new(
            name,
            seconds / newton,
            exit == SolverExit.Converged,
            exit == SolverExit.Stalled ? "stalled: no step improves the point any more" : null
        );
    }

    private static Ratio AgainstBfgs(GeneratedFleet fleet, double optimum, double newton)
    {
        if (fleet.Count > BoundedBfgs.MostTypes)
            return new("MathNet BFGS-B", null, false, "not run: it holds N² numbers");
        var watch = Stopwatch.GetTimestamp();
        var (objective, ended) = BoundedBfgs.Maximise(fleet, Limit);
        var seconds = Stopwatch.GetElapsedTime(watch).TotalSeconds;
        if (seconds < 0.2)
            seconds = Seconds(() => BoundedBfgs.Maximise(fleet, Limit));
        var lacks = (optimum - objective) / (1 + Math.Abs(optimum));
        var note = lacks > 1e-9 ? $"{(ended ? "ended" : "cut off")} {lacks:E1} of the objective short" : null;
        return new("MathNet BFGS-B", seconds / newton, note is null, note);
    }

    // The best of several, each long enough for the clock: what other work on the machine adds is not the method's.
    private static double Seconds(Action work, double atLeast = 0.7, int leastTimes = 1)
    {
        var times = 0;
        work();
        var (best, begun, count) = (double.PositiveInfinity, Stopwatch.GetTimestamp(), 1);
        do
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < count; i++)
                work();
            var elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (elapsed < 1e-3)
            {
                count *= 2;
                continue;
            }

            best = Math.Min(best, elapsed / count);
            times++;
        } while (times < leastTimes || Stopwatch.GetElapsedTime(begun).TotalSeconds < atLeast);
        return best;
    }

    /// <summary>
    /// The whole answer to a problem of 12 types over its continuous optimum: whole tokens with proof, uniform budget,
    /// all figures.
    /// </summary>
    private static double Whole()
    {
        var fleet = new GeneratedFleet(12, 5);
        var (problem, solver) = (fleet.Problem(), new BulkSolver(12));
        return Seconds(() => AllocationSolver.Solve(problem))
            / Seconds(() => solver.Solve(fleet.Columns(), fleet.Tokens));
    }

    /// <summary>
    /// The whole answer where the mean system time must be a fifth shorter than at the optimum over the same without
    /// that limit; and by branch and bound alone.
    /// </summary>
    private static (double Limited, double Branched) WholeLimited()
    {
        var problem = new GeneratedFleet(12, 5).Problem();
        var limited = Limited(problem);
        var free = Seconds(() => AllocationSolver.Solve(problem));
        return (
            Seconds(() => AllocationSolver.Solve(limited)) / free,
            Seconds(() => AllocationSolver.Solve(limited, AllocationSolver.Versions["dual-newton/3"])) / free
        );
    }

    /// <summary>
    /// Problems of 12 types where servers share over split dispatch of the same types, summed over some fleets; where a
    /// limit binds, over split dispatch with a limit that binds as well.
    /// </summary>
    private static List<SharingTimes> SharingAgainstSplit()
    {
        // Other work on the machine can take up all of so short a time.
        const double Brief = 0.3;
        const int BriefTimes = 60;
        GeneratedFleet[] fleets = [.. Enumerable.Range(5, SharingFleets).Select(seed => new GeneratedFleet(12, seed))];
        var split = Measured(fleet => fleet.Problem());
        var limited = Measured(fleet => Limited(fleet.Problem()));
        return
        [
            Over("common costs", split, fleet => fleet.Sharing(0, null)),
            Over("near costs", split, fleet => fleet.Sharing(Near, null)),
            Over("common costs, a cap", split, fleet => fleet.Sharing(0, Cap)),
            Over("near costs, a cap", split, fleet => fleet.Sharing(Near, Cap)),
            Over("common costs, a limit binds", limited, fleet => Limited(fleet.Sharing(0, null))),
            Over("near costs, a limit binds", limited, fleet => Limited(fleet.Sharing(Near, null))),
            Over("common costs, a cap, a limit binds", limited, fleet => Limited(fleet.Sharing(0, Cap))),
            Over("near costs, a cap, a limit binds", limited, fleet => Limited(fleet.Sharing(Near, Cap))),
        ];

        (double Continuous, double Decision, double Whole) Measured(Func<GeneratedFleet, AllocationProblem> problem)
        {
            AllocationProblem[] problems = [.. fleets.Select(problem)];
            AllocationModel[] models = [.. problems.Select(it => new AllocationModel(it))];
            return (
                models.Sum(model => Seconds(() => model.Method().Solve(), Brief, BriefTimes)),
                problems.Sum(it => Seconds(() => AllocationSolver.SolveInSteps(it), Brief, BriefTimes)),
                problems.Sum(it => Seconds(() => AllocationSolver.Solve(it), Brief, BriefTimes))
            );
        }

        SharingTimes Over(
            string name,
            (double Continuous, double Decision, double Whole) of,
            Func<GeneratedFleet, AllocationProblem> problem
        )
        {
            var (continuous, decision, whole) = Measured(problem);
            return new(name, continuous / of.Continuous, decision / of.Decision, whole / of.Whole);
        }
    }

    /// <summary>With a mean system time a fifth shorter than at the optimum without a limit.</summary>
    private static AllocationProblem Limited(AllocationProblem problem) =>
        problem with
        {
            MaxMeanSystemTimeSeconds = 0.8 * AllocationSolver.Solve(problem).MeanSystemTimeSeconds,
        };

    private static double Bulk()
    {
        var fleets = Enumerable.Range(0, 1_000).Select(seed => new GeneratedFleet(12, seed)).ToArray();
        void Solve(int from, int to)
        {
            var (solver, tokens) = (new BulkSolver(12), new double[12]);
            for (var i = from; i < to; i++)
                solver.Solve(fleets[i % fleets.Length].Columns(GeneratedFleet.Rate * (1 - (1e-6 * i))), tokens);
        }

        Solve(0, fleets.Length);
        var (workers, start) = (Environment.ProcessorCount, Stopwatch.GetTimestamp());
        Parallel.For(
            0,
            workers,
            worker => Solve(Fleets / workers * worker, worker == workers - 1 ? Fleets : Fleets / workers * (worker + 1))
        );
        return Fleets / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Print(TextWriter output, Report report)
    {
        output.WriteLine(
            "times over that of the default method, to a certified gap of 1e-9 of the objective; \"> x\": not there when cut off"
        );
        output.WriteLine($"{"types", 9} {"over one evaluation", 20} {"sweeps", 7} {"bytes", 6}");
        foreach (var row in report.Sizes)
        {
            output.WriteLine($"{row.Types, 9} {row.OverOneEvaluation, 20:F1} {row.Sweeps, 7} {row.BytesPerSolve, 6}");
            foreach (var other in row.Others)
                output.WriteLine(
                    $"{"", 10}{other.Method, -32} {(other.Arrived || other.Times is null ? "" : "> ")}{other.Times:N1} {other.Note}"
                );
            foreach (var sharing in row.Sharing)
                output.WriteLine(
                    $"{"", 10}{sharing.Name, -32} {sharing.OverSplit:N2} x split, {sharing.Sweeps} sweeps"
                );
        }

        output.WriteLine(
            $"whole answer for 12 types (proven whole tokens, uniform budget, figures): {report.WholeAnswer:F1} x its continuous optimum"
        );
        output.WriteLine(
            $"the same with a limit that binds: {report.WholeAnswerLimited:F1} x; by branch and bound alone: {report.WholeAnswerBranched:F1} x"
        );
        output.WriteLine(
            $"12 types where servers share over split dispatch, {SharingFleets} fleets: "
                + "optimum, allocation with proof, whole answer"
        );
        foreach (var sharing in report.SharingAgainstSplit)
        {
            var times = $"{sharing.Continuous, 5:F2} {sharing.Decision, 5:F2} {sharing.Whole, 5:F2}";
            output.WriteLine($"{"", 10}{sharing.Name, -36} {times}");
        }

        output.WriteLine(
            $"{Fleets:N0} fleets of 12 types on {report.Cores} cores: {report.FleetsPerSecond:N0} fleets a second"
        );
    }

    internal sealed record Ratio(string Method, double? Times, bool Arrived, string? Note);

    internal sealed record Row(
        int Types,
        double OverOneEvaluation,
        int Sweeps,
        double OptimalityGap,
        long BytesPerSolve,
        IReadOnlyList<Ratio> Others
    )
    {
        /// <summary>Servers that share, over split dispatch.</summary>
        public required IReadOnlyList<SharingRatio> Sharing { get; init; }
    }

    internal sealed record SharingRatio(string Name, double OverSplit, int Sweeps, double OptimalityGap);

    internal sealed record Report(
        IReadOnlyList<Row> Sizes,
        double WholeAnswer,
        double WholeAnswerLimited,
        double WholeAnswerBranched,
        double FleetsPerSecond,
        int Cores
    )
    {
        /// <summary>Problems of 12 types where servers share, over split dispatch.</summary>
        public required IReadOnlyList<SharingTimes> SharingAgainstSplit { get; init; }
    }

    /// <summary>Times over those of split dispatch.</summary>
    /// <param name="Name">What kind of problem.</param>
    /// <param name="Continuous">Of the continuous optimum.</param>
    /// <param name="Decision">Of the allocation of whole tokens, with its proof: what a worker computes.</param>
    /// <param name="Whole">Of the whole answer: with the best single budget and the diagnostics.</param>
    internal sealed record SharingTimes(string Name, double Continuous, double Decision, double Whole);
}
