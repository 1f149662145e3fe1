namespace Platform.Cli.Collection.Scraping;

/// <summary>The running totals that are read from a server's page. Those of times are in seconds.</summary>
internal enum PageFigure
{
    /// <summary>Queries that ended, however they did.</summary>
    Finished,

    /// <summary>Queries with a time from arrival to end.</summary>
    Ended,

    /// <summary>Their times from arrival to end.</summary>
    SystemSeconds,

    /// <summary>Queries with a wait before they ran.</summary>
    Waited,

    /// <summary>Their waits.</summary>
    WaitSeconds,

    /// <summary>Queries with a time in which they ran.</summary>
    Served,

    /// <summary>Their times.</summary>
    ServiceSeconds,

    /// <summary>Times that a query was put back among those that wait after it had begun to run.</summary>
    Preemptions,

    /// <summary>Tokens that were generated.</summary>
    GeneratedTokens,

    /// <summary>Tokens of prompts.</summary>
    PromptTokens,

    /// <summary>Queries with a first token.</summary>
    FirstTokens,

    /// <summary>Their times from arrival to the first token.</summary>
    FirstTokenSeconds,

    /// <summary>Tokens after the first.</summary>
    TokenGaps,

    /// <summary>Their times since the token before.</summary>
    TokenGapSeconds,
}
