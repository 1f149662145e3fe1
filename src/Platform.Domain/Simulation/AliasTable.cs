namespace Platform.Domain.Simulation;

/// <summary>
/// Draws an index with given probabilities in constant time: Walker (1977), built in linear time as Vose (1991) does.
/// </summary>
internal sealed class AliasTable
{
    private readonly ulong[] _keepBelow;
    private readonly int[] _alias;

    /// <summary>Builds the table.</summary>
    /// <param name="weights">At least one; none negative, their sum above 0. An index of weight 0 is never
    /// drawn.</param>
    public AliasTable(ReadOnlySpan<double> weights)
    {
        var total = 0.0;
        foreach (var weight in weights)
            total += weight;
        var scaled = new double[weights.Length];
        for (var i = 0; i < scaled.Length; i++)
            scaled[i] = weights[i] / total * scaled.Length;
        (_keepBelow, _alias) = (new ulong[scaled.Length], new int[scaled.Length]);
        Pair(scaled);
    }

    /// <summary>Draws an index.</summary>
    public int Draw(ref Xoshiro256 random)
    {
        var cell = random.NextIndex(_alias.Length, out var rest);
        return rest < _keepBelow[cell] ? cell : _alias[cell];
    }

    private void Pair(double[] scaled)
    {
        // One array holds both stacks: cells below the average grow from its left, the others from its right.
        var order = new int[scaled.Length];
        var (below, above, heaviest) = (0, scaled.Length, 0);
        for (var i = 0; i < scaled.Length; i++)
        {
            order[scaled[i] < 1 ? below++ : --above] = i;
            heaviest = scaled[i] > scaled[heaviest] ? i : heaviest;
        }

        while (below > 0 && above < order.Length)
        {
            var (small, large) = (order[--below], order[above]);
            Keep(small, scaled[small], large);
            scaled[large] -= 1 - scaled[small];
            if (scaled[large] < 1)
            {
                above++;
                order[below++] = large;
            }
        }

        // What rounding leaves over holds its own, unless that is nothing at all.
        for (; above < order.Length; above++)
            Keep(order[above], 1, order[above]);
        while (below > 0)
            Keep(order[--below], scaled[order[below]] > 0 ? 1 : 0, heaviest);
    }

    private void Keep(int cell, double probability, int alias)
    {
        (_keepBelow[cell], _alias[cell]) =
            probability >= 1 ? (ulong.MaxValue, cell) : ((ulong)(probability * 18446744073709551616.0), alias);
    }
}
