using System.Text;
using Platform.Domain.Fleets;

namespace Platform.Domain.Estimation;

/// <summary>
/// The stored form of <see cref="WorkloadSums"/>: a version byte, the ids of the task types once, then the buckets by
/// age; whole numbers in LEB128 (seven bits a byte, least first; signed ones in zigzag), everything in ascending order,
/// so that equal sums have one form.
/// </summary>
/// <remarks>
/// Each task type of a bucket has a mask of 16 bits, little end first: which sums are there at all, and whether it has
/// verdicts. Most publishers leave something out, and most task types are silent most of the time. Sums that came later
/// have the bits after that of the verdicts. The last bit says that a third byte of mask follows, for the sums that
/// came last. Buckets from the first one with parts on have the arrivals of each part after the rest of a task type
/// that has any. After the buckets come the quarters of an hour where days are kept, each with its arrivals and a bit
/// for each 15 seconds that are not covered.
/// </remarks>
internal static class WorkloadSumsForm
{
    private const byte FormatVersion = 4;
    private const int FirstSums = (int)WorkloadSum.SystemMillisSquared + 1;
    private const int HasCells = 1 << FirstSums;
    private const int SecondSums = (int)WorkloadSum.AnswerCompletions + 1;
    private const int HasThirdByte = 2 << SecondSums;
    private const int UnknownBits = ~((4 << TaskSums.Count) - 1);

    public static byte[] Write(WorkloadSums sums)
    {
        var form = new SumsWriter();
        form.Number(FormatVersion);
        form.Number((ulong)sums.HorizonSeconds);
        form.Number((ulong)sums.Reach.Days);
        form.Number((ulong)(sums.LastWindowEnd is { } end ? end.UtcTicks + 1 : 0));
        form.Signed(sums.FirstKept);
        form.Signed(sums.FirstWithParts);
        var ids = WriteIds(form, sums.Buckets);
        form.Number((ulong)sums.Buckets.Count);
        var next = 0L;
        foreach (var bucket in sums.Buckets)
        {
            form.Signed(bucket.Index - next);
            next = bucket.Index + 1;
            WriteBucket(form, bucket, WorkloadSums.WidthFor(sums.HorizonSeconds), ids);
            if (bucket.Index >= sums.FirstWithParts)
                WriteParts(form, bucket);
        }

        if (sums.Reach.Days > 0)
            WriteQuarters(form, sums.Quarters);
        return form.ToArray();
    }

    /// <exception cref="FormatException">Not of this form or version.</exception>
    public static WorkloadSums Read(ReadOnlySpan<byte> bytes)
    {
        var form = new SumsReader(bytes);
        if (form.Number(0, byte.MaxValue) != FormatVersion)
            throw new FormatException("Workload sums of another version.");
        var reach = new WorkloadReach(
            (int)form.Number(60, 604_800),
            (int)form.Number(0, SolvingPolicy.MostForecastDays)
        );
        var width = WorkloadSums.WidthFor(reach.HorizonSeconds);
        var end = form.Number(0, DateTimeOffset.MaxValue.UtcTicks + 1);
        var first = (Kept: form.Signed(), WithParts: form.Signed());
        var ids = ReadIds(ref form);
        var buckets = new List<AgeBucket>();
        var next = 0L;
        for (var left = form.Number(0, int.MaxValue); left > 0; left--)
        {
            var index = unchecked(next + form.Signed());
            if (buckets.Count > 0 && index < next)
                throw new FormatException("Workload sums with buckets out of order.");
            next = unchecked(index + 1);
            var bucket = ReadBucket(ref form, index, width, ids);
            if (index >= first.WithParts)
                ReadParts(ref form, bucket, TrafficParts.CountFor(width));
            buckets.Add(bucket);
        }

        var quarters = reach.Days > 0 ? ReadQuarters(ref form) : new QuarterHours(long.MinValue, []);
        form.End();
        var lastEnd = end == 0 ? (DateTimeOffset?)null : new DateTimeOffset(end - 1, TimeSpan.Zero);
        return new WorkloadSums(reach, lastEnd, first, buckets, quarters);
    }

    private static void WriteQuarters(SumsWriter form, QuarterHours quarters)
    {
        form.Signed(quarters.FirstKept);
        form.Number((ulong)quarters.Known.Count);
        var next = 0L;
        foreach (var quarter in quarters.Known)
        {
            form.Signed(quarter.Index - next);
            next = quarter.Index + 1;
            form.Number(quarter.Arrivals);
            form.Number(QuarterHour.Whole & ~quarter.Covered);
        }
    }

    private static QuarterHours ReadQuarters(ref SumsReader form)
    {
        var firstKept = form.Signed();
        var quarters = new List<QuarterHour>();
        var next = 0L;
        for (var left = form.Number(0, form.Left / 3); left > 0; left--)
        {
            var index = unchecked(next + form.Signed());
            if (quarters.Count > 0 && index < next)
                throw new FormatException("Workload sums with quarters of an hour out of order.");
            next = unchecked(index + 1);
            var arrivals = form.Number();
            quarters.Add(
                new QuarterHour(index, arrivals, QuarterHour.Whole & ~(ulong)form.Number(0, (long)QuarterHour.Whole))
            );
        }

        return new QuarterHours(firstKept, quarters);
    }

    private static SortedList<string, int> WriteIds(SumsWriter form, IReadOnlyList<AgeBucket> buckets)
    {
        var ids = new SortedList<string, int>(StringComparer.Ordinal);
        AgeBucket? last = null;
        foreach (var bucket in buckets)
        {
            if (last is null || !SameIds(last, bucket))
            {
                foreach (var task in bucket.Tasks)
                    ids[task.TaskType] = 0;
            }

            last = bucket;
        }

        form.Number((ulong)ids.Count);
        for (var i = 0; i < ids.Count; i++)
        {
            form.Text(ids.GetKeyAtIndex(i));
            ids.SetValueAtIndex(i, i);
        }

        return ids;
    }

    private static bool SameIds(AgeBucket one, AgeBucket other)
    {
        var same = one.Tasks.Count == other.Tasks.Count;
        for (var i = 0; same && i < one.Tasks.Count; i++)
            same = string.Equals(one.Tasks[i].TaskType, other.Tasks[i].TaskType, StringComparison.Ordinal);
        return same;
    }

    private static string[] ReadIds(ref SumsReader form)
    {
        // Each id takes two bytes at least: a count beyond that is refused before anything is allocated for it.
        var ids = new string[form.Number(0, form.Left / 2)];
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = form.Text();
            if (i > 0 && string.CompareOrdinal(ids[i - 1], ids[i]) >= 0)
                throw new FormatException("Workload sums with task types out of order.");
        }

        return ids;
    }

    private static void WriteBucket(SumsWriter form, AgeBucket bucket, int width, SortedList<string, int> ids)
    {
        for (var (second, covered) = (0, false); second < width; covered = !covered)
        {
            var end = bucket.Covered.RunEnd(second, covered);
            form.Number((ulong)(end - second));
            second = end;
        }

        form.Number(bucket.Windows);
        form.Number(bucket.WindowTicks);
        form.Number((ulong)bucket.Tasks.Count);
        var next = 0;
        foreach (var task in bucket.Tasks)
        {
            var at =
                next < ids.Count && ReferenceEquals(ids.GetKeyAtIndex(next), task.TaskType) ? next : ids[task.TaskType];
            form.Number((ulong)(at - next));
            next = at + 1;
            WriteTask(form, task);
        }
    }

    private static void WriteTask(SumsWriter form, TaskSums task)
    {
        var mask = task.Cells.IsEmpty ? 0 : HasCells;
        for (var sum = 0; sum < TaskSums.Count; sum++)
            mask |= task[(WorkloadSum)sum] == 0 ? 0 : BitOf(sum);
        WriteMask(form, mask);
        for (var sum = 0; sum < TaskSums.Count; sum++)
        {
            if ((mask & BitOf(sum)) != 0)
                form.Number(task[(WorkloadSum)sum]);
        }

        if ((mask & HasCells) == 0)
            return;
        form.Number((ulong)task.Cells.Length);
        foreach (var cell in task.Cells)
        {
            form.Number((ulong)cell.Cell);
            form.Number(cell.TokenTrials);
            form.Number(cell.Trials);
            form.Number(cell.Correct);
        }
    }

    private static void WriteParts(SumsWriter form, AgeBucket bucket)
    {
        foreach (var task in bucket.Tasks)
        {
            foreach (var arrivals in task.ArrivalsByPart)
                form.Number(arrivals);
        }
    }

    private static void WriteMask(SumsWriter form, int mask)
    {
        var thirdByte = (byte)(mask >> 16);
        if (thirdByte != 0)
            mask |= HasThirdByte;
        form.Byte((byte)mask);
        form.Byte((byte)(mask >> 8));
        if (thirdByte != 0)
            form.Byte(thirdByte);
    }

    private static int ReadMask(ref SumsReader form)
    {
        var mask = form.Byte() | (form.Byte() << 8);
        if ((mask & HasThirdByte) == 0)
            return mask;
        var thirdByte = form.Byte();
        if (thirdByte == 0)
            throw new FormatException("Workload sums with an empty third byte of a mask.");
        return mask | (thirdByte << 16);
    }

    /// <summary>A sum's bit: the bits of the verdicts and of the third byte lie between those of the sums.</summary>
    private static int BitOf(int sum)
    {
        if (sum < FirstSums)
            return 1 << sum;
        return sum < SecondSums ? 2 << sum : 4 << sum;
    }

    private static AgeBucket ReadBucket(ref SumsReader form, long index, int width, string[] ids)
    {
        var bucket = new AgeBucket(index, width);
        for (var (second, covered) = (0, false); second < width; covered = !covered)
        {
            var run = (int)form.Number(0, width - second);
            if (covered)
                bucket.Covered.Mark(second, second + run);
            if (run == 0 && second > 0)
                throw new FormatException("Workload sums with an empty run of covered seconds.");
            second += run;
        }

        bucket.AddWindows(form.Number(), form.Number());
        var next = 0L;
        for (var left = form.Number(0, AgeBucket.MaxTaskTypes); left > 0; left--)
        {
            var at = next + form.Number(0, ids.Length - 1 - next);
            next = at + 1;
            if (!bucket.Append(ReadTask(ref form, ids[at])))
                throw new FormatException("Workload sums with task types out of order.");
        }

        return bucket;
    }

    private static void ReadParts(ref SumsReader form, AgeBucket bucket, int parts)
    {
        foreach (var task in bucket.Tasks)
        {
            for (var part = 0; part < parts && task[WorkloadSum.Arrivals] > 0; part++)
                task.AddArrivals(part, parts, form.Number());
        }
    }

    private static TaskSums ReadTask(ref SumsReader form, string id)
    {
        var task = new TaskSums(id);
        var mask = ReadMask(ref form);
        if ((mask & UnknownBits) != 0)
            throw new FormatException("Workload sums with an unknown sum.");
        for (var sum = 0; sum < TaskSums.Count; sum++)
        {
            if ((mask & BitOf(sum)) == 0)
                continue;
            if (form.TryShort(out var value))
                task.Add((WorkloadSum)sum, value);
            else
                task.Add((WorkloadSum)sum, form.Number());
        }

        if ((mask & HasCells) == 0)
            return task;
        var cells = (int)form.Number(1, AccuracyGrid.Cells);
        task.Reserve(Math.Min(cells, form.Left / 4));
        for (var last = -1; cells > 0; cells--)
        {
            last = (int)form.Number(last + 1, AccuracyGrid.Cells - 1);
            task.Append(new AccuracyCell(last, form.Number(), form.Number(), form.Number()));
        }

        return task;
    }

    private sealed class SumsWriter
    {
        private byte[] _bytes = new byte[16_384];
        private int _length;

        public byte[] ToArray() => _bytes.AsSpan(0, _length).ToArray();

        public void Byte(byte value)
        {
            Reserve(1);
            _bytes[_length++] = value;
        }

        public void Number(ulong value)
        {
            Reserve(10);
            for (; value > 127; value >>= 7)
                _bytes[_length++] = (byte)(value | 128);
            _bytes[_length++] = (byte)value;
        }

        public void Number(UInt128 value)
        {
            for (; value > ulong.MaxValue; value >>= 7)
                Byte((byte)((byte)value | 128));
            Number((ulong)value);
        }

        public void Signed(long value) => Number((ulong)(value << 1 ^ value >> 63));

        public void Text(string text)
        {
            var length = Encoding.UTF8.GetByteCount(text);
            Number((ulong)length);
            Reserve(length);
            _length += Encoding.UTF8.GetBytes(text, _bytes.AsSpan(_length));
        }

        private void Reserve(int more)
        {
            if (_length + more > _bytes.Length)
                Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, _length + more));
        }
    }

    private ref struct SumsReader(ReadOnlySpan<byte> bytes)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;
        private int _at;

        /// <summary>Bytes not read yet.</summary>
        public readonly int Left => _bytes.Length - _at;

        public byte Byte() =>
            _at < _bytes.Length ? _bytes[_at++] : throw new FormatException("Workload sums that end too soon.");

        public UInt128 Number() => TryShort(out var value) ? value : Longer();

        /// <summary>
        /// Reads a number of at most nine bytes, which hold 63 bits: nearly every number. Of a longer one nothing is
        /// read.
        /// </summary>
        public bool TryShort(out ulong value)
        {
            value = 0;
            for (var (at, shift) = (_at, 0); shift < 63; shift += 7)
            {
                if ((uint)at >= (uint)_bytes.Length)
                    throw new FormatException("Workload sums that end too soon.");
                ulong next = _bytes[at++];
                value |= (next & 127) << shift;
                if (next < 128)
                {
                    _at = at;
                    return true;
                }
            }

            return false;
        }

        public long Number(long least, long most)
        {
            var value = Number();
            return least <= most && value >= (UInt128)least && value <= (UInt128)most
                ? (long)value
                : throw new FormatException($"Workload sums with {value} where {least} to {most} belongs.");
        }

        public long Signed()
        {
            var value = Number();
            return value <= ulong.MaxValue
                ? (long)((ulong)value >> 1) ^ -(long)((ulong)value & 1)
                : throw new FormatException("Workload sums with a number beyond 64 bits.");
        }

        public string Text()
        {
            var length = (int)Number(0, 256);
            if (length > Left)
                throw new FormatException("Workload sums that end too soon.");
            _at += length;
            return Encoding.UTF8.GetString(_bytes.Slice(_at - length, length));
        }

        public readonly void End()
        {
            if (Left > 0)
                throw new FormatException("Workload sums with bytes left over.");
        }

        private UInt128 Longer()
        {
            UInt128 value = 0;
            for (var shift = 0; ; shift += 7)
            {
                var next = Byte();
                if (shift > 121 && next > 3)
                    throw new FormatException("Workload sums with a number beyond 128 bits.");
                value |= (UInt128)(next & 127u) << shift;
                if (next < 128)
                    return value;
            }
        }
    }
}
