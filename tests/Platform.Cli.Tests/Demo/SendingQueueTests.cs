using Platform.Cli.Demo;
using Platform.Domain.Contracts;

namespace Platform.Cli.Tests.Demo;

public sealed class SendingQueueTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public void Every_window_goes_out_once_a_twentieth_again_with_the_same_id_and_late()
    {
        var sent = Sent(seed: 1);
        var byId = sent.GroupBy(sending => sending.Message.MessageId).ToArray();

        Assert.Equal(5_000, byId.Length);
        Assert.All(byId, sendings => Assert.Single(sendings, sending => !sending.IsRepeat));
        Assert.All(byId, sendings => Assert.Single(sendings.Select(sending => sending.Message).Distinct()));
        Assert.InRange(sent.Length - byId.Length, 200, 300);
    }

    [Fact]
    public void Windows_overtake_one_another()
    {
        var order = Sent(seed: 1).Where(sending => !sending.IsRepeat).Select(sending => sending.Fleet).ToArray();

        Assert.NotEqual(order.Order(), order);
    }

    [Fact]
    public void The_same_seed_sends_the_same()
    {
        Assert.Equal(
            Sent(1).Select(sending => sending.Message.MessageId),
            Sent(1).Select(sending => sending.Message.MessageId)
        );
        Assert.NotEqual(
            Sent(1).Select(sending => sending.Message.MessageId),
            Sent(2).Select(sending => sending.Message.MessageId)
        );
        Assert.All(Sent(1), sending => Assert.Equal(4, sending.Message.MessageId.Version));
    }

    // The index of the window stands in the place of the fleet's.
    private static Sending[] Sent(int seed)
    {
        var queue = new SendingQueue(Hour, seed);
        for (var i = 0; i < 5_000; i++)
            queue.Add(
                i,
                new WorkloadWindow
                {
                    Fleet = "lab",
                    WindowStart = default,
                    WindowEnd = default,
                    Tasks = [],
                },
                Hour * (i / 5_000.0)
            );
        Sending[] sent = [.. queue.TakeUntil(TimeSpan.MaxValue)];
        Assert.True(queue.IsEmpty);
        return sent;
    }
}
