using Npgsql;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;

namespace Platform.Persistence.Tests;

/// <summary>What is appended to many streams at once is what Marten would have written.</summary>
public sealed class EventAppendingTests(TestStore store)
{
    private static readonly AllocationPublished Published = new()
    {
        At = TestStore.At,
        Version = 1,
        Hash = "abc",
        Revision = 1,
        WorkloadVersion = 7,
    };

    private readonly string _tenant = TestStore.NewTenant();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static WorkloadWindowRecorded Recorded { get; } =
        new() { MessageId = Guid.NewGuid(), Window = TestStore.Window("chat") };

    [Fact]
    public async Task The_rows_are_those_that_Marten_writes()
    {
        object[] events =
        [
            Published,
            Published with
            {
                ProposedUntil = TestStore.At.AddTicks(10),
            },
            Recorded,
            Recorded with
            {
                TraceParent = "00-1-2-03",
            },
        ];
        var (ours, martens) = (Guid.NewGuid(), Guid.NewGuid());
        for (var part = 0; part < 2; part++)
        {
            var appended = events.Skip(2 * part).Take(2).ToArray();
            await AppendAsync([.. appended.Select(it => new EventToAppend(ours, Guid.NewGuid(), it))]);
            await using var session = await store.Store.OpenAsync(_tenant, Cancel);
            foreach (var happened in appended)
                session.Append(martens, null, happened);
            await session.CommitAsync(Cancel);
        }

        const string row = "to_jsonb(t) - 'id' - 'seq_id' - 'stream_id' - 'timestamp' - 'created'";
        foreach (
            var (table, stream) in ((string, string)[])[("events.mt_events", "stream_id"), ("events.mt_streams", "id")]
        )
        {
            var (one, other) = (await ReadAsync(ours), await ReadAsync(martens));
            Assert.Equal(other, one);
            Assert.NotEqual("[]", one);

            Task<string> ReadAsync(Guid id) =>
                store.Database.QueryAsync<string>(
                    $"select coalesce(jsonb_agg({row} order by version), '[]')::text from {table} t where tenant_id = '{_tenant}' and {stream} = '{id}'",
                    Cancel
                );
        }

        await using var reading = await store.Store.OpenAsync(_tenant, Cancel);
        Assert.Equal(
            events.Select(it => it.GetType()),
            (await reading.ReadAsync(ours, 0, 10, Cancel)).Select(it => it.Data.GetType())
        );
    }

    [Fact]
    public async Task Events_of_several_streams_keep_their_order_and_go_on_from_what_is_there()
    {
        Guid[] streams = [Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid()];
        await AppendAsync([Event(0, 1), Event(0, 2), Event(1, 3)]);
        await AppendAsync([Event(1, 4), Event(2, 5), Event(0, 6), Event(1, 7)]);

        Assert.Equal("1:1 2:2 3:6", await OfAsync(0));
        Assert.Equal("1:3 2:4 3:7", await OfAsync(1));
        Assert.Equal("1:5", await OfAsync(2));
        Assert.Equal(
            "1 2 3 4 5 6 7",
            await store.Database.QueryAsync<string>(
                $"select string_agg(data ->> 'workloadVersion', ' ' order by seq_id) from events.mt_events where tenant_id = '{_tenant}'",
                Cancel
            )
        );
        Assert.Equal(
            "3 3 1",
            await store.Database.QueryAsync<string>(
                $"select string_agg(version::text, ' ' order by array_position('{{{string.Join(',', streams)}}}', id)) from events.mt_streams where tenant_id = '{_tenant}'",
                Cancel
            )
        );

        EventToAppend Event(int stream, long number) =>
            new(streams[stream], Guid.NewGuid(), Published with { WorkloadVersion = number });

        Task<string> OfAsync(int stream) =>
            store.Database.QueryAsync<string>(
                $"select string_agg(version || ':' || (data ->> 'workloadVersion'), ' ' order by version) from events.mt_events where tenant_id = '{_tenant}' and stream_id = '{streams[stream]}'",
                Cancel
            );
    }

    [Fact]
    public async Task An_event_that_is_there_already_is_refused()
    {
        var again = new EventToAppend(Guid.NewGuid(), Guid.NewGuid(), Published);
        await AppendAsync([again]);
        var fault = await Assert.ThrowsAsync<PostgresException>(() => AppendAsync([again]));
        Assert.Equal(PostgresErrorCodes.UniqueViolation, fault.SqlState);
    }

    [Fact]
    public async Task Nothing_is_appended_where_a_stream_is_archived()
    {
        var (archived, other) = (Guid.NewGuid(), Guid.NewGuid());
        await AppendAsync([new(archived, Guid.NewGuid(), Published)]);
        await store.ExecuteAsync("update events.mt_streams set is_archived = true where id = $1", Cancel, archived);
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            AppendAsync([new(other, Guid.NewGuid(), Published), new(archived, Guid.NewGuid(), Published)])
        );
        Assert.Equal(1, await store.CountAsync("events.mt_events", _tenant, Cancel));
    }

    private async Task AppendAsync(EventToAppend[] events)
    {
        await using var session = await store.Store.OpenAsync(_tenant, Cancel);
        await using var batch = session.CreateBatch();
        await EventAppending.RunAsync(batch.Transaction!, store.Store.Events, _tenant, events, Cancel);
        await session.CommitAsync(Cancel);
    }
}
