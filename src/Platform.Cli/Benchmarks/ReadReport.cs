using System.Globalization;

namespace Platform.Cli.Benchmarks;

/// <summary>How much is read.</summary>
/// <param name="Snapshots">Snapshots that are stored for the second measurement.</param>
/// <param name="Length">Length of each measurement.</param>
/// <param name="Rounds">Measurements of each kind, by turns.</param>
internal sealed record ReadLoad(int Snapshots, TimeSpan Length, int Rounds);

/// <summary>What <c>wrk</c> says of one kind of request: medians over the rounds.</summary>
/// <param name="Name">What is asked for.</param>
/// <param name="Snapshots">Snapshots stored meanwhile.</param>
/// <param name="RequestsPerSecond">Requests a second.</param>
/// <param name="Percentile99Milliseconds">99th percentile of the latency.</param>
/// <param name="OverEmpty">Requests a second over those of the empty endpoint in the same round.</param>
internal sealed record ReadFigures(
    string Name,
    long Snapshots,
    double RequestsPerSecond,
    double Percentile99Milliseconds,
    double OverEmpty
);

/// <summary>What <c>bench read</c> prints.</summary>
/// <param name="BodyBytes">Bytes of the allocation in force.</param>
/// <param name="Figures">Each kind of request, with few and with many snapshots stored.</param>
internal sealed record ReadReport(int BodyBytes, IReadOnlyList<ReadFigures> Figures)
{
    private const int BarLength = 30;

    public IEnumerable<string> ToLines()
    {
        yield return Text(
            $"  12 task types, a body of {BodyBytes} bytes; medians; over the empty endpoint of the same round"
        );
        yield return "  asked for                  snapshots stored  requests/s  99th pct ms  over empty";
        foreach (var it in Figures)
            yield return Text(
                $"  {it.Name, -26} {it.Snapshots, 16} {it.RequestsPerSecond, 11:0} {it.Percentile99Milliseconds, 12:0.00} {it.OverEmpty, 11:0.00}  {Bar(it.OverEmpty)}"
            );
    }

    private static string Bar(double ratio) => new('█', (int)Math.Round(Math.Clamp(ratio, 0, 1.5) * BarLength));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
