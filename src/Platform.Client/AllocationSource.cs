using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;

namespace Platform.Client;

/// <summary>What is in force for a fleet.</summary>
/// <param name="Fleet">The fleet.</param>
/// <param name="Version">The version.</param>
/// <param name="Hash">SHA-256 of the document, lower-case hexadecimal.</param>
/// <param name="Tokens">Reasoning tokens by task type that are to be sent: where the fleet has an actuator, numbers
/// that it allows.</param>
/// <param name="Document">The snapshot as it was served.</param>
public sealed record FleetAllocation(
    string Fleet,
    int Version,
    string Hash,
    IReadOnlyDictionary<string, long> Tokens,
    ReadOnlyMemory<byte> Document
)
{
    /// <summary>
    /// When the platform last said that it is in force; null while it has not, for one that comes from a file.
    /// </summary>
    public DateTimeOffset? ConfirmedAt { get; init; }

    /// <summary>The fleet's servers, at least 1.</summary>
    public int Servers { get; init; } = 1;

    /// <summary>
    /// Tokens for surges, by rising number in flight, the first rung from none on; empty where the fleet's definition
    /// asks for no ladder.
    /// </summary>
    public IReadOnlyList<AllocationRung> Ladder { get; init; } = [];

    /// <summary>Tokens of a task type while so many queries are in flight: those of the highest rung reached.</summary>
    /// <param name="taskType">The task type.</param>
    /// <param name="inFlightPerServer">
    /// Queries in flight at the fleet over its servers; a number that goes to and fro makes the tokens do so:
    /// see <see cref="SurgeLevel"/>.
    /// </param>
    /// <exception cref="KeyNotFoundException">The allocation has no such task type.</exception>
    public long TokensFor(string taskType, double inFlightPerServer)
    {
        var tokens = Tokens[taskType];
        foreach (var rung in Ladder)
        {
            if (inFlightPerServer >= rung.InFlightPerServer)
                tokens = rung.Tokens[taskType];
        }

        return tokens;
    }
}

/// <summary>A rung of an allocation's ladder.</summary>
/// <param name="InFlightPerServer">From how many queries in flight at the fleet, over its servers, it applies.</param>
/// <param name="Tokens">Reasoning tokens by task type.</param>
public sealed record AllocationRung(double InFlightPerServer, IReadOnlyDictionary<string, long> Tokens);

/// <summary>The platform has no allocation for the fleet, or gives none, and none is known of before.</summary>
/// <param name="message">What is wrong.</param>
/// <param name="inner">The fault beneath it.</param>
public sealed class NoAllocationException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Keeps the allocations in force at hand: asks the platform no more often than it is told to, with the entity tag of
/// what it has, and holds on to the last known while the platform is away. May be called by many threads at once.
/// </summary>
public sealed class AllocationSource : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, Held> _held = new(StringComparer.Ordinal);
    private readonly HttpClient _http;
    private readonly TimeProvider _time;
    private readonly TimeSpan _refreshEvery;
    private readonly string? _folder;

    /// <summary>Prepares; asks nothing.</summary>
    /// <param name="api">Address of the platform.</param>
    /// <param name="key">A key that may read.</param>
    /// <param name="refreshEvery">How old an answer may be before it is asked for again; 5 s if left out.</param>
    /// <param name="folder">Where the last known allocations are kept, for a process that starts while the platform is
    /// away; null for nowhere.</param>
    /// <param name="time">The clock; the machine's if left out.</param>
    /// <param name="handler">What sends requests; the usual one if left out.</param>
    public AllocationSource(
        Uri api,
        string key,
        TimeSpan? refreshEvery = null,
        string? folder = null,
        TimeProvider? time = null,
        HttpMessageHandler? handler = null
    )
    {
        (_refreshEvery, _folder, _time) = (
            refreshEvery ?? TimeSpan.FromSeconds(5),
            folder,
            time ?? TimeProvider.System
        );
        _http = new HttpClient(handler ?? new SocketsHttpHandler()) { BaseAddress = api, Timeout = Patience };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (folder is not null)
            Directory.CreateDirectory(folder);
    }

    /// <summary>The allocation in force; the last known where the platform cannot be asked.</summary>
    /// <param name="fleet">The fleet's id.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="NoAllocationException">There is none, and none is known of before.</exception>
    public async Task<FleetAllocation> GetAsync(string fleet, CancellationToken cancel)
    {
        var held = _held.GetOrAdd(fleet, _ => new Held(FromFile(fleet)));
        if (IsFresh(held))
            return held.Allocation!;
        // One asks; the others wait for its answer only while they have nothing.
        if (!await held.Asking.WaitAsync(held.Allocation is null ? Timeout.InfiniteTimeSpan : TimeSpan.Zero, cancel))
            return held.Allocation!;
        try
        {
            if (!IsFresh(held))
                await RefreshAsync(fleet, held, cancel);
            return held.Allocation
                ?? throw new NoAllocationException(
                    $"The platform gives no allocation for {fleet}: {held.Fault?.Message}",
                    held.Fault
                );
        }
        finally
        {
            held.Asking.Release();
        }
    }

    /// <summary>Ends what is under way.</summary>
    public void Dispose()
    {
        _http.Dispose();
        foreach (var held in _held.Values)
            held.Asking.Dispose();
    }

    private bool IsFresh(Held held) =>
        held is { Allocation: not null, AskedAt: { } at } && _time.GetUtcNow() - at < _refreshEvery;

    private async Task RefreshAsync(string fleet, Held held, CancellationToken cancel)
    {
        try
        {
            held.Allocation = await AskAsync(fleet, held.Allocation, cancel);
            held.Fault = null;
        }
        catch (Exception fault)
            when (fault is HttpRequestException or JsonException or InvalidDataException or KeyNotFoundException
                || (fault is OperationCanceledException && !cancel.IsCancellationRequested)
            )
        {
            held.Fault = fault;
        }

        held.AskedAt = _time.GetUtcNow();
    }

    private async Task<FleetAllocation> AskAsync(string fleet, FleetAllocation? known, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Get,
            $"/v1/fleets/{Uri.EscapeDataString(fleet)}/allocation"
        );
        if (known is not null)
            request.Headers.IfNoneMatch.Add(new EntityTagHeaderValue($"\"{known.Hash}\""));
        using var answer = await _http.SendAsync(request, cancel);
        if (known is not null && answer.StatusCode == HttpStatusCode.NotModified)
            return known with { ConfirmedAt = _time.GetUtcNow() };
        answer.EnsureSuccessStatusCode();
        var document = await answer.Content.ReadAsByteArrayAsync(cancel);
        var allocation = Read(fleet, document) with { ConfirmedAt = _time.GetUtcNow() };
        if (answer.Headers.ETag?.Tag.Trim('"') != allocation.Hash)
            throw new InvalidDataException(
                $"The allocation of {fleet} is not what its entity tag says: it was changed on its way."
            );
        ToFile(fleet, document);
        return allocation;
    }

    private static FleetAllocation Read(string fleet, byte[] document)
    {
        using var json = JsonDocument.Parse(document);
        var root = json.RootElement;
        var answer = root.TryGetProperty("sent", out var sent) ? sent : root.GetProperty("solution");
        var hash = Convert.ToHexStringLower(SHA256.HashData(document));
        return new FleetAllocation(fleet, root.GetProperty("version").GetInt32(), hash, TokensOf(answer), document)
        {
            Servers = ServersOf(root),
            Ladder = LadderOf(root),
        };
    }

    private static Dictionary<string, long> TokensOf(JsonElement answer) =>
        answer
            .GetProperty("allocation")
            .EnumerateArray()
            .ToDictionary(
                type => type.GetProperty("taskType").GetString()!,
                type => type.GetProperty("tokens").GetInt64(),
                StringComparer.Ordinal
            );

    private static int ServersOf(JsonElement snapshot) =>
        snapshot.TryGetProperty("problem", out var problem) && problem.TryGetProperty("servers", out var servers)
            ? servers.GetInt32()
            : 1;

    private static AllocationRung[] LadderOf(JsonElement snapshot) =>
        snapshot.TryGetProperty("ladder", out var ladder)
            ? [.. ladder.GetProperty("rungs").EnumerateArray().Select(RungOf)]
            : [];

    private static AllocationRung RungOf(JsonElement rung) =>
        new(rung.GetProperty("inFlightPerServer").GetDouble(), TokensOf(rung));

    private FleetAllocation? FromFile(string fleet)
    {
        try
        {
            return _folder is null || !File.Exists(PathOf(fleet))
                ? null
                : Read(fleet, File.ReadAllBytes(PathOf(fleet)));
        }
        catch (Exception fault)
            when (fault
                    is IOException
                        or UnauthorizedAccessException
                        or JsonException
                        or KeyNotFoundException
                        or InvalidOperationException
            )
        {
            // As good as none: the platform is asked.
            return null;
        }
    }

    /// <summary>Whole or not at all: a process may end at any moment.</summary>
    private void ToFile(string fleet, byte[] document)
    {
        if (_folder is null)
            return;
        try
        {
            var unfinished = $"{PathOf(fleet)}.{Guid.NewGuid():n}";
            File.WriteAllBytes(unfinished, document);
            File.Move(unfinished, PathOf(fleet), overwrite: true);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // A full disk is no reason to serve an older allocation.
        }
    }

    private string PathOf(string fleet) => Path.Combine(_folder!, $"{Uri.EscapeDataString(fleet)}.json");

    private sealed class Held(FleetAllocation? allocation)
    {
        public SemaphoreSlim Asking { get; } = new(1);

        public FleetAllocation? Allocation { get; set; } = allocation;

        public DateTimeOffset? AskedAt { get; set; }

        public Exception? Fault { get; set; }
    }
}
