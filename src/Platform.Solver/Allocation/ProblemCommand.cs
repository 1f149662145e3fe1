using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Platform.Domain.Contracts;

namespace Platform.Solver.Allocation;

/// <summary>Where a command reads and writes.</summary>
/// <param name="Input">Standard input.</param>
/// <param name="Output">Standard output: machine output alone.</param>
/// <param name="Error">Standard error: what a person reads.</param>
/// <param name="IsTerminal">Whether a person looks at standard error.</param>
internal sealed record Streams(Stream Input, Stream Output, TextWriter Error, bool IsTerminal);

/// <summary>What the commands have in common that answer problems in JSON.</summary>
internal static class ProblemCommand
{
    /// <summary>Exit status: a problem is infeasible.</summary>
    public const int Infeasible = 1;

    /// <summary>Exit status: bad usage or input.</summary>
    public const int BadInput = 2;

    /// <summary>
    /// Runs a command of this process: every failure is one line on standard error and an exit status.
    /// </summary>
    /// <param name="words">The words behind the command's name.</param>
    /// <param name="usage">What <c>--help</c> says.</param>
    /// <param name="run">The command.</param>
    /// <returns>Exit status.</returns>
    public static int RunProcess(string[] words, string usage, Func<string[], Streams, int> run)
    {
        if (words.Any(word => word is "--help" or "-h" or "-?"))
        {
            Console.Out.WriteLine(usage);
            return 0;
        }

        using var output = new BufferedStream(Console.OpenStandardOutput(), 1 << 16);
        var streams = new Streams(Console.OpenStandardInput(), output, Console.Error, !Console.IsErrorRedirected);
        return Guarded(() => run(words, streams), streams.Error);
    }

    /// <summary>Runs a command: every failure is one line and an exit status.</summary>
    public static int Guarded(Func<int> command, TextWriter error)
    {
        try
        {
            return command();
        }
#pragma warning disable CA1031 // The last place before a person: no stack trace passes.
        catch (Exception exception)
        {
            var message =
                exception is BadUsage ? exception.Message : $"something broke in this program: {exception.Message}";
            error.WriteLine($"platform: {message.ReplaceLineEndings(" ")}");
            return BadInput;
        }
#pragma warning restore CA1031
    }

    /// <summary>Reads, checks and answers a document.</summary>
    /// <param name="file">Its path, or <c>-</c>: the name in front of its faults.</param>
    /// <param name="text">What is in it.</param>
    /// <param name="read">Reads an item.</param>
    /// <param name="validate">An item's faults.</param>
    /// <param name="answer">Writes an item's answer, telling its progress, one item in all; says whether there is an
    /// answer. Thread-safe.</param>
    /// <param name="streams">Where to read and write.</param>
    /// <returns>Exit status.</returns>
    public static int Run<T>(
        string file,
        ReadOnlyMemory<byte> text,
        ItemReader<T> read,
        Func<T, IReadOnlyList<InputError>> validate,
        Func<T, Utf8JsonWriter, JobProgress, bool> answer,
        Streams streams
    )
        where T : class
    {
        var document = new ProblemDocument<T>(file == "-" ? "standard input" : file, text, read, validate);
        if (document.Check() is { Count: > 0 } faults)
        {
            foreach (var fault in faults)
                streams.Error.WriteLine(fault);
            return BadInput;
        }

        var feasible = true;
        var progress = new JobProgress(streams.Error, streams.IsTerminal, TimeProvider.System)
        {
            Items = document.Count,
        };
        document.Answer(Answer, streams.Output);
        progress.End();
        return feasible ? 0 : Infeasible;

        byte[] Answer(T item)
        {
            var buffer = new ArrayBufferWriter<byte>(4096);
            var settings = new JsonWriterOptions
            {
                Indented = !document.IsArray,
                Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            };
            using (var writer = new Utf8JsonWriter(buffer, settings))
            {
                if (!answer(item, writer, progress))
                    feasible = false;
            }

            return buffer.WrittenSpan.ToArray();
        }
    }

    /// <summary>Reads the whole input.</summary>
    /// <param name="file">Path, or <c>-</c> for standard input.</param>
    /// <param name="input">Standard input.</param>
    /// <exception cref="BadUsage">It cannot be read.</exception>
    public static byte[] Read(string file, Stream input)
    {
        try
        {
            if (file != "-")
                return File.ReadAllBytes(file);
            using var buffer = new MemoryStream();
            input.CopyTo(buffer);
            return buffer.ToArray();
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new BadUsage($"{file}: {exception.Message}");
        }
    }
}
