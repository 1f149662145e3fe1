using System.Numerics;
using Platform.Domain.Snapshots;

namespace Platform.Domain.Tests.Snapshots;

public sealed class ShapleyValuesTests
{
    /// <summary>One left glove and two right ones, a pair being worth 1: 2/3, 1/6 and 1/6 (Shapley 1953).</summary>
    [Fact]
    public void The_glove_game_has_its_known_values()
    {
        var values = ShapleyValues.Of(3, coalition => [(coalition & 1) != 0 && (coalition & 6) != 0 ? 1 : 0])!;
        Assert.Equal(6, values.Orders);
        Assert.Equal([2 / 3.0, 1 / 6.0, 1 / 6.0], values.Contributions.Select(it => it[0]), Near);
    }

    [Fact]
    public void Contributions_are_the_means_over_all_orders()
    {
        var random = new Random(5);
        var game = Enumerable
            .Range(0, 1 << 6)
            .Select(_ => new[] { random.NextDouble(), random.NextDouble() - 0.5 })
            .ToArray();
        var open = Enumerable
            .Range(0, 1 << 6)
            .Select(coalition => BitOperations.PopCount((uint)coalition) is 0 or 6 || random.Next(3) > 0)
            .ToArray();
        var values = ShapleyValues.Of(6, coalition => open[coalition] ? game[coalition] : null)!;

        var orders = Orders([.. Enumerable.Range(0, 6)])
            .Select(order => order.ToArray())
            .Where(order => Enumerable.Range(0, 7).All(n => open[Coalition(order, n)]))
            .ToList();
        Assert.InRange(orders.Count, 2, 719);
        Assert.Equal(orders.Count, values.Orders);
        for (var player = 0; player < 6; player++)
        {
            for (var c = 0; c < 2; c++)
            {
                var mean = orders.Average(order =>
                    Array.IndexOf(order, player) is var at
                        ? game[Coalition(order, at + 1)][c] - game[Coalition(order, at)][c]
                        : 0
                );
                Assert.Equal(mean, values.Contributions[player][c], Near);
            }
        }
    }

    [Fact]
    public void Without_an_order_there_are_none()
    {
        Assert.Null(ShapleyValues.Of(2, coalition => coalition is 0 or 3 ? [1.0] : null));
        Assert.Null(ShapleyValues.Of(1, coalition => coalition == 1 ? [1.0] : null));
    }

    private static int Coalition(int[] order, int first) => order.Take(first).Sum(player => 1 << player);

    private static IEnumerable<IEnumerable<int>> Orders(List<int> players) =>
        players.Count == 0
            ?
            [
                [],
            ]
            : players.SelectMany(first =>
                Orders([.. players.Where(player => player != first)]).Select(rest => rest.Prepend(first))
            );

    private static bool Near(double one, double other) => Math.Abs(one - other) < 1e-12;
}
