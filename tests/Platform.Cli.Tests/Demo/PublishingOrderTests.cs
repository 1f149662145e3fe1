using Platform.Cli.Demo;

namespace Platform.Cli.Tests.Demo;

public sealed class PublishingOrderTests
{
    [Fact]
    public void Every_message_goes_out_once_and_the_given_part_twice()
    {
        var sent = PublishingOrder.Create(10_000, 0.05, new Random(1)).CountBy(message => message).ToDictionary();

        Assert.Equal(Enumerable.Range(0, 10_000), sent.Keys.Order());
        Assert.All(sent.Values, times => Assert.InRange(times, 1, 2));
        Assert.InRange(sent.Values.Count(times => times == 2), 400, 600);
    }

    [Fact]
    public void Messages_overtake_one_another_but_stay_near_their_place()
    {
        var order = PublishingOrder.Create(5_000, 0, new Random(1));

        Assert.NotEqual(order.Order(), order);
        Assert.All(order.Index(), it => Assert.InRange(it.Item - it.Index, -200, 200));
    }
}
