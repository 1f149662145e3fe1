using System.Text.Json;
using Platform.Domain.Allocation;

namespace Platform.Solver.Allocation;

/// <summary>
/// Writes the solutions of everyday, the default method's, without the serializer, whose start takes longer than to
/// solve a problem. Byte for byte what <see cref="Domain.Contracts.StrictJson"/> writes, and the tests hold it to that;
/// the serializer writes the others.
/// </summary>
internal static class SolutionWriter
{
    /// <summary>Writes a solution.</summary>
    public static void Write(Utf8JsonWriter output, AllocationSolution solution)
    {
        if (
            solution
            is not {
                Status: SolutionStatus.Optimal,
                Diagnostics: { Method: SolverMethod.Newton, Approximation: null, FixedPoint: null }
            }
        )
        {
            JsonSerializer.Serialize(output, solution, ProblemJson.Of<AllocationSolution>());
            return;
        }

        output.WriteStartObject();
        output.WriteString("status"u8, "optimal"u8);
        WriteFigures(output, solution);
        output.WriteStartArray("allocation"u8);
        foreach (var type in solution.Allocation!)
            WriteType(output, type);
        output.WriteEndArray();
        WriteCertificates(output, solution);
        WriteDiagnostics(output, solution.Diagnostics);
        output.WriteEndObject();
    }

    private static void WriteFigures(Utf8JsonWriter output, AllocationSolution solution)
    {
        WriteIfAny(output, "objective"u8, solution.Objective);
        WriteIfAny(output, "meanAccuracy"u8, solution.MeanAccuracy);
        WriteIfAny(output, "weightedAccuracy"u8, solution.WeightedAccuracy);
        WriteIfAny(output, "meanSystemTimeSeconds"u8, solution.MeanSystemTimeSeconds);
        WriteIfAny(output, "utilization"u8, solution.Utilization);
        WriteIfAny(output, "meanServiceSeconds"u8, solution.MeanServiceSeconds);
        WriteIfAny(output, "meanServiceSecondsSquared"u8, solution.MeanServiceSecondsSquared);
        WriteIfAny(output, "meanTokens"u8, solution.MeanTokens);
        WriteIfAny(output, "meanInService"u8, solution.MeanInService);
        WriteIfAny(output, "meanWaitSeconds"u8, solution.MeanWaitSeconds);
        WriteIfAny(output, "interTokenSeconds"u8, solution.InterTokenSeconds);
        WriteIfAny(output, "meanTimeToFirstAnswerTokenSeconds"u8, solution.MeanTimeToFirstAnswerTokenSeconds);
    }

    private static void WriteType(Utf8JsonWriter output, TaskAllocation type)
    {
        output.WriteStartObject();
        output.WriteString("taskType"u8, type.TaskType);
        output.WriteNumber("tokens"u8, type.Tokens);
        output.WriteNumber("tokensContinuous"u8, type.TokensContinuous);
        output.WriteNumber("accuracy"u8, type.Accuracy);
        output.WriteNumber("serviceSeconds"u8, type.ServiceSeconds);
        output.WriteString(
            "bound"u8,
            type.Bound switch
            {
                TokenBound.None => "none"u8,
                TokenBound.Lower => "lower"u8,
                _ => "max"u8,
            }
        );
        WriteIfAny(output, "systemSeconds"u8, type.SystemSeconds);
        WriteIfAny(output, "timeToFirstAnswerTokenSeconds"u8, type.TimeToFirstAnswerTokenSeconds);
        output.WriteEndObject();
    }

    private static void WriteCertificates(Utf8JsonWriter output, AllocationSolution solution)
    {
        var (continuous, rounding, prices) = (solution.Continuous!, solution.Rounding!, solution.ShadowPrices!);
        output.WriteStartObject("continuous"u8);
        output.WriteNumber("objective"u8, continuous.Objective);
        output.WriteNumber("kktResidual"u8, continuous.KktResidual);
        output.WriteNumber("optimalityGap"u8, continuous.OptimalityGap);
        output.WriteEndObject();
        output.WriteStartObject("rounding"u8);
        output.WriteString(
            "method"u8,
            rounding.Method switch
            {
                RoundingMethod.Nearest => "nearest"u8,
                RoundingMethod.Exchange => "exchange"u8,
                _ => "exact"u8,
            }
        );
        output.WriteNumber("loss"u8, rounding.Loss);
        output.WriteNumber("lossBound"u8, rounding.LossBound);
        output.WriteBoolean("provenOptimal"u8, rounding.ProvenOptimal);
        WriteIfAny(output, "nearestObjective"u8, rounding.NearestObjective);
        output.WriteEndObject();
        output.WriteStartObject("shadowPrices"u8);
        output.WriteNumber("meanTokenBudget"u8, prices.MeanTokenBudget);
        output.WriteNumber("maxMeanSystemTime"u8, prices.MaxMeanSystemTime);
        output.WriteNumber("maxUtilization"u8, prices.MaxUtilization);
        WriteIfAny(output, "maxInterTokenSeconds"u8, prices.MaxInterTokenSeconds);
        WriteIfAny(output, "maxTimeToFirstAnswerTokenSeconds"u8, prices.MaxTimeToFirstAnswerTokenSeconds);
        output.WriteEndObject();
        if (solution.Uniform is not { } uniform)
            return;
        output.WriteStartObject("uniform"u8);
        output.WriteNumber("tokens"u8, uniform.Tokens);
        output.WriteNumber("objective"u8, uniform.Objective);
        output.WriteEndObject();
    }

    private static void WriteDiagnostics(Utf8JsonWriter output, SolverDiagnostics diagnostics)
    {
        output.WriteStartObject("diagnostics"u8);
        output.WriteString("method"u8, "newton"u8);
        output.WriteNumber("iterations"u8, diagnostics.Iterations);
        WriteOrNull(output, "contractionModulus"u8, diagnostics.ContractionModulus);
        WriteOrNull(output, "gradientLipschitz"u8, diagnostics.GradientLipschitz);
        output.WriteString(
            "exit"u8,
            diagnostics.Exit switch
            {
                SolverExit.Converged => "converged"u8,
                SolverExit.IterationLimit => "iterationLimit"u8,
                _ => "stalled"u8,
            }
        );
        if (diagnostics.Sensitivities is { } sensitivities)
        {
            output.WriteStartObject("sensitivities"u8);
            output.WriteNumber("objectivePerArrivalRate"u8, sensitivities.ObjectivePerArrivalRate);
            output.WriteNumber("objectivePerAccuracyWeight"u8, sensitivities.ObjectivePerAccuracyWeight);
            output.WriteEndObject();
        }

        WriteIfAny(output, "leastCurvature"u8, diagnostics.LeastCurvature);
        WriteIfAny(output, "nearestLossBefore"u8, diagnostics.NearestLossBefore);
        WriteIfAny(output, "nearestLossAfter"u8, diagnostics.NearestLossAfter);
        output.WriteEndObject();
    }

    private static void WriteIfAny(Utf8JsonWriter output, ReadOnlySpan<byte> name, double? number)
    {
        if (number is { } value)
            output.WriteNumber(name, value);
    }

    private static void WriteOrNull(Utf8JsonWriter output, ReadOnlySpan<byte> name, double? number)
    {
        if (number is { } value)
            output.WriteNumber(name, value);
        else
            output.WriteNull(name);
    }
}
