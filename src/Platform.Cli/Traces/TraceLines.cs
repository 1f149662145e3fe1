using System.Text;

namespace Platform.Cli.Traces;

/// <summary>
/// The lines of a trace with their numbers. A file that is no trace must not be read into memory whole.
/// </summary>
/// <param name="text">The trace.</param>
/// <param name="faults">Says what is wrong.</param>
internal sealed class TraceLines(TextReader text, TraceFaults faults)
{
    /// <summary>Number of the line that was read last, from 1; 0 before the first.</summary>
    public int Number { get; private set; }

    /// <summary>The next line without its end; null at the end of the trace.</summary>
    /// <param name="longest">Most characters that it may have.</param>
    /// <exception cref="TraceFormatException">It is longer.</exception>
    public string? Next(int longest)
    {
        var line = new StringBuilder();
        var next = text.Read();
        if (next < 0)
            return null;
        Number++;
        for (; next is >= 0 and not '\n'; next = text.Read())
        {
            if (line.Append((char)next).Length > longest)
                throw faults.Of(Number, $"is longer than {longest} characters");
        }

        if (line.Length > 0 && line[^1] == '\r')
            line.Length--;
        return line.ToString();
    }

    /// <summary>The rest of the trace.</summary>
    public string Rest() => text.ReadToEnd();
}
