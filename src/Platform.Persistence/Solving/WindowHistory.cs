using System.Text.Json;
using Npgsql;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;
using Platform.Domain.Snapshots;

namespace Platform.Persistence.Solving;

/// <summary>Which windows were read of a fleet's stream.</summary>
/// <param name="Newest">Version of the latest, 0 when there was none.</param>
/// <param name="Oldest">Version of the oldest, 0 when there was none.</param>
/// <param name="Count">Their number.</param>
internal readonly record struct WindowsRead(long Newest, long Oldest, long Count)
{
    /// <summary>Whether no version is missing between the oldest and the latest.</summary>
    public bool HasNoGap => Count == 0 || Count == Newest - Oldest + 1;
}

/// <summary>
/// Goes through a fleet's stored windows backward, the latest first, and ends where no older one can count: what that
/// costs does not grow with the history, and estimates from the sums are those of a fold of the whole of it. Windows
/// are voided after they were stored, so that on the way back each void is met before the windows that it speaks of.
/// </summary>
internal sealed class WindowHistory(TenantSession session, string fleet)
{
    /// <summary>Windows read at a time.</summary>
    internal const int PageLength = 500;

    /// <summary>
    /// How much older than the moment at which its window was checked, or than the event before it, an event's
    /// timestamp may be: clocks differ, and a transaction has its time from when it begins.
    /// </summary>
    internal static readonly TimeSpan TimestampSlack = TimeSpan.FromHours(1);

    private const string Latest = $"""
        select version, data::text, timestamp, type = '{EventStore.VoidedName}' as is_void from events.mt_events
        where tenant_id = $1 and stream_id = $2 and version < $3 order by version desc limit $4
        """;

    /// <summary>
    /// Halves the versions until the first of those is left that have only later timestamps from there on; where
    /// versions are missing it ends sooner, with a later one.
    /// </summary>
    private const string FirstAfter = """
        with recursive search(low, high) as (
            select 0::bigint, version + 1 from events.mt_streams where tenant_id = $1 and id = $2
            union all
            select case when e.timestamp <= $3 then e.version else low end, case when e.timestamp <= $3 then high else e.version end
            from search join events.mt_events e on e.tenant_id = $1 and e.stream_id = $2 and e.version = (low + high) / 2
            where high - low > 1)
        select min(high) from search
        """;

    private NpgsqlParameter[] Stream =>
        [
            new NpgsqlParameter<string> { TypedValue = session.Tenant },
            new NpgsqlParameter<Guid> { TypedValue = EventStore.WorkloadStream(session.Tenant, fleet) },
        ];

    /// <summary>Folds the windows before a version that count at an instant.</summary>
    /// <param name="sums">Receives them.</param>
    /// <param name="before">The first version that is left out.</param>
    /// <param name="asOf">The instant that the sums are to be estimated at.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="FormatException">A stored window is none that was ever taken.</exception>
    public Task<WindowsRead> FoldLatestAsync(
        WorkloadSums sums,
        long before,
        DateTimeOffset asOf,
        CancellationToken cancel
    ) => FoldLatestAsync(sums, before, asOf, DateTimeOffset.MaxValue, cancel);

    /// <summary>Folds the windows that were stored by an instant and count at it.</summary>
    /// <inheritdoc cref="FoldLatestAsync(WorkloadSums, long, DateTimeOffset, CancellationToken)"/>
    public async Task<WindowsRead> FoldStoredByAsync(
        WorkloadSums sums,
        DateTimeOffset asOf,
        CancellationToken cancel
    ) => await FoldLatestAsync(sums, await FirstAfterAsync(asOf + TimestampSlack, cancel), asOf, asOf, cancel);

    /// <summary>
    /// Of the windows that overlap a stretch of time and count the one with the most arrivals, or null.
    /// </summary>
    /// <param name="stretch">The stretch of time.</param>
    /// <param name="before">The first version that is left out.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="FormatException">A stored window is none that was ever taken.</exception>
    public async Task<HeaviestWindow?> FindHeaviestAsync(BusyStretch stretch, long before, CancellationToken cancel)
    {
        var scope = new VoidScope(null, stretch.From, stretch.To);
        HeaviestWindow? heaviest = null;
        await WalkAsync(before, DateTimeOffset.MaxValue, Compare, MayOverlapBefore, cancel);
        return heaviest;

        bool MayOverlapBefore(DateTimeOffset instant) => LatestEndBefore(instant) > stretch.From;

        void Compare(WorkloadWindowRecorded recorded)
        {
            var arrivals = recorded.Window.Tasks.Sum(task => (double)task.Arrivals);
            // Of equal ones the oldest, which comes last.
            if (scope.Covers(recorded) && !(arrivals < heaviest?.Arrivals))
                heaviest = new HeaviestWindow(
                    recorded.MessageId,
                    recorded.Window.WindowStart,
                    recorded.Window.WindowEnd,
                    arrivals
                );
        }
    }

    /// <summary>Windows with a version before this one end by an instant.</summary>
    public Task<long> FirstThatMayEndAfterAsync(DateTimeOffset instant, CancellationToken cancel) =>
        FirstAfterAsync(instant - WorkloadWindowReader.MaxLead - TimestampSlack, cancel);

    private Task<WindowsRead> FoldLatestAsync(
        WorkloadSums sums,
        long before,
        DateTimeOffset asOf,
        DateTimeOffset storedBy,
        CancellationToken cancel
    ) =>
        WalkAsync(
            before,
            storedBy,
            recorded => sums.Fold(recorded.Window),
            instant => MayMatterBefore(sums, instant, asOf),
            cancel
        );

    /// <summary>Goes back from a version.</summary>
    /// <param name="before">The first version that is left out.</param>
    /// <param name="storedBy">What was stored later does not count, neither window nor void.</param>
    /// <param name="take">Receives each window that is not void.</param>
    /// <param name="goesOnBefore">Whether windows that were stored before an instant matter.</param>
    /// <param name="cancel">Gives up.</param>
    private async Task<WindowsRead> WalkAsync(
        long before,
        DateTimeOffset storedBy,
        Action<WorkloadWindowRecorded> take,
        Func<DateTimeOffset, bool> goesOnBefore,
        CancellationToken cancel
    )
    {
        var voids = new List<VoidScope>();
        var read = default(WindowsRead);
        DateTimeOffset? oldest;
        do
        {
            oldest = null;
            await using var batch = Statement(
                Latest,
                new NpgsqlParameter<long> { TypedValue = before },
                new NpgsqlParameter<int> { TypedValue = PageLength }
            );
            await using var reader = await batch.ExecuteReaderAsync(cancel);
            var isVoid = reader.GetOrdinal("is_void");
            while (await reader.ReadAsync(cancel))
            {
                before = reader.GetInt64(0);
                oldest = reader.GetFieldValue<DateTimeOffset>(2);
                read = new WindowsRead(Math.Max(read.Newest, before), before, read.Count + 1);
                if (oldest > storedBy)
                    continue;
                if (reader.GetBoolean(isVoid))
                    voids.Add(StoredVoid.Read(reader.GetFieldValue<byte[]>(1), before).Scope);
                else
                    Deliver(reader.GetFieldValue<byte[]>(1), before, voids, take);
            }
        } while (before > 1 && oldest is { } instant && goesOnBefore(instant));

        return read;
    }

    private static void Deliver(byte[] utf8, long version, List<VoidScope> voids, Action<WorkloadWindowRecorded> take)
    {
        try
        {
            var recorded = StoredWindow.Read(utf8);
            if (!voids.Exists(scope => scope.Covers(recorded)))
                take(recorded);
        }
        catch (Exception fault) when (fault is JsonException or ArgumentException or ArithmeticException)
        {
            throw new FormatException($"window {version} is none that was ever taken", fault);
        }
    }

    /// <summary>
    /// A window that came before an instant may still count, or may end later than all that came after it.
    /// </summary>
    private static bool MayMatterBefore(WorkloadSums sums, DateTimeOffset instant, DateTimeOffset asOf)
    {
        var latestEnd = LatestEndBefore(instant);
        return latestEnd.AddSeconds(sums.Reach.Seconds) >= asOf
            || sums.LastWindowEnd is not { } last
            || last < latestEnd;
    }

    /// <summary>The latest end that a window which was stored before an instant can have.</summary>
    private static DateTimeOffset LatestEndBefore(DateTimeOffset instant) =>
        instant + WorkloadWindowReader.MaxLead + TimestampSlack;

    private async Task<long> FirstAfterAsync(DateTimeOffset instant, CancellationToken cancel)
    {
        await using var batch = Statement(
            FirstAfter,
            new NpgsqlParameter<DateTimeOffset> { TypedValue = instant.ToUniversalTime() }
        );
        return await batch.ExecuteScalarAsync(cancel) as long? ?? 1;
    }

    private NpgsqlBatch Statement(string sql, params ReadOnlySpan<NpgsqlParameter> more)
    {
        var (batch, command) = (session.CreateBatch(), new NpgsqlBatchCommand(sql));
        foreach (var parameter in (NpgsqlParameter[])[.. Stream, .. more])
            command.Parameters.Add(parameter);
        batch.BatchCommands.Add(command);
        return batch;
    }
}
