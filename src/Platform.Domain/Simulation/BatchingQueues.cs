namespace Platform.Domain.Simulation;

/// <summary>A queue of whole numbers, first in first out; it allocates only when it grows.</summary>
internal sealed class IndexQueue
{
    private int[] _ring = new int[16];
    private int _first;

    public int Count { get; private set; }

    public int Peek() => _ring[_first];

    public void Enqueue(int index)
    {
        if (Count == _ring.Length)
            Grow();
        _ring[(_first + Count) & (_ring.Length - 1)] = index;
        Count++;
    }

    public int Dequeue()
    {
        var index = _ring[_first];
        _first = (_first + 1) & (_ring.Length - 1);
        Count--;
        return index;
    }

    private void Grow()
    {
        var larger = new int[_ring.Length * 2];
        var untilEnd = _ring.Length - _first;
        Array.Copy(_ring, _first, larger, 0, untilEnd);
        Array.Copy(_ring, 0, larger, untilEnd, _first);
        _ring = larger;
        _first = 0;
    }
}

/// <summary>What is to happen at the end of an iteration to the query in a slot.</summary>
/// <param name="Iteration">How many iterations of the server will have ended.</param>
/// <param name="Slot">The query's slot.</param>
internal readonly record struct Milestone(long Iteration, int Slot)
{
    public static bool operator <(Milestone left, Milestone right) => left.Iteration < right.Iteration;

    public static bool operator >(Milestone left, Milestone right) => left.Iteration > right.Iteration;

    public static bool operator <=(Milestone left, Milestone right) => left.Iteration <= right.Iteration;

    public static bool operator >=(Milestone left, Milestone right) => left.Iteration >= right.Iteration;
}

/// <summary>Milestones with the earliest first: a binary heap that allocates only when it grows.</summary>
internal sealed class MilestoneHeap
{
    private Milestone[] _heap = new Milestone[16];

    public int Count { get; private set; }

    /// <summary>The iteration of the earliest; there is one.</summary>
    public long NextIteration => _heap[0].Iteration;

    public void Add(Milestone added)
    {
        if (Count == _heap.Length)
            Array.Resize(ref _heap, Count * 2);
        var hole = Count++;
        while (hole > 0)
        {
            var parent = (hole - 1) / 2;
            if (_heap[parent] <= added)
                break;
            _heap[hole] = _heap[parent];
            hole = parent;
        }

        _heap[hole] = added;
    }

    /// <summary>Takes the earliest out; there is one.</summary>
    /// <returns>Its slot.</returns>
    public int Take()
    {
        var slot = _heap[0].Slot;
        Count--;
        PlaceFromRoot(_heap[Count]);
        return slot;
    }

    private void PlaceFromRoot(Milestone placed)
    {
        var hole = 0;
        while (true)
        {
            var child = (2 * hole) + 1;
            if (child >= Count)
                break;
            if (child + 1 < Count && _heap[child + 1] < _heap[child])
                child++;
            if (_heap[child] >= placed)
                break;
            _heap[hole] = _heap[child];
            hole = child;
        }

        _heap[hole] = placed;
    }
}
