using Platform.Client;
using Platform.Domain.Contracts;

namespace Platform.Cli.Demo;

/// <summary>One sending of a message.</summary>
/// <param name="Fleet">Index of the fleet in the workload.</param>
/// <param name="Message">The message.</param>
/// <param name="IsRepeat">Whether it was sent before.</param>
internal sealed record Sending(int Fleet, WindowMessage Message, bool IsRepeat);

/// <summary>
/// Windows on their way out: each waits a while, so that they overtake one another, and some are sent again later, as
/// publishers do that retry. The platform must not care.
/// </summary>
/// <param name="length">Length of the trace: a window slips by up to a 60th of it, and is sent again within a
/// 12th.</param>
/// <param name="seed">Seed of ids, slips and repeats.</param>
internal sealed class SendingQueue(TimeSpan length, int seed)
{
    /// <summary>Part of the messages that are sent twice.</summary>
    private const double Repeated = 0.05;

    private readonly Random _random = new(seed);
    private readonly PriorityQueue<Sending, TimeSpan> _waiting = new();

    public bool IsEmpty => _waiting.Count == 0;

    /// <summary>Takes a window that has ended, with a message id of its own.</summary>
    public void Add(int fleet, WorkloadWindow window, TimeSpan ended)
    {
        var message = WindowMessage.Of(window, MessageId(_random));
        var (slipped, repeats, later) = (
            ended + (length / 60 * _random.NextDouble()),
            _random.NextDouble() < Repeated,
            length / 12 * _random.NextDouble()
        );
        _waiting.Enqueue(new Sending(fleet, message, IsRepeat: false), slipped);
        if (repeats)
            _waiting.Enqueue(new Sending(fleet, message, IsRepeat: true), slipped + later);
    }

    /// <summary>Takes out what is to go by now.</summary>
    public IEnumerable<Sending> TakeUntil(TimeSpan clock)
    {
        while (_waiting.TryPeek(out _, out var due) && due <= clock)
            yield return _waiting.Dequeue();
    }

    /// <summary>A UUID of version 4 out of a seeded source.</summary>
    internal static Guid MessageId(Random random)
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        bytes[6] = (byte)((bytes[6] & 0x0f) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3f) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
