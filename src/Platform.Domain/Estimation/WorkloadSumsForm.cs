using System.Buffers;
using System.Text;

namespace Platform.Domain.Estimation;

/// <summary>
/// The stored form of <see cref="WorkloadSums"/>: a version byte, then whole numbers in LEB128 (seven bits a byte, least first; signed
/// ones in zigzag), everything in ascending order, so that equal sums have one form.
/// </summary>
internal static class WorkloadSumsForm
{
    private const byte FormatVersion = 1;

    public static byte[] Write(WorkloadSums sums)
    {
        var form = new SumsWriter();
        form.Number(FormatVersion);
        form.Number((UInt128)sums.HorizonSeconds);
        form.Number((UInt128)(sums.LastWindowEnd is { } end ? end.UtcTicks + 1 : 0));
        form.Signed(sums.FirstKept);
        form.Number((UInt128)sums.Buckets.Count);
        foreach (var (index, bucket) in sums.Buckets)
        {
            form.Signed(index);
            WriteBucket(form, bucket);
        }

        return form.ToArray();
    }

    /// <exception cref="FormatException">Not of this form or version.</exception>
    public static WorkloadSums Read(ReadOnlySpan<byte> bytes)
    {
        var form = new SumsReader(bytes);
        if (form.Number(byte.MaxValue) != FormatVersion)
            throw new FormatException("Workload sums of another version.");
        var horizon = (int)form.Number(60, 604_800);
        var end = form.Number(DateTimeOffset.MaxValue.UtcTicks + 1);
        var firstKept = form.Signed();
        var buckets = new SortedDictionary<long, AgeBucket>();
        for (var left = form.Number(int.MaxValue); left > 0; left--)
        {
            if (!buckets.TryAdd(form.Signed(), ReadBucket(ref form, WorkloadSums.WidthFor(horizon))))
                throw new FormatException("Workload sums with a bucket twice.");
        }

        form.End();
        return new WorkloadSums(horizon, end == 0 ? null : new DateTimeOffset(end - 1, TimeSpan.Zero), firstKept, buckets);
    }

    private static void WriteBucket(SumsWriter form, AgeBucket bucket)
    {
        foreach (var run in bucket.Covered.Runs())
            form.Number((UInt128)run);
        form.Number((UInt128)bucket.Tasks.Count);
        foreach (var (taskType, task) in bucket.Tasks)
        {
            form.Text(taskType);
            for (var sum = 0; sum < TaskSums.Count; sum++)
                form.Number(task[(WorkloadSum)sum]);
            form.Number((UInt128)task.Cells.Count);
            foreach (var (cell, counts) in task.Cells)
            {
                form.Number((UInt128)cell);
                form.Number(counts.TokenTrials);
                form.Number(counts.Trials);
                form.Number(counts.Correct);
            }
        }
    }

    private static AgeBucket ReadBucket(ref SumsReader form, int width)
    {
        var bucket = new AgeBucket(width);
        for (var (second, covered) = (0, false); second < width; covered = !covered)
        {
            var run = (int)form.Number(width - second);
            if (covered)
                bucket.Covered.Mark(second, second + run);
            else if (run == 0 && second > 0)
                throw new FormatException("Workload sums with an empty run of covered seconds.");
            second += run;
        }

        for (var left = form.Number(AgeBucket.MaxTaskTypes); left > 0; left--)
            ReadTask(ref form, bucket);
        return bucket;
    }

    private static void ReadTask(ref SumsReader form, AgeBucket bucket)
    {
        var taskType = form.Text();
        if (bucket.Tasks.ContainsKey(taskType) || bucket.For(taskType) is not { } task)
            throw new FormatException("Workload sums with a task type twice.");
        for (var sum = 0; sum < TaskSums.Count; sum++)
            task.Add((WorkloadSum)sum, form.Number());
        for (var left = form.Number(AccuracyGrid.Cells); left > 0; left--)
        {
            var cell = (int)form.Number(AccuracyGrid.Cells - 1);
            if (task.Cells.ContainsKey(cell))
                throw new FormatException("Workload sums with a cell twice.");
            task.Add(cell, new AccuracyCell(form.Number(), form.Number(), form.Number()));
        }
    }

    private sealed class SumsWriter
    {
        private readonly ArrayBufferWriter<byte> _bytes = new();

        public byte[] ToArray() => _bytes.WrittenSpan.ToArray();

        public void Number(UInt128 value)
        {
            for (; value > 127; value >>= 7)
                Byte((byte)(value & 127 | 128));
            Byte((byte)value);
        }

        public void Signed(long value) => Number((ulong)(value << 1 ^ value >> 63));

        public void Text(string text)
        {
            var utf8 = Encoding.UTF8.GetBytes(text);
            Number((UInt128)utf8.Length);
            _bytes.Write(utf8);
        }

        private void Byte(byte value) => _bytes.Write([value]);
    }

    private ref struct SumsReader(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _rest = bytes;

        public UInt128 Number()
        {
            var value = UInt128.Zero;
            for (var shift = 0; ; shift += 7)
            {
                var next = Take(1)[0];
                if (shift > 121 && next > 3)
                    throw new FormatException("Workload sums with a number beyond 128 bits.");
                value |= (UInt128)(next & 127u) << shift;
                if (next < 128)
                    return value;
            }
        }

        public long Number(long most) => Number(0, most);

        public long Number(long least, long most)
        {
            var value = Number();
            return value >= (UInt128)least && value <= (UInt128)most
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

        public string Text() => Encoding.UTF8.GetString(Take((int)Number(256)));

        public readonly void End()
        {
            if (!_rest.IsEmpty)
                throw new FormatException("Workload sums with bytes left over.");
        }

        private ReadOnlySpan<byte> Take(int count)
        {
            if (_rest.Length < count)
                throw new FormatException("Workload sums that end too soon.");
            var taken = _rest[..count];
            _rest = _rest[count..];
            return taken;
        }
    }
}
