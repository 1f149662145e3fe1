using System.Diagnostics;

namespace Platform.Persistence.Solving;

/// <summary>What a sweep spends its time on.</summary>
public enum SolveStage
{
    /// <summary>Claiming due fleets and letting go of them.</summary>
    Claim,

    /// <summary>Reading fleets, sums, snapshots and windows, up to the objects they become.</summary>
    Read,

    /// <summary>Folding windows into sums, and taking sums out of their stored form and putting them into it.</summary>
    Fold,

    /// <summary>Estimating, solving, and deciding what becomes of the answer.</summary>
    Derive,

    /// <summary>Putting snapshots into their canonical form, hashing them, and writing everything.</summary>
    Write,
}

/// <summary>Deals one thread of work's time out to its stages. Not for use by several threads at once.</summary>
public sealed class SolveClock
{
    private readonly long[] _ticks = new long[Enum.GetValues<SolveStage>().Length];
    private SolveStage _stage;
    private long _since = Stopwatch.GetTimestamp();

    /// <summary>What was spent on a stage so far, without the one that goes on.</summary>
    public TimeSpan this[SolveStage stage] => Stopwatch.GetElapsedTime(0, _ticks[(int)stage]);

    /// <summary>From now on time counts for this stage.</summary>
    public void Enter(SolveStage stage)
    {
        var now = Stopwatch.GetTimestamp();
        _ticks[(int)_stage] += now - _since;
        (_stage, _since) = (stage, now);
    }
}
