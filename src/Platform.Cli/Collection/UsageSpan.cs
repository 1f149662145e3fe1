using System.Globalization;

namespace Platform.Cli.Collection;

/// <summary>
/// A span as a collector of usage sees it: when it was, how it ended, and its attributes, those of its resource
/// included.
/// </summary>
/// <param name="Start">Its start, in nanoseconds since 1970; 0 where it tells none.</param>
/// <param name="End">Its end, likewise.</param>
/// <param name="IsFailed">It ended with an error.</param>
/// <param name="Attributes">Text, whole numbers, numbers and truth values by name; the span's own before its
/// resource's.</param>
internal sealed record UsageSpan(ulong Start, ulong End, bool IsFailed, IReadOnlyDictionary<string, object> Attributes)
{
    /// <summary>Stands for a span of a request whose bytes make no sense, while those around it do.</summary>
    public static readonly UsageSpan Unreadable = new(0, 0, IsFailed: false, new Dictionary<string, object>());

    /// <summary>Its name.</summary>
    public string Name { get; init; } = "";

    /// <summary>Whether it has an attribute, of whatever kind.</summary>
    public bool Has(string name) => Attributes.ContainsKey(name);

    /// <summary>The text of an attribute; null where there is none.</summary>
    public string? Text(string name) => Attributes.GetValueOrDefault(name) as string;

    /// <summary>The number of an attribute, which may be written as text; null where there is none.</summary>
    public double? Number(string name) =>
        Attributes.GetValueOrDefault(name) switch
        {
            long whole => whole,
            double number => number,
            string text => ParsedNumber(text),
            _ => null,
        };

    private static double? ParsedNumber(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
}
