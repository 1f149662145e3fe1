namespace Platform.Cli.Collection.Scraping;

/// <summary>One line of a metrics page: a number of a series.</summary>
/// <param name="Name">The name, such as <c>vllm:num_requests_running</c>.</param>
/// <param name="Labels">The labels, by name.</param>
/// <param name="Value">The number, which may be infinite or none.</param>
internal sealed record MetricSample(string Name, IReadOnlyDictionary<string, string> Labels, double Value)
{
    /// <summary>The labels as one text, whatever order the page has them in.</summary>
    public string LabelKey => KeyOf(Labels);

    /// <summary>Some labels as one text, whatever order the page has them in.</summary>
    public static string KeyOf(IEnumerable<KeyValuePair<string, string>> labels) =>
        string.Join(
            '\n',
            labels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}={label.Value}")
        );
}
