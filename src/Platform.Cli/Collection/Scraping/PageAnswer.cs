namespace Platform.Cli.Collection.Scraping;

/// <summary>What became of asking for a page.</summary>
internal sealed record PageAnswer
{
    private PageAnswer() { }

    /// <summary>What the page tells; null where it could not be read.</summary>
    public PageReading? Reading { get; private init; }

    /// <summary>Why the page could not be read; null where it could.</summary>
    public string? Fault { get; private init; }

    public static PageAnswer Of(PageReading reading) => new() { Reading = reading };

    public static PageAnswer Failed(string fault) => new() { Fault = fault.ReplaceLineEndings(" ") };
}
