namespace Platform.Cli.Collection.Scraping;

/// <summary>
/// A metrics page in Prometheus's text format. Lines of OpenMetrics are read too: a timestamp and an exemplar behind
/// the number are passed over.
/// </summary>
internal sealed class MetricsPage
{
    private const int LongestQuotedLine = 60;

    private readonly ILookup<string, MetricSample> _samples;

    private MetricsPage(IEnumerable<MetricSample> samples) =>
        _samples = samples.ToLookup(sample => sample.Name, StringComparer.Ordinal);

    /// <summary>The samples of a name; none where the page does not have it.</summary>
    public IEnumerable<MetricSample> Samples(string name) => _samples[name];

    /// <summary>Reads a page.</summary>
    /// <exception cref="FormatException">The text is no metrics page; the message says where.</exception>
    public static MetricsPage Parse(string text)
    {
        var samples = new List<MetricSample>();
        var number = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            number++;
            var content = line.Trim();
            var isSample = !content.IsEmpty && content[0] != '#';
            if (isSample)
                samples.Add(ReadSample(content.ToString(), number));
        }

        return new MetricsPage(samples);
    }

    private static MetricSample ReadSample(string line, int number)
    {
        if (MetricLine.TryRead(line, out var sample))
            return sample;
        var quoted = line.Length <= LongestQuotedLine ? line : $"{line[..LongestQuotedLine]}…";
        throw new FormatException($"line {number} is none of a metrics page: {quoted}");
    }
}
