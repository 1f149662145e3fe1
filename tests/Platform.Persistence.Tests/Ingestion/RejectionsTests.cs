using System.Text;
using Platform.Domain.Contracts;
using Platform.Persistence.Ingestion;

namespace Platform.Persistence.Tests.Ingestion;

public sealed class RejectionsTests(TestStore store)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Rejections Rejections => new(store.Store);

    [Fact]
    public async Task The_same_message_again_keeps_its_row_with_the_latest_reason()
    {
        var tenant = TestStore.NewTenant();
        var first = Rejection(tenant, "a");
        await Rejections.RecordAsync([first, first], Cancel);
        await Rejections.RecordAsync([first with { At = first.At.AddSeconds(1), Reason = "fleet: later" }], Cancel);
        await Rejections.RecordAsync(
            [first with { At = first.At.AddSeconds(-1), Reason = "fleet: told late" }],
            Cancel
        );

        var kept = Assert.Single(await ListAsync(tenant));
        Assert.Equal((first.Id, first.At.AddSeconds(1), "fleet: later"), (kept.Id, kept.At, kept.Reason));
    }

    [Fact]
    public async Task A_decision_is_shown_until_the_message_is_set_aside_again()
    {
        var tenant = TestStore.NewTenant();
        var rejection = Rejection(tenant, "a");
        await Rejections.RecordAsync([rejection], Cancel);
        Assert.Null(Assert.Single(await ListAsync(tenant)).Decision);

        await DecideAsync(rejection, RejectionAction.Replay, TestStore.At.AddMinutes(1));
        Assert.Equal(
            new RejectionDecisionView("replayed", TestStore.At.AddMinutes(1)),
            Assert.Single(await ListAsync(tenant)).Decision
        );

        var again = rejection with { At = TestStore.At.AddMinutes(2) };
        await Rejections.RecordAsync([again], Cancel);
        Assert.Null(Assert.Single(await ListAsync(tenant)).Decision);
        await DecideAsync(again, RejectionAction.Discard, TestStore.At.AddMinutes(3));
        Assert.Equal(
            "discarded",
            (await Rejections.FindAsync(tenant, rejection.Id, Cancel))!.Value.Message.Decision?.Action
        );
    }

    [Fact]
    public async Task Of_a_tenant_that_floods_the_latest_thousand_stay_and_the_other_tenants_keep_theirs()
    {
        var (flooding, quiet) = (TestStore.NewTenant(), TestStore.NewTenant());
        await Rejections.RecordAsync([Rejection(quiet, "only")], Cancel);
        const int sent = Rejections.MostMessages + 250;
        foreach (var batch in Enumerable.Range(0, sent).Chunk(200))
            await Rejections.RecordAsync(
                [.. batch.Select(i => Rejection(flooding, $"{i}", TestStore.At.AddSeconds(i)))],
                Cancel
            );

        var kept = await ListAsync(flooding);
        Assert.Equal(Rejections.MostMessages, kept.Count);
        Assert.Equal((TestStore.At.AddSeconds(sent - 1), TestStore.At.AddSeconds(250)), (kept[0].At, kept[^1].At));
        Assert.Single(await ListAsync(quiet));
    }

    [Fact]
    public async Task Of_large_bodies_no_more_is_kept_than_the_bound()
    {
        var tenant = TestStore.NewTenant();
        var body = new byte[WorkloadWindowReader.MaxBytes];
        const int most = Rejections.MostBytes / WorkloadWindowReader.MaxBytes;
        foreach (var batch in Enumerable.Range(0, most + 16).Chunk(10))
            await Rejections.RecordAsync(
                [.. batch.Select(i => Rejection(tenant, $"{i}", TestStore.At.AddSeconds(i)) with { Body = body })],
                Cancel
            );

        Assert.Equal(most, (await ListAsync(tenant)).Count);
        Assert.Equal(
            Rejections.MostBytes,
            await store.Database.QueryAsync<long>(
                $"select sum(octet_length(body)) from platform.rejections where tenant_id = '{tenant}'",
                Cancel
            )
        );
    }

    [Fact]
    public async Task A_body_longer_than_a_window_may_be_is_named_and_not_kept()
    {
        var tenant = TestStore.NewTenant();
        var rejection = Rejection(tenant, "a") with { Body = new byte[WorkloadWindowReader.MaxBytes + 1] };
        await Rejections.RecordAsync([rejection], Cancel);
        var (message, body) = (await Rejections.FindAsync(tenant, rejection.Id, Cancel))!.Value;
        Assert.Equal(WorkloadWindowReader.MaxBytes + 1, message.Bytes);
        Assert.Null(body);
    }

    [Fact]
    public async Task What_the_database_refuses_in_a_text_is_replaced()
    {
        var tenant = TestStore.NewTenant();
        await Rejections.RecordAsync(
            [Rejection(tenant, "a") with { MessageId = "1\0", Reason = "body: \ud800\0" }],
            Cancel
        );
        var kept = Assert.Single(await ListAsync(tenant));
        Assert.Equal(("1\uFFFD", "body: \uFFFD\uFFFD"), (kept.MessageId, kept.Reason));
    }

    private static NewRejection Rejection(string tenant, string body, DateTimeOffset? at = null) =>
        new(
            tenant,
            RejectedMessageId.For(Encoding.UTF8.GetBytes(body), tenant, null, null, $"{tenant}.chat"),
            at ?? TestStore.At,
            "chat",
            null,
            "body: no JSON",
            Encoding.UTF8.GetBytes(body)
        );

    private Task<IReadOnlyList<RejectionView>> ListAsync(string tenant) =>
        Rejections.ListAsync(tenant, null, null, 10_000, Cancel);

    private Task DecideAsync(NewRejection rejection, RejectionAction action, DateTimeOffset at) =>
        new RejectionDecisions(store.Store).RecordAsync(
            new RejectionDecision(
                action,
                "ann",
                "a test",
                rejection.Id,
                rejection.Tenant,
                rejection.MessageId,
                rejection.At,
                rejection.Reason
            ),
            at,
            Cancel
        );
}
