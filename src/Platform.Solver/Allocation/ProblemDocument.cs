using System.Text.Json;
using Platform.Domain.Contracts;

namespace Platform.Solver.Allocation;

/// <summary>Reads an item of a document.</summary>
/// <returns>The item; null where, and only where, the serializer finds a fault.</returns>
internal delegate T? ItemReader<out T>(ReadOnlySpan<byte> utf8);

/// <summary>
/// A JSON document with one item or an array of items. The items stay text until they are needed, so that an array of
/// many problems takes little more memory than its text.
/// </summary>
internal sealed class ProblemDocument<T>
    where T : class
{
    // Enough for the cores to be busy, few enough that their answers take no memory to speak of.
    private const int ItemsAtATime = 512;

    private readonly string _name;
    private readonly ReadOnlyMemory<byte> _text;
    private readonly ItemReader<T> _read;
    private readonly Func<T, IReadOnlyList<InputError>> _validate;

    // Where each item starts and ends. Lists of whole numbers come compiled with the runtime.
    private readonly List<int> _starts = [];
    private readonly List<int> _ends = [];

    /// <summary>Takes a document.</summary>
    /// <param name="name">What people call it: its path, or "standard input".</param>
    /// <param name="text">UTF-8, with a byte order mark or without.</param>
    /// <param name="read">Reads an item.</param>
    /// <param name="validate">An item's faults, with pointers from the item.</param>
    public ProblemDocument(
        string name,
        ReadOnlyMemory<byte> text,
        ItemReader<T> read,
        Func<T, IReadOnlyList<InputError>> validate
    )
    {
        (_name, _read, _validate) = (name, read, validate);
        _text = text.Span is [0xEF, 0xBB, 0xBF, ..] ? text[3..] : text;
        IsArray = _text.Span.TrimStart(" \t\r\n"u8) is [(byte)'[', ..];
    }

    /// <summary>Whether the answer is an array too.</summary>
    public bool IsArray { get; }

    /// <summary>Number of items; known once the document was looked at.</summary>
    public int Count => _starts.Count;

    /// <summary>
    /// Looks at the whole document. Nothing is answered before that, or standard output would hold half an array.
    /// </summary>
    /// <returns>One line for each fault, in the document's order; empty when there is none.</returns>
    public IReadOnlyList<string> Check()
    {
        if (!TryFindItems())
            return [Line(FirstFaultOfShape())];
        var faults = new IReadOnlyList<InputError>?[_starts.Count];
        var shapely = true;
        ForEach(
            0,
            _starts.Count,
            i =>
            {
                if (Item(i) is { } item)
                    faults[i] = _validate(item);
                else
                    shapely = false;
            }
        );
        return shapely ? [.. faults.SelectMany(Lines!)] : [Line(FirstFaultOfShape())];
    }

    /// <summary>Answers each item on all cores and writes the answers in the items' order.</summary>
    /// <param name="answer">Thread-safe; gives JSON.</param>
    /// <param name="output">Where the answers go.</param>
    public void Answer(Func<T, byte[]> answer, Stream output)
    {
        output.Write(IsArray ? "["u8 : ""u8);
        for (var first = 0; first < _starts.Count; first += ItemsAtATime)
        {
            var answers = new byte[Math.Min(ItemsAtATime, _starts.Count - first)][];
            ForEach(first, first + answers.Length, i => answers[i - first] = answer(Item(i)!));
            for (var i = 0; i < answers.Length; i++)
            {
                output.Write(
                    !IsArray ? ""u8
                    : first + i == 0 ? "\n"u8
                    : ",\n"u8
                );
                output.Write(answers[i]);
            }
        }

        output.Write(IsArray ? "\n]\n"u8 : "\n"u8);
    }

    private static void ForEach(int from, int to, Action<int> action)
    {
        if (to - from > 1)
        {
            Parallel.For(from, to, action);
            return;
        }

        // A single item does not wait for the thread pool to come up.
        for (var i = from; i < to; i++)
            action(i);
    }

    private T? Item(int i) => _read(_text.Span[_starts[i].._ends[i]]);

    private bool TryFindItems()
    {
        var reader = new Utf8JsonReader(_text.Span, new JsonReaderOptions { MaxDepth = 64 });
        try
        {
            if (!IsArray)
            {
                _starts.Add(0);
                _ends.Add(_text.Length);
                return true;
            }

            reader.Read();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                _starts.Add((int)reader.TokenStartIndex);
                reader.Skip();
                _ends.Add((int)reader.BytesConsumed);
            }

            // What stands behind the array is a fault that only reading on finds.
            return !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>The whole document read at once gives the fault its pointer and line.</summary>
    private InputError FirstFaultOfShape()
    {
        InputError? error;
        if (!IsArray)
            return StrictJson.TryRead(_text.Span, ProblemJson.Of<T>(), out _, out error)
                ? throw new InvalidOperationException("no fault")
                : error;
        if (!StrictJson.TryRead(_text.Span, ProblemJson.Of<T[]>(), out var items, out error))
            return error;
        return new($"/{Array.IndexOf(items, null)}", "must be an object, not null");
    }

    private IEnumerable<string> Lines(IReadOnlyList<InputError> faults, int i) =>
        faults.Select(fault => Line(IsArray ? fault with { Pointer = $"/{i}{fault.Pointer}" } : fault));

    private string Line(InputError fault) => $"{_name}: {fault}".ReplaceLineEndings(" ");
}
