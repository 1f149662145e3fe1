using System.Text.Json;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Queueing;
using Platform.Domain.Simulation;
using Platform.Solver.Allocation;

namespace Platform.Solver.Simulation;

/// <summary>
/// <c>./platform simulate</c>: what the formulas predict for an allocation beside what a simulation of the queue sees.
/// </summary>
internal static class SimulateCommand
{
    public const string Name = "simulate";

    public const string Usage = """
        usage: ./platform simulate FILE|- [--arrivals N] [--seed N]

        Solves the problem in FILE (- for standard input), or each problem of an array, simulates the allocation with
        Poisson arrivals, and writes predicted and simulated figures in JSON. An object
        {"problem": ..., "tokens": [...]} gives the tokens of each task type instead, in the problem's order.

        With "dispatch": "split" or "shared" the simulated servers have FIFO queues. With "sharing" they batch,
        iteration by iteration: an iteration makes a token for each query in service, and takes the overhead and what
        each of these queries adds to it. The formulas serve tokens like a fluid, but a simulated query waits for the
        iteration that runs when it comes: differences of about 1 % are no fault.

          --arrivals   queries to simulate, 1000000 by default; the first tenth is not measured
          --seed       equal seeds give equal answers; 1 by default

        A long simulation tells its progress on standard error.

        Exit status: 0 simulated, 1 a problem is infeasible, 2 bad usage or input: one line for each fault.
        """;

    // Some hours of one core; beyond that a slip of the finger is likelier.
    private const ulong MostArrivals = 1_000_000_000_000;

    /// <summary>Runs the command.</summary>
    /// <param name="words">The words behind its name.</param>
    /// <param name="streams">Where it reads and writes.</param>
    /// <returns>Exit status.</returns>
    /// <exception cref="BadUsage">Bad usage.</exception>
    public static int Run(string[] words, Streams streams)
    {
        var arguments = new ProblemArguments(Name, words, "--arrivals", "--seed");
        var options = new SimulationOptions
        {
            Arrivals = (long)arguments.WholeNumber("--arrivals", 1_000_000, 1, MostArrivals),
            Seed = arguments.WholeNumber("--seed", 1, 0, ulong.MaxValue),
        };
        var text = ProblemCommand.Read(arguments.File, streams.Input);
        return GivesTokens(text)
            ? ProblemCommand.Run(arguments.File, text, SimulationRequestReader.TryRead, Validate, AnswerGiven, streams)
            : ProblemCommand.Run(arguments.File, text, ProblemReader.TryRead, ProblemFaults, AnswerSolved, streams);

        bool AnswerSolved(AllocationProblem problem, Utf8JsonWriter output, JobProgress progress)
        {
            var solution = AllocationSolver.Solve(problem);
            if (solution.Status == SolutionStatus.Infeasible)
            {
                JsonSerializer.Serialize(output, solution, ProblemJson.Of<AllocationSolution>());
                progress.Advance(1);
                return false;
            }

            return AnswerGiven(new(problem, [.. solution.Allocation!.Select(type => type.Tokens)]), output, progress);
        }

        bool AnswerGiven(SimulationRequest request, Utf8JsonWriter output, JobProgress progress)
        {
            var reported = 0L;
            var answer = Simulate(request, options with { Progress = Report });
            JsonSerializer.Serialize(output, answer, ProblemJson.Of<SimulationAnswer>());
            return true;

            void Report(long arrived)
            {
                progress.Advance((arrived - reported) / (double)options.Arrivals);
                reported = arrived;
            }
        }
    }

    private static SimulationAnswer Simulate(SimulationRequest request, SimulationOptions options)
    {
        var predicted = Predict(request);
        var simulated = QueueSimulator.Simulate(request.Problem, [.. request.Tokens], options);
        return new()
        {
            Status = SolutionStatus.Optimal,
            Tokens = request.Tokens,
            Predicted = predicted,
            Simulated = simulated,
            RelativeDifference = RelativeDifference(request, predicted, simulated),
            PredictionInInterval = IsInInterval(predicted.MeanSystemTimeSeconds, simulated.SystemTime),
            Seed = options.Seed,
        };
    }

    private static bool? IsInInterval(double? predictedSeconds, SimulatedMean simulated)
    {
        if (predictedSeconds is null || simulated.LowSeconds is null)
            return null;
        return predictedSeconds >= simulated.LowSeconds && predictedSeconds <= simulated.HighSeconds;
    }

    private static double? RelativeDifference(
        SimulationRequest request,
        PredictedFigures predicted,
        SimulationResult simulated
    )
    {
        if (request.Problem.Dispatch != Dispatch.Sharing || predicted.MeanSystemTimeSeconds is not > 0)
            return null;
        return (simulated.SystemTime.MeanSeconds / predicted.MeanSystemTimeSeconds) - 1;
    }

    private static PredictedFigures Predict(SimulationRequest request)
    {
        if (request.Problem.Dispatch == Dispatch.Sharing)
            return SharingPrediction.Of(request.Problem, request.Tokens);
        var (problem, tokens) = (request.Problem, request.Tokens);
        var service = ServiceMoments.OfMixture(
            [.. problem.TaskTypes.Select(type => type.Share)],
            [.. problem.TaskTypes.Select((type, k) => type.Service.SecondsAt(tokens[k]))],
            [.. problem.TaskTypes.Select(type => type.Service.VarianceSecondsSquared)]
        );
        var rate = MG1.SplitArrivalRate(problem.ArrivalRate, problem.Servers);
        var shared = problem is { Dispatch: Dispatch.Shared, Servers: > 1 };
        var wait = shared
            ? MGk.MeanWaitSeconds(problem.ArrivalRate, problem.Servers, service)
            : MG1.MeanWaitSeconds(rate, service);
        return new()
        {
            MeanSystemTimeSeconds = double.IsFinite(wait) ? service.MeanSeconds + wait : null,
            MeanWaitSeconds = double.IsFinite(wait) ? wait : null,
            MeanServiceSeconds = service.MeanSeconds,
            Utilization = MG1.Utilization(rate, service),
            Approximation = shared ? QueueingApproximation.LeeLongton : null,
        };
    }

    /// <summary>
    /// Whether the document, or the first item of its array, begins as a <see cref="SimulationRequest"/>.
    /// </summary>
    private static bool GivesTokens(ReadOnlySpan<byte> text)
    {
        var options = new JsonReaderOptions { MaxDepth = StrictJson.MaxDepth };
        var reader = new Utf8JsonReader(text.TrimStart("\uFEFF"u8), options);
        try
        {
            while (reader.Read() && reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject) { }

            if (reader.TokenType != JsonTokenType.PropertyName)
                return false;
            return reader.ValueTextEquals("problem") || reader.ValueTextEquals("tokens");
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static IReadOnlyList<InputError> ProblemFaults(AllocationProblem problem) =>
        ProblemValidation.Validate(problem);

    private static IReadOnlyList<InputError> Validate(SimulationRequest request)
    {
        var (problem, tokens) = (request.Problem, request.Tokens);
        var faults = ProblemFaults(problem);
        var errors = faults.Select(error => error with { Pointer = $"/problem{error.Pointer}" }).ToList();
        if (problem.TaskTypes is { Count: var count } && tokens.Count != count)
            errors.Add(new("/tokens", $"must be {count} numbers, one for each task type, not {tokens.Count}"));
        for (var k = 0; k < tokens.Count; k++)
        {
            if (tokens[k] is < 0 or > ProblemValidation.MaxTokens)
                errors.Add(new($"/tokens/{k}", $"must be 0 to {ProblemValidation.MaxTokens}"));
        }

        return errors;
    }
}
