using System.Numerics;

namespace Platform.Domain.Estimation;

/// <summary>Verdicts pooled over a narrow range of granted tokens.</summary>
/// <param name="Cell">Which cell of <see cref="AccuracyGrid"/>.</param>
/// <param name="TokenTrials">Σ tokens · trials, so that the mean tokens of the cell is exact.</param>
/// <param name="Trials">Queries with a verdict.</param>
/// <param name="Correct">Of these, the correct ones.</param>
internal readonly record struct AccuracyCell(int Cell, UInt128 TokenTrials, UInt128 Trials, UInt128 Correct)
{
    /// <summary>Two parts of the same cell together.</summary>
    public static AccuracyCell operator +(AccuracyCell a, AccuracyCell b) =>
        checked(new(a.Cell, a.TokenTrials + b.TokenTrials, a.Trials + b.Trials, a.Correct + b.Correct));
}

/// <summary>
/// The fixed grid on which verdicts are pooled, so that their number is bounded whatever is published: each number of
/// tokens below 64 is a cell of its own, above that every octave is cut in 32 (cells 3 % wide or less). The cell
/// depends on the tokens alone, hence not on the order in which counts come in.
/// </summary>
internal static class AccuracyGrid
{
    private const int ExactTokens = 64;
    private const int OctaveBits = 5;
    private static readonly int FirstOctave = BitOperations.Log2(ExactTokens);

    /// <summary>Number of cells that the tokens from 0 to 2^63 − 1 fall into.</summary>
    public const int Cells = ExactTokens + ((63 - 6) << OctaveBits);

    /// <summary>The cell of a number of tokens, 0 to <see cref="Cells"/> − 1, nondecreasing in the tokens.</summary>
    /// <param name="tokens">At least 0.</param>
    public static int CellOf(long tokens)
    {
        if (tokens < ExactTokens)
            return (int)tokens;
        var octave = BitOperations.Log2((ulong)tokens);
        var part = (int)(tokens >> (octave - OctaveBits)) & ((1 << OctaveBits) - 1);
        return ExactTokens + ((octave - FirstOctave) << OctaveBits) + part;
    }
}
