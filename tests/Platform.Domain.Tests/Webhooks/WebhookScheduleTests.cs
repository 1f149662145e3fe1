using Platform.Domain.Webhooks;

namespace Platform.Domain.Tests.Webhooks;

public sealed class WebhookScheduleTests
{
    [Fact]
    public void Waits_longer_each_time_and_gives_up_after_three_days()
    {
        var waits = Enumerable
            .Range(1, WebhookSchedule.Attempts - 1)
            .Select(failed => WebhookSchedule.WaitAfter(failed, null, 0)!.Value)
            .ToArray();
        Assert.Equal(waits.Order(), waits);
        Assert.Equal(TimeSpan.FromSeconds(5), waits[0]);
        Assert.InRange(
            waits.Aggregate(TimeSpan.Zero, (sum, wait) => sum + wait),
            WebhookSchedule.Patience,
            WebhookSchedule.Patience + TimeSpan.FromHours(6)
        );
        Assert.Null(WebhookSchedule.WaitAfter(WebhookSchedule.Attempts, null, 0));
        Assert.Null(WebhookSchedule.WaitAfter(WebhookSchedule.Attempts, TimeSpan.FromMinutes(1), 0));
    }

    [Fact]
    public void A_receiver_may_ask_for_a_longer_wait_and_not_for_a_shorter_one()
    {
        Assert.Equal(TimeSpan.FromMinutes(1), WebhookSchedule.WaitAfter(1, TimeSpan.FromMinutes(1), 0));
        Assert.Equal(TimeSpan.FromSeconds(5), WebhookSchedule.WaitAfter(1, TimeSpan.FromSeconds(-3), 0));
        Assert.Equal(WebhookSchedule.LongestWait, WebhookSchedule.WaitAfter(1, TimeSpan.FromDays(400), 0));
    }

    [Fact]
    public void Jitter_adds_up_to_a_tenth() =>
        Assert.Equal(TimeSpan.FromSeconds(5.25), WebhookSchedule.WaitAfter(1, null, 0.5));
}
