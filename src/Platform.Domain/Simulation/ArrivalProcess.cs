namespace Platform.Domain.Simulation;

/// <summary>
/// When the next query comes, and of which type. A struct, so that the loop of the simulation is compiled for each
/// process.
/// </summary>
internal interface IArrivalProcess
{
    /// <summary>The next arrival.</summary>
    /// <param name="index">How many came before it.</param>
    /// <param name="random">The run's generator.</param>
    /// <param name="type">Index of the query's type.</param>
    /// <returns>Seconds since the arrival before; +∞ when it comes after everything before it has long ended.</returns>
    double Next(long index, ref Xoshiro256 random, out int type);
}

/// <summary>Independent exponential gaps, each query's type drawn by the shares.</summary>
internal readonly struct PoissonArrivals(double rate, AliasTable types) : IArrivalProcess
{
    // 1/0 = ∞: with no arrivals at all, a query would be alone.
    private readonly double _meanGap = 1 / rate;

    public double Next(long index, ref Xoshiro256 random, out int type)
    {
        type = types.Draw(ref random);
        return random.NextExponential() * _meanGap;
    }
}

/// <summary>Arrivals as they were recorded; their types too, or drawn by the shares.</summary>
internal readonly struct TracedArrivals(ArrivalTrace trace, AliasTable types) : IArrivalProcess
{
    public double Next(long index, ref Xoshiro256 random, out int type)
    {
        type = trace.TaskTypes is { } recorded ? recorded[index] : types.Draw(ref random);
        return index == 0 ? 0 : trace.InstantsSeconds[index] - trace.InstantsSeconds[index - 1];
    }
}
