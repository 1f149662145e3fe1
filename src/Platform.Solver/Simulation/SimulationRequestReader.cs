using System.Text.Json;
using Platform.Domain.Allocation;
using Platform.Solver.Allocation;

namespace Platform.Solver.Simulation;

/// <summary>Reads what <see cref="ProblemReader"/> does, and the tokens beside it.</summary>
internal static class SimulationRequestReader
{
    /// <summary>Reads a request.</summary>
    /// <returns>The request; null where there is a fault.</returns>
    public static SimulationRequest? TryRead(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8);
        try
        {
            return Request(ref reader) is { } request && !reader.Read() ? request : null;
        }
        catch (Exception exception) when (ProblemReader.IsFault(exception))
        {
            return null;
        }
    }

    private static SimulationRequest? Request(ref Utf8JsonReader reader)
    {
        AllocationProblem? problem = null;
        List<long>? tokens = null;
        var seen = 0;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return null;
        while (ProblemReader.NextName(ref reader))
        {
            var known = ProblemReader.Is(ref reader, "problem"u8, 0, ref seen)
                ? (problem = ProblemReader.Problem(ref reader)) is not null
                : ProblemReader.Is(ref reader, "tokens"u8, 1, ref seen) && (tokens = Tokens(ref reader)) is not null;
            if (!known)
                return null;
        }

        return problem is null || tokens is null ? null : new(problem, tokens);
    }

    private static List<long>? Tokens(ref Utf8JsonReader reader)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            return null;
        var tokens = new List<long>();
        while (reader.Read() && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number))
            tokens.Add(number);
        return reader.TokenType == JsonTokenType.EndArray ? tokens : null;
    }
}
