namespace Platform.Domain.Simulation;

/// <summary>Arrivals as they were recorded.</summary>
public sealed record ArrivalTrace
{
    /// <summary>A recorded trace.</summary>
    /// <param name="instantsSeconds">Arrival instants in seconds since any instant, none before its predecessor; at
    /// least one.</param>
    /// <param name="taskTypes">Index of each query's task type in the problem, or null to draw types by the
    /// shares.</param>
    /// <exception cref="ArgumentException">No instant, an instant that is not finite or goes back, or not one type for
    /// each.</exception>
    public ArrivalTrace(IReadOnlyList<double> instantsSeconds, IReadOnlyList<int>? taskTypes = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(instantsSeconds.Count, nameof(instantsSeconds));
        for (var i = 0; i < instantsSeconds.Count; i++)
        {
            if (!double.IsFinite(instantsSeconds[i]) || (i > 0 && instantsSeconds[i] < instantsSeconds[i - 1]))
                throw new ArgumentException(
                    $"Arrival {i} at {instantsSeconds[i]} s is not a finite instant at or after the one before.",
                    nameof(instantsSeconds)
                );
        }

        if (taskTypes is not null && taskTypes.Count != instantsSeconds.Count)
            throw new ArgumentException(
                $"There are {instantsSeconds.Count} arrivals and {taskTypes.Count} task types.",
                nameof(taskTypes)
            );
        (InstantsSeconds, TaskTypes) = ([.. instantsSeconds], taskTypes is null ? null : [.. taskTypes]);
    }

    /// <summary>How many arrivals.</summary>
    public int Length => InstantsSeconds.Length;

    internal double[] InstantsSeconds { get; }

    internal int[]? TaskTypes { get; }
}
