using System.Numerics;

namespace Platform.Domain.Snapshots;

/// <summary>
/// Shapley values (Shapley 1953): each player's mean contribution over the orders in which the players may come. Where
/// some coalitions have no value, the mean is over the orders all of whose steps have one. The contributions add up to
/// the whole either way.
/// </summary>
/// <param name="Contributions">For each player, for each component of the value.</param>
/// <param name="Orders">Orders that the mean is over, at least 1.</param>
internal sealed record ShapleyValues(double[][] Contributions, long Orders)
{
    /// <summary>Computes them exactly.</summary>
    /// <param name="players">Number of players, 0 to 10.</param>
    /// <param name="valueOf"> The value of a coalition, which has player i where bit i is set, as components; null
    /// where it has none. Asked once for each coalition that can be reached.
    /// </param>
    /// <returns>Null when there is no order all of whose steps have a value.</returns>
    public static ShapleyValues? Of(int players, Func<int, double[]?> valueOf)
    {
        var all = (1 << players) - 1;
        var (values, before) = Reach(all, valueOf);
        if (before[all] == 0)
            return null;

        // Orders of those who are still to come, all of whose steps have a value.
        var after = new long[all + 1];
        after[all] = 1;
        var contributions = Enumerable.Range(0, players).Select(_ => new double[values[all]!.Length]).ToArray();
        for (var coalition = all - 1; coalition >= 0; coalition--)
        {
            for (var i = 0; i < players && before[coalition] > 0; i++)
            {
                var with = coalition | (1 << i);
                if (with == coalition || after[with] == 0)
                    continue;
                after[coalition] += after[with];
                Add(
                    contributions[i],
                    values[coalition]!,
                    values[with]!,
                    (double)(before[coalition] * after[with]) / before[all]
                );
            }
        }

        return new ShapleyValues(contributions, before[all]);
    }

    /// <summary>The values of the coalitions that can be reached, and in how many orders each can.</summary>
    private static (double[]?[] Values, long[] Before) Reach(int all, Func<int, double[]?> valueOf)
    {
        var (values, before) = (new double[]?[all + 1], new long[all + 1]);
        for (var coalition = 0; coalition <= all; coalition++)
        {
            var orders = coalition == 0 ? 1L : 0;
            for (var rest = coalition; rest != 0; rest &= rest - 1)
                orders += before[coalition ^ (1 << BitOperations.TrailingZeroCount(rest))];
            values[coalition] = orders > 0 ? valueOf(coalition) : null;
            before[coalition] = values[coalition] is null ? 0 : orders;
        }

        return (values, before);
    }

    private static void Add(double[] contribution, double[] without, double[] with, double weight)
    {
        for (var c = 0; c < contribution.Length; c++)
            contribution[c] += weight * (with[c] - without[c]);
    }
}
