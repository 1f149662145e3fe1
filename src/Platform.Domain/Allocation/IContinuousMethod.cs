namespace Platform.Domain.Allocation;

/// <summary>A method for the continuous optimum of a problem within its bounds, which may be narrowed.</summary>
internal interface IContinuousMethod
{
    /// <summary>Sweeps over the types since the beginning.</summary>
    int Sweeps { get; }

    /// <summary>Whether every solve so far converged.</summary>
    bool Converged { get; }

    /// <summary>Solves within the present bounds, which must keep within the limits at their lower ends.</summary>
    ContinuousPoint Solve();

    /// <summary>
    /// Upper bound on J within the model's present bounds and the limits, without any search; +∞ where there is none.
    /// </summary>
    double DualBound() => double.PositiveInfinity;
}
