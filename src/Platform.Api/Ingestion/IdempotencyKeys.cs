using Platform.Domain.Contracts;
using Platform.Persistence.Ingestion;

namespace Platform.Api.Ingestion;

/// <summary>What became of a window that was sent under an idempotency key.</summary>
internal enum KeyUse
{
    /// <summary>The window is on its road, or is stored already.</summary>
    OfThisWindow,

    /// <summary>The key belongs to a window that says something else; nothing was sent.</summary>
    OfAnotherWindow,
}

/// <summary>
/// Sees to it that an idempotency key stands for one window. What is stored is asked of the database; what is on its
/// road is remembered here for a while. Two APIs that get two windows under one key within the moments that storing
/// takes do not see each other: then the intake sets the second aside.
/// </summary>
internal sealed class IdempotencyKeys(WorkloadIntake intake, TimeProvider time)
{
    private readonly RecentContents _onTheirRoad = new(time);

    /// <summary>Sends a window unless its key belongs to another one, or the same window is stored already.</summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="messageId">What the key means on the road.</param>
    /// <param name="window">The window.</param>
    /// <param name="send">Sends it.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<KeyUse> UseAsync(
        string tenant,
        Guid messageId,
        WorkloadWindow window,
        Func<Task> send,
        CancellationToken cancel
    )
    {
        var content = WindowContent.FingerprintOf(window);
        if (!_onTheirRoad.Claim(messageId, content))
            return KeyUse.OfAnotherWindow;
        var isOnItsRoad = false;
        try
        {
            if (await intake.FindAsync(tenant, messageId, cancel) is { } stored)
                return WindowContent.IsSame(stored, window) ? KeyUse.OfThisWindow : KeyUse.OfAnotherWindow;
            await send();
            isOnItsRoad = true;
            return KeyUse.OfThisWindow;
        }
        finally
        {
            if (!isOnItsRoad)
                _onTheirRoad.Forget(messageId);
        }
    }
}

/// <summary>
/// Remembers what was sent under which message id, for one to two minutes and up to a number of messages.
/// </summary>
internal sealed class RecentContents(TimeProvider time)
{
    /// <summary>Messages in a generation. Two generations of them take about 5 MiB.</summary>
    internal const int MostInGeneration = 20_000;

    /// <summary>How long a generation is filled. Storing takes a fraction of a second where nothing is away.</summary>
    internal static readonly TimeSpan GenerationTime = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private Dictionary<Guid, byte[]> _current = [];
    private Dictionary<Guid, byte[]> _previous = [];
    private long _began = time.GetTimestamp();

    /// <summary>Remembers a message's content; false when the id is remembered with another one.</summary>
    public bool Claim(Guid messageId, byte[] content)
    {
        lock (_gate)
        {
            ReplaceGeneration();
            if (!_current.TryGetValue(messageId, out var known) && !_previous.TryGetValue(messageId, out known))
                known = _current[messageId] = content;
            return known.AsSpan().SequenceEqual(content);
        }
    }

    /// <summary>Forgets a message that was not sent.</summary>
    public void Forget(Guid messageId)
    {
        lock (_gate)
        {
            _current.Remove(messageId);
            _previous.Remove(messageId);
        }
    }

    private void ReplaceGeneration()
    {
        var age = time.GetElapsedTime(_began);
        if (age < GenerationTime && _current.Count < MostInGeneration)
            return;
        _previous = age < 2 * GenerationTime ? _current : [];
        _current = [];
        _began = time.GetTimestamp();
    }
}
