using System.Text.Json;
using Platform.Domain.Allocation;

namespace Platform.Solver.Allocation;

/// <summary><c>./platform solve</c>: problems in JSON, their solutions in JSON.</summary>
internal static class SolveCommand
{
    public const string Name = "solve";

    public const string Usage = """
        usage: ./platform solve FILE|- [--method METHOD] [--rounding ROUNDING]

        Solves the problem in FILE (- for standard input), or each problem of an array, and writes solutions in JSON.

          --method     newton (default), fixed-point, projected-gradient or accelerated-projected-gradient
          --rounding   exact (default), exchange or nearest: the most that is done about whole tokens

        Exit status: 0 solved, 1 a problem is infeasible, 2 bad usage or input: one line for each fault.
        """;

    /// <summary>Runs the command.</summary>
    /// <param name="words">The words behind its name.</param>
    /// <param name="streams">Where it reads and writes.</param>
    /// <returns>Exit status.</returns>
    /// <exception cref="BadUsage">Bad usage.</exception>
    public static int Run(string[] words, Streams streams)
    {
        var arguments = new ProblemArguments(Name, words, "--method", "--rounding");
        var options = new SolverOptions
        {
            Method = arguments.OneOf(
                "--method",
                "newton",
                "fixed-point",
                "projected-gradient",
                "accelerated-projected-gradient"
            ) switch
            {
                0 => SolverMethod.Newton,
                1 => SolverMethod.FixedPoint,
                2 => SolverMethod.ProjectedGradient,
                _ => SolverMethod.AcceleratedProjectedGradient,
            },
            Rounding = arguments.OneOf("--rounding", "exact", "exchange", "nearest") switch
            {
                0 => RoundingMethod.Exact,
                1 => RoundingMethod.Exchange,
                _ => RoundingMethod.Nearest,
            },
        };
        return ProblemCommand.Run(
            arguments.File,
            ProblemCommand.Read(arguments.File, streams.Input),
            ProblemReader.TryRead,
            problem => ProblemValidation.Validate(problem, options),
            Answer,
            streams
        );

        bool Answer(AllocationProblem problem, Utf8JsonWriter output, JobProgress progress)
        {
            var solution = AllocationSolver.Solve(problem, options);
            SolutionWriter.Write(output, solution);
            progress.Advance(1);
            return solution.Status == SolutionStatus.Optimal;
        }
    }
}
