using System.Globalization;

namespace Platform.Cli.Chaos;

/// <summary>A message of the run.</summary>
/// <param name="Segment">The part of the run in which it was sent, which is that of one kill.</param>
/// <param name="Tenant">Its tenant.</param>
/// <param name="MessageId">Its idempotency key.</param>
internal sealed record JournalEntry(int Segment, string Tenant, Guid MessageId);

/// <summary>
/// What a publisher wrote down: each message before it was sent for the first time, or after it was acknowledged for
/// the first time.
/// </summary>
internal sealed class ChaosJournal : IDisposable
{
    private readonly string _path;
    private readonly StreamWriter _file;

    public ChaosJournal(string path)
    {
        _path = path;
        // Each line is with the operating system before the message is on its way: the end of this process would not
        // lose it.
        _file = new StreamWriter(path) { AutoFlush = true };
    }

    /// <summary>Lines written.</summary>
    public int Count { get; private set; }

    public void Write(JournalEntry entry)
    {
        lock (_file)
        {
            _file.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"{entry.Segment} {entry.Tenant} {entry.MessageId}")
            );
            Count++;
        }
    }

    /// <summary>Ends the writing and reads what was written.</summary>
    public IReadOnlyList<JournalEntry> Close()
    {
        _file.Dispose();
        return
        [
            .. File.ReadLines(_path)
                .Select(line => line.Split(' '))
                .Select(it => new JournalEntry(
                    int.Parse(it[0], CultureInfo.InvariantCulture),
                    it[1],
                    Guid.Parse(it[2])
                )),
        ];
    }

    public void Dispose() => _file.Dispose();
}
