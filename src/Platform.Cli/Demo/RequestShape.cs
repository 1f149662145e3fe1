using Platform.Cli.Traces;

namespace Platform.Cli.Demo;

/// <summary>
/// What a trace shows of a request's kind: the length of its prompt and of its answer, no more. A task type of a demo
/// fleet takes one or several of these shapes: a short prompt with a long answer is most like a chat or a composition,
/// a long prompt with a brief answer most like a question about documents or a code completion in a large file.
/// </summary>
internal enum RequestShape
{
    ShortBrief,
    ShortLong,
    MediumBrief,
    MediumLong,
    LongBrief,
    LongLong,
}

internal static class RequestShapes
{
    /// <summary>
    /// From it on a prompt holds more than a question and its setting: the lower third of the Azure conversation trace
    /// lies below.
    /// </summary>
    private const int MediumContext = 512;

    /// <summary>Above it a prompt holds documents or files: the upper sixth of both Azure traces.</summary>
    private const int LongContext = 2_048;

    /// <summary>
    /// Up to it an answer is brief: a third of the conversation trace, nine tenths of the code trace.
    /// </summary>
    private const int BriefAnswer = 100;

    /// <summary>Number of shapes.</summary>
    public const int Count = 6;

    /// <summary>The shape of a request.</summary>
    public static RequestShape Of(TraceRequest request)
    {
        var brief = request.GeneratedTokens <= BriefAnswer;
        return request.ContextTokens switch
        {
            < MediumContext => brief ? RequestShape.ShortBrief : RequestShape.ShortLong,
            <= LongContext => brief ? RequestShape.MediumBrief : RequestShape.MediumLong,
            _ => brief ? RequestShape.LongBrief : RequestShape.LongLong,
        };
    }
}
