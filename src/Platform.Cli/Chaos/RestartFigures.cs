using System.Globalization;

namespace Platform.Cli.Chaos;

/// <summary>A process that was told to stop, and started again.</summary>
/// <param name="Process">Its name.</param>
/// <param name="StopSeconds">From SIGTERM to its end.</param>
/// <param name="StoppedByItself">Whether no SIGKILL was needed.</param>
/// <param name="StartSeconds">From its start until it was ready.</param>
internal sealed record Restart(string Process, double StopSeconds, bool StoppedByItself, double StartSeconds);

/// <summary>What readers of allocations got.</summary>
/// <param name="Answered">Reads that were answered with an allocation, or with 304.</param>
/// <param name="Failed">Reads that neither API answered so.</param>
/// <param name="Repeated">Reads whose first API did not answer, and the other did.</param>
internal sealed record ReadOutcome(int Answered, int Failed, int Repeated);

/// <summary>What <c>bench restart</c> prints.</summary>
internal sealed record RestartFigures
{
    /// <summary>What a graceful stop may take.</summary>
    public const double LongestStopSeconds = 10;

    private const int BarLength = 30;

    public required IReadOnlyList<Restart> Restarts { get; init; }

    /// <summary>The messages.</summary>
    public required ChaosOutcome Messages { get; init; }

    /// <summary>Messages in the queue of those that could not be taken: there should be none.</summary>
    public required int SetAside { get; init; }

    public required ReadOutcome Reads { get; init; }

    public bool Succeeded =>
        Messages is { Lost: 0, Duplicated: 0, Unexpected: 0 }
        && SetAside == 0
        && Reads is { Failed: 0, Answered: > 0 }
        && Restarts.All(it => it.StoppedByItself && it.StopSeconds <= LongestStopSeconds);

    public IEnumerable<string> ToLines()
    {
        yield return "  process     stopped in  ready again in";
        foreach (var it in Restarts)
            yield return Say(
                $"  {it.Process, -10} {it.StopSeconds, 8:0.0} s {it.StartSeconds, 11:0.0} s  {new string('█', (int)Math.Min(BarLength, it.StopSeconds / LongestStopSeconds * BarLength))}{(it.StoppedByItself ? "" : "  killed")}"
            );
        yield return Say(
            $"  {Messages.Attempted} messages sent, {Messages.Acknowledged} acknowledged, {Messages.Stored} stored, {Messages.Lost} lost, {Messages.Duplicated} doubled, {Messages.Unexpected} unexpected, {SetAside} set aside"
        );
        yield return Say(
            $"  {Reads.Answered} reads answered, {Reads.Repeated} of them by the other API, {Reads.Failed} failed"
        );
        yield return Succeeded ? "nothing lost, nothing doubled, no read failed" : "NOT as promised";
    }

    private static string Say(FormattableString line) => line.ToString(CultureInfo.InvariantCulture);
}
