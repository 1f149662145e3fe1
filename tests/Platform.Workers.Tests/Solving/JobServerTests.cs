using System.Collections.Concurrent;
using System.Reflection;
using Hangfire;
using Hangfire.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Platform.Testing;
using Platform.Workers.Solving;

namespace Platform.Workers.Tests.Solving;

/// <summary>
/// While the database is away, Hangfire asks again and again; the answer must not come minutes after the database.
/// </summary>
public sealed class JobServerTests
{
    /// <summary>
    /// With Hangfire's own waits, which grow with the square of the failures, so many take over an hour.
    /// </summary>
    private const int Failures = 25;

    [Fact]
    public async Task However_often_it_has_failed_it_asks_again_at_once()
    {
        var storage = new BrokenStorage();
        using var server = new JobServer(
            storage,
            JobActivator.Current,
            TimeSpan.FromMilliseconds(5),
            NullLogger<JobServer>.Instance
        );
        await server.StartAsync(TestContext.Current.CancellationToken);
        // The workers ask for a job, the timetable for its lock.
        await Eventually.TrueAsync(
            () =>
                Task.FromResult(
                    ((string[])["FetchNextJob", "AcquireDistributedLock"]).All(asked =>
                        storage.Asked.GetValueOrDefault(asked) >= Failures
                    )
                ),
            $"{Failures} failures of each: {string.Join(", ", storage.Asked)}",
            TestContext.Current.CancellationToken
        );
        await server.StopAsync(TestContext.Current.CancellationToken);
    }

    private sealed class BrokenStorage : JobStorage
    {
        public ConcurrentDictionary<string, int> Asked { get; } = new();

        public override IStorageConnection GetConnection()
        {
            var connection = DispatchProxy.Create<IStorageConnection, BrokenConnection>();
            ((BrokenConnection)(object)connection).Asked = Asked;
            return connection;
        }

        public override IMonitoringApi GetMonitoringApi() => throw new NotSupportedException();
    }

    /// <summary>Lets the server come and go, and fails at all else.</summary>
    private class BrokenConnection : DispatchProxy
    {
        public ConcurrentDictionary<string, int> Asked { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            var name = targetMethod!.Name;
            Asked.AddOrUpdate(name, 1, (_, count) => count + 1);
            return name is "AnnounceServer" or "Heartbeat" or "RemoveServer" or "RemoveTimedOutServers" or "Dispose"
                ? targetMethod.ReturnType == typeof(int)
                    ? 0
                    : null
                : throw new IOException("away");
        }
    }
}
