using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Platform.Domain.Webhooks;
using Platform.Persistence;
using Platform.Persistence.Webhooks;

namespace Platform.Workers.Webhooks;

/// <summary>
/// Tells webhooks what came into force. Tenants are served side by side, and a few messages of one at a time: a
/// receiver that is slow costs its own tenant's others a little, and no other tenant anything.
/// </summary>
internal sealed class WebhookSending(
    WebhookOutbox outbox,
    WebhookSender sender,
    TimeProvider time,
    ILogger<WebhookSending> log
) : BackgroundService
{
    /// <summary>Name of the meter.</summary>
    public const string SourceName = "Platform.Workers.Webhooks";

    private const int TenantsAtATime = 32;
    private const int MessagesAtATime = 20;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a message is nobody else's: longer than all of a batch may take.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    private static readonly Counter<long> Attempts = new Meter(SourceName).CreateCounter<long>(
        "platform.webhooks.attempts",
        "{attempt}",
        "Attempts to tell a webhook something, by what came of it: taken, refused, away, gone."
    );

    private readonly ConcurrentDictionary<string, Task> _running = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await StartDueAsync(stoppingToken);
                await Task.Delay(Pause, time, stoppingToken);
            }
        }
        finally
        {
            await Task.WhenAll(_running.Values);
        }
    }

    private async Task StartDueAsync(CancellationToken cancel)
    {
        try
        {
            foreach (var tenant in await outbox.DueAsync(time.GetUtcNow(), 2 * TenantsAtATime, cancel))
            {
                if (_running.Count < TenantsAtATime && !_running.ContainsKey(tenant))
                    _running[tenant] = Task.Run(() => ServeAsync(tenant, cancel), CancellationToken.None);
            }
        }
        catch (Exception fault) when (!cancel.IsCancellationRequested)
        {
            log.LogWarning("Webhooks wait to be told: {Reason}", fault.GetBaseException().Message);
        }
    }

    private async Task ServeAsync(string tenant, CancellationToken cancel)
    {
        try
        {
            var now = time.GetUtcNow();
            var claimed = await outbox.ClaimAsync(tenant, now, now + Lease, MessagesAtATime, cancel);
            await Task.WhenAll(claimed.GroupBy(it => it.Webhook).Select(webhook => TellAsync([.. webhook], cancel)));
        }
        catch (Exception fault) when (PlatformStore.IsNotTheDatabasesState(fault) && !cancel.IsCancellationRequested)
        {
            log.LogError(fault, "Webhooks of {Tenant} cannot be told", tenant);
        }
        catch (Exception fault)
        {
            // What is not settled is due again when its lease ends.
            if (!cancel.IsCancellationRequested)
                log.LogWarning(
                    "Webhooks of {Tenant} wait to be told: {Reason}",
                    tenant,
                    fault.GetBaseException().Message
                );
        }
        finally
        {
            _running.TryRemove(tenant, out _);
        }
    }

    /// <summary>Tells one webhook all of it, unless its receiver turns out to be away.</summary>
    private async Task TellAsync(IReadOnlyList<WebhookDelivery> messages, CancellationToken cancel)
    {
        foreach (var message in messages)
        {
            var answer = await sender.SendAsync(message, cancel);
            Attempts.Add(1, new KeyValuePair<string, object?>("outcome", answer.Verdict.ToString().ToLowerInvariant()));
            if (answer.Verdict == WebhookVerdict.Taken)
            {
                await outbox.DeliveredAsync(message, time.GetUtcNow(), cancel);
                continue;
            }

            if (!await TryAgainAsync(message, answer, cancel) || answer.Verdict != WebhookVerdict.Refused)
                return;
        }
    }

    /// <summary>
    /// The same for each message of a webhook: those that wait for one receiver go on waiting together.
    /// </summary>
    private static double Spread(WebhookDelivery message) => message.WebhookId.ToByteArray()[0] / 256.0;

    /// <summary>Puts a message off, or gives it up; false when the webhook is disabled.</summary>
    private async Task<bool> TryAgainAsync(WebhookDelivery message, WebhookAnswer answer, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var wait =
            answer.Verdict == WebhookVerdict.Gone
                ? null
                : WebhookSchedule.WaitAfter(message.Failed + 1, answer.RetryAfter, Spread(message));
        if (wait is { } soon)
        {
            await outbox.FailedAsync(
                message,
                answer.Verdict == WebhookVerdict.Away,
                answer.Fault,
                now,
                now + soon,
                cancel
            );
            return true;
        }

        var patience = answer.Verdict == WebhookVerdict.Gone ? TimeSpan.Zero : WebhookSchedule.Patience;
        var disabled = await outbox.GivenUpAsync(message, answer.Fault, now, patience, cancel);
        log.LogWarning(
            "{Tenant}'s webhook {Webhook} {Fault}: change {Change} of {Fleet} is not told{Disabled}",
            message.Notice.Tenant,
            message.Webhook,
            answer.Fault,
            message.Notice.Change,
            message.Notice.Fleet,
            disabled ? ", and the webhook is disabled" : ""
        );
        return !disabled;
    }
}

/// <summary>Connects a worker to the tenants' receivers.</summary>
internal static class WebhookSetup
{
    public static void AddWebhooks(this IServiceCollection services, WorkerOptions options)
    {
        if (options.WebhookKey.Length == 0)
            return;
        var targets = WebhookTargets.Parse(options.WebhookNetworks);
        services.AddSingleton(provider => new WebhookOutbox(provider.GetRequiredService<PlatformStore>()));
        services.AddSingleton(provider => new WebhookSender(
            targets,
            Convert.FromHexString(options.WebhookKey),
            provider.GetRequiredService<TimeProvider>()
        ));
        services.AddHostedService<WebhookSending>();
    }
}
