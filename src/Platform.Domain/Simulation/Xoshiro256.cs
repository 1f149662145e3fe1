using System.Numerics;

namespace Platform.Domain.Simulation;

/// <summary>
/// xoshiro256** 1.0 of Blackman and Vigna (2021, "Scrambled linear pseudorandom number generators"; public domain), its
/// state filled by splitmix64 as they advise. Whole-number arithmetic only: one seed gives the same numbers on every
/// machine.
/// </summary>
public struct Xoshiro256
{
    private ulong _s0;
    private ulong _s1;
    private ulong _s2;
    private ulong _s3;

    /// <summary>Starts a sequence of its own for each seed.</summary>
    /// <param name="seed">Any number.</param>
    public Xoshiro256(ulong seed)
    {
        _s0 = SplitMix64(ref seed);
        _s1 = SplitMix64(ref seed);
        _s2 = SplitMix64(ref seed);
        _s3 = SplitMix64(ref seed);
    }

    /// <summary>The next 64 random bits.</summary>
    public ulong Next()
    {
        var result = BitOperations.RotateLeft(_s1 * 5, 7) * 9;
        var shifted = _s1 << 17;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= shifted;
        _s3 = BitOperations.RotateLeft(_s3, 45);
        return result;
    }

    /// <summary>
    /// A random index below a bound, by Lemire's multiplication; off from uniform by less than bound / 2^64.
    /// </summary>
    /// <param name="bound">At least 1.</param>
    /// <param name="rest">What the index leaves of the 64 bits: uniform, and independent of the index but for the same
    /// error.</param>
    public int NextIndex(int bound, out ulong rest) => (int)Math.BigMul(Next(), (ulong)bound, out rest);

    /// <summary>A sample of the uniform law on [0, 1).</summary>
    public double NextUnit() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>
    /// A sample of the exponential law with mean 1, by inversion of an odd multiple of 2^-53 in (0, 1): 1.1e-16 to
    /// 36.8.
    /// </summary>
    public double NextExponential() => -Math.Log(((Next() >> 12) + 0.5) * (1.0 / (1UL << 52)));

    /// <summary>
    /// A sample of the normal law with mean 0 and variance 1, by Box and Muller (1958); the second of the pair is not
    /// kept.
    /// </summary>
    public double NextNormal() =>
        Math.Sqrt(2 * NextExponential()) * Math.Cos(2 * Math.PI * ((Next() >> 12) * (1.0 / (1UL << 52))));

    private static ulong SplitMix64(ref ulong state)
    {
        state += 0x9E3779B97F4A7C15;
        var mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }
}
