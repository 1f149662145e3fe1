using System.Diagnostics;
using Npgsql;
using NpgsqlTypes;
using Platform.Cli.Demo;
using Platform.Cli.Hosting;
using Platform.Client;
using Platform.Domain.Contracts;
using Platform.Persistence;
using Platform.Persistence.Ingestion;
using RabbitMQ.Client;

namespace Platform.Cli.Benchmarks;

/// <summary>A window for one of the benchmark's fleets.</summary>
internal sealed record DealtWindow(string Tenant, WorkloadWindow Window);

/// <summary>What the parts of the intake can do by themselves with the same windows.</summary>
internal sealed class IngestLimits(
    PlatformSettings settings,
    WorkloadIntake intake,
    NpgsqlDataSource owner,
    Random random
)
{
    /// <summary>Windows in a transaction: as many as a worker takes.</summary>
    private const int BatchLimit = 200;

    private const string CopyTable = "benchmark.copied_events";

    /// <summary>Publishes with confirms into a quorum queue that nobody reads.</summary>
    public async Task<TimeSpan> RabbitMqAsync(
        IReadOnlyList<DealtWindow> windows,
        string virtualHost,
        CancellationToken cancel
    )
    {
        var bodies = windows.Select(it => WindowMessage.Of(it.Window, default).Body).ToArray();
        var factory = new ConnectionFactory { Uri = new Uri(settings.RabbitMq), VirtualHost = virtualHost };
        await using var connection = await factory.CreateConnectionAsync(cancel);
        await using var channel = await connection.CreateChannelAsync(WindowPublisher.Confirmed, cancel);
        var queue = $"benchmark-{Guid.NewGuid():n}";
        await channel.QueueDeclareAsync(
            queue,
            durable: true,
            exclusive: false,
            autoDelete: false,
            new Dictionary<string, object?> { ["x-queue-type"] = "quorum" },
            cancellationToken: cancel
        );
        try
        {
            var properties = new BasicProperties
            {
                ContentType = "application/json",
                DeliveryMode = DeliveryModes.Persistent,
            };
            var watch = Stopwatch.StartNew();
            await PacedSending.RunAsync(
                bodies.Length,
                TimeSpan.Zero,
                (i, stop) =>
                    channel.BasicPublishAsync("", queue, mandatory: true, properties, bodies[i], stop).AsTask(),
                cancel
            );
            return watch.Elapsed;
        }
        finally
        {
            await channel.QueueDeleteAsync(queue, cancellationToken: CancellationToken.None);
        }
    }

    /// <summary>Stores by the intake of the workers, without a broker.</summary>
    public Task<TimeSpan> IntakeAsync(IReadOnlyList<DealtWindow> windows, int writers, CancellationToken cancel) =>
        InBatchesAsync(
            windows.Select(it => new IncomingWindow(it.Tenant, SendingQueue.MessageId(random), it.Window)),
            writers,
            async (batch, stop) =>
            {
                if ((await intake.StoreAsync(batch, stop)).Any(outcome => outcome != IntakeOutcome.Stored))
                    throw new CommandFailure("a window of the benchmark was not stored", CommandFailure.JobSaysNo);
            },
            cancel
        );

    /// <summary>Copies rows like those of the event store into a table with the same indexes.</summary>
    public async Task<TimeSpan> CopyAsync(IReadOnlyList<DealtWindow> windows, int writers, CancellationToken cancel)
    {
        await using (
            var create = owner.CreateCommand(
                $"drop schema if exists benchmark cascade; create schema benchmark; create table {CopyTable} (like events.mt_events including all)"
            )
        )
            await create.ExecuteNonQueryAsync(cancel);
        var rows = windows
            .Select(
                (it, i) =>
                    new CopiedRow(
                        i,
                        it.Tenant,
                        Guid.NewGuid(),
                        EventStore.WorkloadStream(it.Tenant, it.Window.Fleet),
                        StrictJson.Write(new { MessageId = SendingQueue.MessageId(random), it.Window })
                    )
            )
            .ToArray();
        try
        {
            return await InBatchesAsync(rows, writers, CopyBatchAsync, cancel);
        }
        finally
        {
            await using var drop = owner.CreateCommand("drop schema benchmark cascade");
            await drop.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }

    private async Task CopyBatchAsync(CopiedRow[] rows, CancellationToken cancel)
    {
        await using var connection = await owner.OpenConnectionAsync(cancel);
        await using var copy = await connection.BeginBinaryImportAsync(
            $"copy {CopyTable} (seq_id, id, stream_id, version, data, type, timestamp, tenant_id) from stdin (format binary)",
            cancel
        );
        foreach (var row in rows)
        {
            await copy.StartRowAsync(cancel);
            await copy.WriteAsync(row.Number, NpgsqlDbType.Bigint, cancel);
            await copy.WriteAsync(row.Id, NpgsqlDbType.Uuid, cancel);
            await copy.WriteAsync(row.Stream, NpgsqlDbType.Uuid, cancel);
            await copy.WriteAsync(row.Number, NpgsqlDbType.Bigint, cancel);
            await copy.WriteAsync(row.Data, NpgsqlDbType.Jsonb, cancel);
            await copy.WriteAsync("workload-window-recorded", NpgsqlDbType.Varchar, cancel);
            await copy.WriteAsync(DateTime.UnixEpoch, NpgsqlDbType.TimestampTz, cancel);
            await copy.WriteAsync(row.Tenant, NpgsqlDbType.Varchar, cancel);
        }

        await copy.CompleteAsync(cancel);
    }

    private static async Task<TimeSpan> InBatchesAsync<T>(
        IEnumerable<T> items,
        int writers,
        Func<T[], CancellationToken, Task> write,
        CancellationToken cancel
    )
    {
        var batches = items.Chunk(BatchLimit).ToArray();
        var watch = Stopwatch.StartNew();
        await Parallel.ForEachAsync(
            batches,
            new ParallelOptions { MaxDegreeOfParallelism = writers, CancellationToken = cancel },
            async (batch, stop) => await write(batch, stop)
        );
        return watch.Elapsed;
    }

    private sealed record CopiedRow(long Number, string Tenant, Guid Id, Guid Stream, byte[] Data);
}
