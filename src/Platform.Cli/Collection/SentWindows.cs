using System.Globalization;
using System.Text;
using Platform.Client;

namespace Platform.Cli.Collection;

/// <summary>What became of a collection's windows, in words.</summary>
internal static class SentWindows
{
    /// <summary>How many were sent, wait, were refused and given up, and why they wait.</summary>
    public static string Line(WindowReporter reporter)
    {
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"windows: {reporter.Sent} sent, {reporter.Waiting} wait");
        line.Append(CultureInfo.InvariantCulture, $", {reporter.Refused} refused, {reporter.GivenUp} given up");
        if (reporter.Fault is { } fault)
            line.Append(CultureInfo.InvariantCulture, $"; why they wait: {fault.Message.ReplaceLineEndings(" ")}");
        return line.ToString();
    }
}
