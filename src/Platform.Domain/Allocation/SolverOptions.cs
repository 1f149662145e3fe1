namespace Platform.Domain.Allocation;

/// <summary>
/// How a problem is to be solved. The default is the fast method and proven whole tokens; the rest is there to compare
/// with.
/// </summary>
public sealed record SolverOptions
{
    /// <summary>
    /// The method for the continuous optimum. Only <see cref="SolverMethod.Newton"/> takes limits and a shared queue.
    /// </summary>
    public SolverMethod Method { get; init; } = SolverMethod.Newton;

    /// <summary>The most that is done about whole tokens: each step on this list includes those before it.</summary>
    public RoundingMethod Rounding { get; init; } = RoundingMethod.Exact;

    /// <summary>
    /// The other methods stop when their certificate says that J* − J ≤ tolerance · (1 + |J|); above 0, below 1.
    /// Newton's method needs none: it goes on to the level of rounding.
    /// </summary>
    public double Tolerance { get; init; } = 1e-9;

    /// <summary>
    /// Most iterations of the other methods, at least 1. Newton's method has a cap of its own, some thousand sweeps.
    /// </summary>
    public int MaxIterations { get; init; } = 100_000;

    /// <summary>
    /// Where a limit binds, whole tokens are proven by branch and bound alone, as they were by dual-newton/3.
    /// </summary>
    internal bool LimitsByBranching { get; init; }

    /// <summary>
    /// A curve counts below 0 as well, as it did up to dual-newton/4: few tokens then seem to do harm.
    /// </summary>
    internal bool TakesRawCurves { get; init; }

    /// <summary>
    /// No figures of the queue beside the mean system time, as up to dual-newton/5.
    /// </summary>
    internal bool OmitsQueueFigures { get; init; }

    /// <summary>
    /// Where the objective need not be concave, the best point that is found is taken without a proof that none is
    /// better.
    /// </summary>
    internal bool OmitsProof { get; init; }

    /// <summary>The most that branch and bound may cost, in tokens of single types computed.</summary>
    internal long BranchingWork { get; init; } = BranchAndBound.MaxWork;
}
