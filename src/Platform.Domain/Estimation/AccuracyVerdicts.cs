namespace Platform.Domain.Estimation;

/// <summary>Verdicts of one task type at a number of tokens, weighted by age.</summary>
/// <param name="Tokens">Mean granted tokens.</param>
/// <param name="Trials">Σwn, above 0.</param>
/// <param name="Correct">Σwc.</param>
/// <param name="SquaredTrials">Σw²n: the variance of the weighted count is this much p(1 − p).</param>
internal readonly record struct WeightedVerdicts(double Tokens, double Trials, double Correct, double SquaredTrials)
{
    /// <summary>Trials that scatter as much as the weighted ones do, (Σwn)²/Σw²n.</summary>
    public double EffectiveTrials => Trials * Trials / SquaredTrials;

    /// <summary>Correct over trials.</summary>
    public double Accuracy => Correct / Trials;
}

/// <summary>What all verdicts of a task type come to.</summary>
/// <param name="Trials">Effective trials.</param>
/// <param name="Right">The right ones of them.</param>
internal readonly record struct VerdictTotals(double Trials, double Right)
{
    /// <summary>Whether there are enough to tell a type that is never right, or always, from chance.</summary>
    public bool AreMany => Trials >= ValidityThresholds.OneSidedVerdicts;

    public bool AreAllWrong => Right == 0;

    /// <summary>But for what the sums lose by rounding.</summary>
    public bool AreAllRight => Right >= Trials * (1 - 1e-12);

    public static VerdictTotals Of(ReadOnlySpan<WeightedVerdicts> cells)
    {
        var (trials, right) = (0.0, 0.0);
        foreach (var cell in cells)
        {
            trials += cell.EffectiveTrials;
            right += cell.EffectiveTrials * cell.Accuracy;
        }

        return new VerdictTotals(trials, right);
    }
}

/// <summary>
/// The verdicts of one task type within the horizon by cell of <see cref="AccuracyGrid"/>, ascending.
/// </summary>
internal sealed class AccuracyVerdicts
{
    private readonly short[] _slotOfCell = new short[AccuracyGrid.Cells];
    private (int Cell, double TokenTrials, double Trials, double Correct, double Squared)[] _slots = new (
        int,
        double,
        double,
        double,
        double
    )[8];
    private WeightedVerdicts[] _verdicts = new WeightedVerdicts[8];
    private int _count;

    /// <summary>Queries with a verdict, unweighted.</summary>
    public UInt128 Trials { get; private set; }

    /// <summary>Cells with a trial, by ascending tokens.</summary>
    public ReadOnlySpan<WeightedVerdicts> Cells => _verdicts.AsSpan(0, _count);

    /// <summary>Takes the verdicts of a task type in place of those of the one before.</summary>
    public void Load(ReadOnlySpan<TaskSums?> tasks, ReadOnlySpan<double> weights)
    {
        for (var i = 0; i < _count; i++)
            _slotOfCell[_slots[i].Cell] = 0;
        (_count, Trials) = (0, 0);
        for (var i = 0; i < tasks.Length; i++)
        {
            if (tasks[i] is not { } task)
                continue;
            foreach (var cell in task.Cells)
            {
                Trials = checked(Trials + cell.Trials);
                if (cell.Trials > 0)
                    Add(cell, weights[i]);
            }
        }

        Array.Sort(_slots, 0, _count, CellOrder.Instance);
        if (_verdicts.Length < _count)
            _verdicts = new WeightedVerdicts[_slots.Length];
        for (var i = 0; i < _count; i++)
        {
            var slot = _slots[i];
            _slotOfCell[slot.Cell] = (short)(i + 1);
            _verdicts[i] = new WeightedVerdicts(
                slot.TokenTrials / slot.Trials,
                slot.Trials,
                slot.Correct,
                slot.Squared
            );
        }
    }

    /// <summary>Where in <see cref="Cells"/> a cell is; it must have a trial.</summary>
    public int IndexOf(int cell) => _slotOfCell[cell] - 1;

    // Token trials reach 2^106: with weights they would not fit in 128 bits, and a likelihood needs no exact sums.
    private void Add(AccuracyCell cell, double weight)
    {
        var at = _slotOfCell[cell.Cell] - 1;
        if (at < 0)
        {
            if (_count == _slots.Length)
                Array.Resize(ref _slots, 2 * _count);
            at = _count++;
            _slots[at] = (cell.Cell, 0, 0, 0, 0);
            _slotOfCell[cell.Cell] = (short)(at + 1);
        }

        ref var slot = ref _slots[at];
        var trials = TaskSums.Nearest(cell.Trials);
        slot.TokenTrials += weight * TaskSums.Nearest(cell.TokenTrials);
        slot.Trials += weight * trials;
        slot.Correct += weight * TaskSums.Nearest(cell.Correct);
        slot.Squared += weight * weight * trials;
    }

    private sealed class CellOrder : IComparer<(int Cell, double, double, double, double)>
    {
        public static readonly CellOrder Instance = new();

        public int Compare(
            (int Cell, double, double, double, double) x,
            (int Cell, double, double, double, double) y
        ) => x.Cell.CompareTo(y.Cell);
    }
}
