using System.Globalization;
using System.Text;
using Platform.Client;

namespace Platform.Cli.Collection;

/// <summary>What <c>./platform collect</c> says of itself: to a person in a line, to Prometheus as metrics.</summary>
internal sealed class CollectReport(UsageMapping mapping, WindowReporter reporter)
{
    /// <summary>How it stands.</summary>
    public string Line()
    {
        var line = new StringBuilder($"platform: {mapping.Counted} queries counted");
        if (mapping.CountedByOutputTokens is > 0 and var byOutput)
            line.Append(
                CultureInfo.InvariantCulture,
                $" ({byOutput} by their output tokens: they tell no reasoning tokens)"
            );
        if (mapping.LeftOut > 0)
            line.Append(
                CultureInfo.InvariantCulture,
                $"; spans left out: {SpanOutcomes.List(mapping.LeftOutByReason)}"
            );
        line.Append(CultureInfo.InvariantCulture, $"; {SentWindows.Line(reporter)}");
        return line.ToString();
    }

    /// <summary>The same in Prometheus's format.</summary>
    public string Metrics()
    {
        var text = new StringBuilder();
        Describe(text, "platform_collect_spans_total", "counter", "Spans by what became of them.");
        foreach (var outcome in SpanOutcomes.All)
            Append(text, "platform_collect_spans_total", outcome.Label(), mapping.Count(outcome));
        Describe(text, "platform_collect_windows_total", "counter", "Windows by what became of them.");
        Append(text, "platform_collect_windows_total", "sent", reporter.Sent);
        Append(text, "platform_collect_windows_total", "refused", reporter.Refused);
        Append(text, "platform_collect_windows_total", "given-up", reporter.GivenUp);
        Describe(text, "platform_collect_windows_waiting", "gauge", "Windows that wait to be sent.");
        text.Append(CultureInfo.InvariantCulture, $"platform_collect_windows_waiting {reporter.Waiting}\n");
        return text.ToString();
    }

    private static void Append(StringBuilder text, string name, string outcome, long value) =>
        text.Append(CultureInfo.InvariantCulture, $"{name}{{outcome=\"{outcome}\"}} {value}\n");

    private static void Describe(StringBuilder text, string name, string type, string help) =>
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
}
