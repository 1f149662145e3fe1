using System.Data;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Platform.Domain.Transparency;

namespace Platform.Persistence.Transparency;

/// <summary>Something that is wrong with a log.</summary>
/// <param name="Fleet">The fleet that it is about, or null.</param>
/// <param name="Version">The version whose announcement it is, or null.</param>
/// <param name="Fault">What is wrong.</param>
public sealed record LogFault(string? Fleet, int? Version, string Fault);

/// <summary>A checkpoint that was kept elsewhere, and the key that is to have signed it.</summary>
/// <param name="Note">The note, as it was kept.</param>
/// <param name="Verifier">The key; null for the one that the log itself names.</param>
public sealed record KeptCheckpoint(string Note, NoteVerifier? Verifier);

/// <summary>
/// Makes a tenant's log again from its events, and holds it against what is stored of it, what was signed, and what was
/// kept elsewhere: an event that was changed, taken out, put in or moved shows.
/// </summary>
public sealed class LogVerification
{
    private const int PageLength = 1_000;

    private readonly TenantSession _session;
    private readonly List<LogFault> _faults = [];
    private readonly Dictionary<MerkleNode, byte[]> _nodes = [];
    private readonly Dictionary<Guid, long> _streams = [];
    private long _size;

    private LogVerification(TenantSession session) => _session = session;

    /// <summary>Verifies a tenant's log over one look at the database.</summary>
    /// <param name="store">The platform's database.</param>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="kept">A checkpoint that was kept elsewhere, or null.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>What is wrong, in the order of the log; empty when all is well.</returns>
    public static async Task<IReadOnlyList<LogFault>> VerifyAsync(
        PlatformStore store,
        string tenant,
        KeptCheckpoint? kept,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(tenant, IsolationLevel.RepeatableRead, cancel);
        var verification = new LogVerification(session);
        await verification.RunAsync(kept, cancel);
        return verification._faults;
    }

    private async Task RunAsync(KeptCheckpoint? kept, CancellationToken cancel)
    {
        var signed = await _session
            .Rows.LogCheckpoints.AsNoTracking()
            .OrderByDescending(row => row.Size)
            .FirstOrDefaultAsync(cancel);
        var own = signed is not null && NoteVerifier.TryParse(signed.Verifier, out var verifier) ? verifier : null;
        var roots = await RootsAsync(
            [signed?.Size ?? 0, kept is null ? 0 : Read(kept.Note)?.Checkpoint.Size ?? 0],
            cancel
        );
        if (signed is not null)
            CheckNote(signed.Note, own, roots, "the log's own checkpoint");
        else if (_size > 0)
            Fault("the log has entries, and no checkpoint");
        if (kept is not null)
            CheckNote(kept.Note, kept.Verifier ?? own, roots, "the checkpoint that was kept");
        await CheckUnloggedAsync(cancel);
    }

    /// <summary>Goes through the log, and gives the roots that today's events have at some sizes.</summary>
    private async Task<Dictionary<long, byte[]>> RootsAsync(long[] sizes, CancellationToken cancel)
    {
        var roots = new Dictionary<long, byte[]>();
        for (var (last, full) = (-1L, true); full; )
        {
            var before = _size;
            await foreach (var (entry, leaf) in LogReading.ReadAsync(_session, last, PageLength, cancel))
            {
                Take(entry, leaf);
                last = entry.Index;
                if (sizes.Contains(_size))
                    roots[_size] = MerkleTree.RangeHash(0, _size, it => _nodes[it]);
            }

            full = _size - before == PageLength;
        }

        return roots;
    }

    private void Take(LogEntryRow entry, LogLeaf? leaf)
    {
        var (previous, hash) = (_streams.GetValueOrDefault(entry.StreamId), HashOf(leaf));
        if (entry.Index != _size)
            Fault($"entry {_size} of the log is missing", entry);
        if (entry.StreamVersion != previous + 1)
            Fault(
                $"entry {entry.Index} of the log is decision {entry.StreamVersion} of its stream, and the one logged before it {previous}",
                entry
            );
        if (hash is null)
            Fault($"the event of entry {entry.Index} of the log is {(leaf is null ? "gone" : "no JSON")}", entry);
        else if (!hash.AsSpan().SequenceEqual(entry.LeafHash))
            Fault($"the event of entry {entry.Index} of the log, {leaf!.Event}, is not the one that was logged", entry);
        _streams[entry.StreamId] = entry.StreamVersion;
        foreach (var (node, completed) in MerkleTree.Completed(_size, hash ?? entry.LeafHash, it => _nodes[it]))
        {
            // What is below a complete node is not asked for again.
            _nodes.Remove(new MerkleNode(node.Level - 1, node.Index * 2));
            _nodes.Remove(new MerkleNode(node.Level - 1, (node.Index * 2) + 1));
            _nodes[node] = completed;
        }

        _size++;
    }

    private static byte[]? HashOf(LogLeaf? leaf)
    {
        try
        {
            return leaf?.Hash();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void CheckNote(string text, NoteVerifier? verifier, Dictionary<long, byte[]> roots, string what)
    {
        if (Read(text) is not var (note, checkpoint))
            Fault($"{what} cannot be read");
        else if (checkpoint.Origin != Checkpoint.OriginOf(_session.Tenant))
            Fault($"{what} is that of {checkpoint.Origin}");
        else if (verifier is null || !LogSigner.HasSigned(verifier, note))
            Fault($"{what} is not signed by the log's key");
        else if (checkpoint.Size > _size)
            Fault($"{what} has {checkpoint.Size} entries, and the log has {_size}: its end is cut off");
        else if (checkpoint.Size > 0 && !checkpoint.Root.AsSpan().SequenceEqual(roots[checkpoint.Size]))
            Fault(
                $"{what} has another root at {checkpoint.Size} entries than today's events give: some of them are not those that were signed"
            );
    }

    private static (SignedNote Note, Checkpoint Checkpoint)? Read(string text) =>
        SignedNote.TryParse(text, out var note) && Checkpoint.TryParse(note.Text, out var checkpoint)
            ? (note, checkpoint)
            : null;

    /// <summary>Decisions that are not in the log, and do not wait for it.</summary>
    private async Task CheckUnloggedAsync(CancellationToken cancel)
    {
        var waiting = await _session
            .Rows.LogQueue.AsNoTracking()
            .Select(row => row.StreamId)
            .Distinct()
            .ToListAsync(cancel);
        var fleets = await _session
            .Rows.Fleets.AsNoTracking()
            .OrderBy(row => row.FleetId)
            .Select(row => row.FleetId)
            .ToListAsync(cancel);
        foreach (var fleet in fleets.Prepend(null))
        {
            var stream = fleet is null
                ? EventStore.TenantStream(_session.Tenant)
                : EventStore.FleetStream(_session.Tenant, fleet);
            var logged = _streams.GetValueOrDefault(stream);
            if (!waiting.Contains(stream) && (await _session.ReadAsync(stream, logged, 1, cancel)).Count > 0)
                _faults.Add(
                    new LogFault(
                        fleet,
                        null,
                        $"decision {logged + 1} of {(fleet is null ? "the tenant" : "the fleet")} is not in the log"
                    )
                );
        }
    }

    private void Fault(string fault, LogEntryRow? entry = null) =>
        _faults.Add(new LogFault(entry?.FleetId, entry?.AllocationVersion, fault));
}
