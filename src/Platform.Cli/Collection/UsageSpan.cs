namespace Platform.Cli.Collection;

/// <summary>A span as a collector of usage sees it: when it was, how it ended, and its attributes, those of its resource included.</summary>
/// <param name="Start">Its start, in nanoseconds since 1970.</param>
/// <param name="End">Its end, likewise.</param>
/// <param name="IsFailed">It ended with an error.</param>
/// <param name="Attributes">Text, whole numbers, numbers and truth values by name; the span's own before its resource's.</param>
internal sealed record UsageSpan(ulong Start, ulong End, bool IsFailed, IReadOnlyDictionary<string, object> Attributes)
{
    /// <summary>The text of an attribute; null where there is none.</summary>
    public string? Text(string name) => Attributes.GetValueOrDefault(name) as string;

    /// <summary>The number of an attribute; null where there is none.</summary>
    public double? Number(string name) => Attributes.GetValueOrDefault(name) switch
    {
        long whole => whole,
        double number => number,
        _ => null,
    };
}
