using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.Extensions.Primitives;
using Platform.Persistence;
using Platform.Persistence.Snapshots;
using Platform.Persistence.Solving;

namespace Platform.Api.Snapshots;

/// <summary>A snapshot as it is served again and again.</summary>
/// <param name="EntityTag">The header <c>ETag</c>.</param>
/// <param name="Document">The body.</param>
internal sealed record ServedAllocation(StringValues EntityTag, byte[] Document)
{
    public static ServedAllocation Of(StoredSnapshot snapshot) => new($"\"{snapshot.Hash}\"", snapshot.Document);
}

/// <summary>The answer that serves it: the bytes as they are, or 304 to who has them.</summary>
internal sealed class KeptAllocation(ServedAllocation served) : IResult
{
    private static readonly StringValues CacheControl = "private, no-cache";
    private static readonly StringValues Json = "application/json";

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.Headers.CacheControl = CacheControl;
        response.Headers.ETag = served.EntityTag;
        if (EntityTags.IsHeld(httpContext.Request, served.EntityTag!))
        {
            AllocationReads.Held();
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        AllocationReads.Served();
        response.Headers.ContentType = Json;
        response.ContentLength = served.Document.Length;
        // Without a flush of its own: headers and body go out together.
        if (!HttpMethods.IsHead(httpContext.Request.Method))
            response.BodyWriter.Write(served.Document);
        return Task.CompletedTask;
    }
}

/// <summary>
/// The snapshots in force, in memory: right within a second of a change on whichever process, because the database
/// tells each change, and because nothing is taken from here when it has not been heard of for so long.
/// </summary>
internal sealed class AllocationCache
{
    /// <summary>Most snapshots that are kept, some 10 kB each; beyond, all are dropped.</summary>
    private const int MostEntries = 20_000;

    private readonly ConcurrentDictionary<FleetKey, Task<ServedAllocation?>> _entries = new();
    private readonly SnapshotHistory _history;
    private readonly ChangeFeed _changes;

    public AllocationCache(SnapshotHistory history, ChangeFeed changes)
    {
        (_history, _changes) = (history, changes);
        changes.FleetChanged += Forget;
        changes.Interrupted += _entries.Clear;
    }

    /// <summary>The snapshot in force; null when there is none, or no such fleet.</summary>
    public ValueTask<ServedAllocation?> FindAsync(string tenant, string fleet)
    {
        var key = new FleetKey(tenant, fleet);
        if (!_changes.IsCurrent)
            return new(LoadAsync(key));
        return _entries.TryGetValue(key, out var kept) ? new(kept) : new(LoadAndKeepAsync(key));
    }

    /// <summary>Forgets a fleet: who has decided something here need not wait until the change is told.</summary>
    public void Forget(string tenant, string fleet) => _entries.TryRemove(new FleetKey(tenant, fleet), out _);

    private async Task<ServedAllocation?> LoadAndKeepAsync(FleetKey key)
    {
        if (_entries.Count >= MostEntries)
            _entries.Clear();
        // Kept before it is read: a change that is told meanwhile drops it, and what was read too early is not found
        // again.
        var found = new TaskCompletionSource<ServedAllocation?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var kept = _entries.GetOrAdd(key, found.Task);
        if (kept != found.Task)
            return await kept;
        try
        {
            found.SetResult(await LoadAsync(key));
        }
        catch (Exception fault)
        {
            found.SetException(fault);
        }

        // What is not there is asked for again: names that never were must not fill the memory.
        if (found.Task.IsFaulted || found.Task.Result is null)
            _entries.TryRemove(new(key, found.Task));
        return await found.Task;
    }

    private async Task<ServedAllocation?> LoadAsync(FleetKey key) =>
        await _history.FindInForceAsync(key.Tenant, key.Fleet, CancellationToken.None) is { } snapshot
            ? ServedAllocation.Of(snapshot)
            : null;
}
