using Platform.Domain.Contracts;

namespace Platform.Domain.Estimation;

/// <summary>
/// The exact sums of one task type in one age bucket. A window adds less than 2^106 to any of them, so 128 bits hold a million
/// of the largest windows possible; beyond that the addition throws and never wraps.
/// </summary>
internal sealed class TaskSums
{
    /// <summary>Number of values of <see cref="WorkloadSum"/>.</summary>
    public const int Count = (int)WorkloadSum.SystemMillisSquared + 1;

    private readonly UInt128[] _sums = new UInt128[Count];
    private readonly SortedList<int, AccuracyCell> _cells = [];

    public UInt128 this[WorkloadSum sum] => _sums[(int)sum];

    /// <summary>Verdicts by cell of <see cref="AccuracyGrid"/>, ascending.</summary>
    public IReadOnlyDictionary<int, AccuracyCell> Cells => _cells;

    public void Add(WorkloadSum sum, UInt128 amount) => _sums[(int)sum] = checked(_sums[(int)sum] + amount);

    public void Add(int cell, AccuracyCell amount) => _cells[cell] = _cells.GetValueOrDefault(cell) + amount;

    /// <summary>Adds everything that does not spread over the window's length: all but the arrivals.</summary>
    public void AddEnded(TaskWindow task)
    {
        if (task.Service is { } service)
            AddService(service);
        if (task.System is { } system)
        {
            Add(WorkloadSum.SystemCompletions, system.Completions);
            Add(WorkloadSum.SystemMillis, system.Millis);
            Add(WorkloadSum.SystemMillisSquared, system.MillisSquared);
        }

        foreach (var count in task.Accuracy ?? [])
        {
            var tokenTrials = checked((UInt128)count.Tokens * (UInt128)count.Trials);
            Add(AccuracyGrid.CellOf(count.Tokens), checked(new AccuracyCell(tokenTrials, (UInt128)count.Trials, (UInt128)count.Correct)));
        }
    }

    private void AddService(ServiceSums service)
    {
        Add(WorkloadSum.Completions, service.Completions);
        Add(WorkloadSum.Tokens, service.Tokens);
        Add(WorkloadSum.TokensSquared, service.TokensSquared);
        Add(WorkloadSum.Millis, service.Millis);
        Add(WorkloadSum.MillisSquared, service.MillisSquared);
        Add(WorkloadSum.TokenMillis, service.TokenMillis);
        if (service.TokensGranted is { } granted)
        {
            Add(WorkloadSum.TokensGranted, granted);
            Add(WorkloadSum.TokensUsedOfGranted, service.Tokens);
        }
    }

    private void Add(WorkloadSum sum, long amount) => Add(sum, checked((UInt128)amount));
}
