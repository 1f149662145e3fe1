using System.Diagnostics;
using Npgsql;

namespace Platform.Persistence;

/// <summary>
/// Tells, within moments, what any process has committed about fleets and keys: what makes it right to keep something
/// in memory. One for a process; <see cref="RunAsync"/> must run.
/// </summary>
public sealed class ChangeFeed(PlatformStore store)
{
    /// <summary>How old what is kept may be.</summary>
    private static readonly TimeSpan Currency = TimeSpan.FromMilliseconds(800);

    /// <summary>A change is told at once; a confirmation that nothing was missed comes this often.</summary>
    private static readonly TimeSpan Confirmation = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly Listener[] _listeners = [.. store.Databases.All.Select(database => new Listener(database))];

    /// <summary>Something was decided about a fleet, or another version is in force: its tenant and its id.</summary>
    public event Action<string, string>? FleetChanged;

    /// <summary>Keys of a tenant no longer open what they did.</summary>
    public event Action<string>? KeysChanged;

    /// <summary>Changes may have been missed: all may be different.</summary>
    public event Action? Interrupted;

    /// <summary>
    /// Whatever was committed more than a second ago has been told. While this is false, nothing that is kept may be
    /// used, and nothing be kept.
    /// </summary>
    public bool IsCurrent => Array.TrueForAll(_listeners, listener => listener.IsCurrent);

    /// <summary>Listens to each database, and connects anew when it was away.</summary>
    /// <param name="lost">Told each time that a connection is lost, and why.</param>
    /// <param name="cancel">Ends it.</param>
    public Task RunAsync(Action<Exception> lost, CancellationToken cancel) =>
        Task.WhenAll(_listeners.Select(listener => KeepListeningAsync(listener, lost, cancel)));

    private async Task KeepListeningAsync(Listener listener, Action<Exception> lost, CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                await ListenAsync(listener, cancel);
            }
            catch (Exception fault) when (!cancel.IsCancellationRequested && PlatformStore.IsTransient(fault))
            {
                lost(fault);
            }
            finally
            {
                listener.Lose();
                Interrupted?.Invoke();
            }

            await Task.Delay(Pause, cancel);
        }
    }

    private async Task ListenAsync(Listener listener, CancellationToken cancel)
    {
        await using var connection = await PlatformStore.OpenForListeningAsync(listener.Database, cancel);
        connection.Notification += (_, told) => Tell(told);
        await using var listen = new NpgsqlCommand(
            $"listen {ChangeChannel.Fleets}; listen {ChangeChannel.Keys}",
            connection
        );
        await listen.ExecuteNonQueryAsync(cancel);
        // The answer to a statement comes after all that was committed before it was sent.
        await using var confirm = new NpgsqlCommand("select 1", connection);
        while (true)
        {
            var sentAt = Stopwatch.GetTimestamp();
            await confirm.ExecuteNonQueryAsync(cancel);
            listener.Confirm(sentAt);
            await connection.WaitAsync(Confirmation, cancel);
        }
    }

    private void Tell(NpgsqlNotificationEventArgs told)
    {
        var subject = told.Payload.Split('/');
        if (told.Channel == ChangeChannel.Fleets)
            FleetChanged?.Invoke(subject[0], subject[1]);
        else
            KeysChanged?.Invoke(subject[0]);
    }

    /// <summary>What is known of one database.</summary>
    private sealed class Listener(TenantDatabase database)
    {
        private long _confirmedAt;
        private volatile bool _isListening;

        public TenantDatabase Database => database;

        public bool IsCurrent =>
            _isListening && Stopwatch.GetElapsedTime(Interlocked.Read(ref _confirmedAt)) <= Currency;

        public void Lose() => _isListening = false;

        public void Confirm(long sentAt)
        {
            Interlocked.Exchange(ref _confirmedAt, sentAt);
            _isListening = true;
        }
    }
}
