using System.Runtime.CompilerServices;
using Platform.Domain.Contracts;

namespace Platform.Domain.Estimation;

/// <summary>
/// The exact sums of one task type in one age bucket. A window adds less than 2^106 to any of them, so 128 bits hold a
/// million of the largest windows possible; beyond that the addition throws and never wraps.
/// </summary>
internal sealed class TaskSums(string taskType)
{
    /// <summary>Number of values of <see cref="WorkloadSum"/>.</summary>
    public const int Count = (int)WorkloadSum.ConcurrencyInService + 1;

    // Nearly always all of them fit in 64 bits: then the others are not there, which halves what a fleet's sums take of
    // memory and time.
    private ShortSums _short;
    private UInt128[]? _long;
    private AccuracyCell[] _cells = [];
    private int _cellCount;
    private UInt128[]? _arrivalsByPart;

    public string TaskType { get; } = taskType;

    public UInt128 this[WorkloadSum sum] => _long is null ? _short[(int)sum] : _long[(int)sum];

    /// <summary>Whether every sum fits in 64 bits.</summary>
    public bool IsShort => _long is null;

    /// <summary>Verdicts by ascending cell.</summary>
    public ReadOnlySpan<AccuracyCell> Cells => _cells.AsSpan(0, _cellCount);

    /// <summary>Arrivals by part of the bucket: see <see cref="TrafficParts"/>; empty where none are counted.</summary>
    public ReadOnlySpan<UInt128> ArrivalsByPart => _arrivalsByPart;

    /// <summary>A sum as the nearest double.</summary>
    public double Of(WorkloadSum sum) => _long is null ? _short[(int)sum] : Nearest(_long[(int)sum]);

    /// <summary>A sum where <see cref="IsShort"/> is true.</summary>
    public ulong Short(WorkloadSum sum) => _short[(int)sum];

    /// <summary>
    /// The nearest double; nearly every sum fits in 64 bits, where the conversion is one instruction.
    /// </summary>
    public static double Nearest(UInt128 value) => value <= ulong.MaxValue ? (ulong)value : (double)value;

    public void Add(WorkloadSum sum, UInt128 amount)
    {
        if (_long is null && amount <= ulong.MaxValue)
            Add((int)sum, (ulong)amount);
        else
            AddLong((int)sum, amount);
    }

    /// <summary>Adds arrivals to a part of the bucket alone.</summary>
    /// <param name="part">Its number.</param>
    /// <param name="parts">The bucket's number of parts.</param>
    /// <param name="amount">The arrivals.</param>
    public void AddArrivals(int part, int parts, UInt128 amount)
    {
        _arrivalsByPart ??= new UInt128[parts];
        _arrivalsByPart[part] = checked(_arrivalsByPart[part] + amount);
    }

    /// <summary>Forgets in which part of the bucket the queries arrived.</summary>
    public void DropParts() => _arrivalsByPart = null;

    /// <summary>Adds a cell that comes after all that are there.</summary>
    public void Append(AccuracyCell amount)
    {
        Reserve(_cellCount + 1);
        _cells[_cellCount++] = amount;
    }

    public void Add(AccuracyCell amount)
    {
        var at = _cellCount;
        while (at > 0 && _cells[at - 1].Cell > amount.Cell)
            at--;
        if (at > 0 && _cells[at - 1].Cell == amount.Cell)
        {
            _cells[at - 1] += amount;
            return;
        }

        Reserve(_cellCount + 1);
        Array.Copy(_cells, at, _cells, at + 1, _cellCount - at);
        _cells[at] = amount;
        _cellCount++;
    }

    /// <summary>Adds the sums of the same task type from other windows.</summary>
    public void Add(TaskSums other)
    {
        for (var sum = 0; sum < Count; sum++)
        {
            if (_long is null && other._long is null)
                Add(sum, other._short[sum]);
            else
                AddLong(sum, other[(WorkloadSum)sum]);
        }

        foreach (var cell in other.Cells)
            Add(cell);
        for (var part = 0; part < other.ArrivalsByPart.Length; part++)
            AddArrivals(part, other.ArrivalsByPart.Length, other.ArrivalsByPart[part]);
    }

    /// <summary>Makes room for a number of cells.</summary>
    public void Reserve(int cells)
    {
        if (cells > _cells.Length)
            Array.Resize(ref _cells, Math.Max(cells, 2 * _cellCount));
    }

    /// <summary>Adds everything that does not spread over the window's length: all but the arrivals.</summary>
    public void AddEnded(TaskWindow task)
    {
        if (task.Service is { } service)
            AddService(service);
        if (task.System is { } system)
        {
            Add(WorkloadSum.SystemCompletions, system.Completions);
            Add(WorkloadSum.SystemMillis, system.Millis);
            if (system.MillisSquared is { } squares)
                Add(WorkloadSum.SystemMillisSquared, squares);
        }

        foreach (var count in task.Accuracy ?? [])
        {
            var tokenTrials = checked((UInt128)count.Tokens * (UInt128)count.Trials);
            Add(
                checked(
                    new AccuracyCell(
                        AccuracyGrid.CellOf(count.Tokens),
                        tokenTrials,
                        (UInt128)count.Trials,
                        (UInt128)count.Correct
                    )
                )
            );
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

        if (service.AnswerTokens is { } answer)
        {
            Add(WorkloadSum.AnswerTokens, answer);
            Add(WorkloadSum.AnswerCompletions, service.Completions);
        }

        if (service.Concurrency is { } concurrency)
        {
            Add(WorkloadSum.ConcurrencyTokens, concurrency.Tokens);
            Add(WorkloadSum.ConcurrencyInService, concurrency.InService);
        }
    }

    private void Add(WorkloadSum sum, long amount) => Add(sum, checked((UInt128)amount));

    private void Add(int sum, ulong amount)
    {
        var value = unchecked(_short[sum] + amount);
        if (value >= amount)
            _short[sum] = value;
        else
            AddLong(sum, amount);
    }

    private void AddLong(int sum, UInt128 amount)
    {
        if (_long is null)
        {
            _long = new UInt128[Count];
            for (var i = 0; i < Count; i++)
                _long[i] = _short[i];
        }

        _long[sum] = checked(_long[sum] + amount);
    }

    [InlineArray(Count)]
    private struct ShortSums
    {
        private ulong _first;
    }
}
