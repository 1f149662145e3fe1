using Platform.Domain.Allocation;
using Platform.Domain.Fleets;

namespace Platform.Domain.Estimation;

/// <summary>
/// How many queries were in service at a server, by Little's law, in each stretch of time; and how much the load moved
/// from stretch to stretch beyond what chance gives.
/// </summary>
/// <remarks>
/// The load of a stretch is the lone service time, by the definition's lines, of the queries that ended in it. It does
/// not depend on how many were in service. With Poisson arrivals of an even rate it scatters as a compound Poisson sum.
/// </remarks>
internal sealed class InService
{
    /// <summary>Stretches that must have been seen before their differences tell anything.</summary>
    internal const int LeastStretches = 3;

    private readonly double[] _busySeconds;
    private readonly double[] _loneSeconds;
    private readonly int[] _stretch;
    private double _loneSquared;

    /// <param name="definition">The fleet's definition.</param>
    /// <param name="evidence">The fleet's sums.</param>
    public InService(FleetDefinition definition, WorkloadEvidence evidence)
    {
        _stretch = evidence.StretchNumbers();
        Stretches = evidence.Count == 0 ? 0 : _stretch[^1] + 1;
        _busySeconds = new double[Stretches];
        _loneSeconds = new double[Stretches];
        for (var i = 0; i < evidence.Count; i++)
            _busySeconds[_stretch[i]] += evidence.Ended[i].Millis / 1e3;
        for (var k = 0; k < definition.TaskTypes.Count; k++)
            AddLone(definition.TaskTypes[k].Service, evidence.Of(k));
        ServerSeconds = TimeOfServers(evidence, definition.Servers);
        Mean = Weighted(evidence);
        ByStretch = new double[Stretches];
        for (var j = 0; j < Stretches; j++)
            ByStretch[j] = ServerSeconds[j] > 0 ? _busySeconds[j] / ServerSeconds[j] : Mean;
        Variation = Dispersion();
    }

    /// <summary>Number of stretches.</summary>
    public int Stretches { get; }

    /// <summary>Server seconds that the windows of each stretch stand for.</summary>
    public double[] ServerSeconds { get; }

    /// <summary>N of each stretch.</summary>
    public double[] ByStretch { get; }

    /// <summary>N over all stretches, weighted by age.</summary>
    public double Mean { get; }

    /// <summary>
    /// χ² of the loads around their mean, with its degrees of freedom; null of too few stretches.
    /// </summary>
    public (double ChiSquared, double Freedom)? Variation { get; }

    /// <summary>
    /// The part of the load's spread that chance does not explain, 0 to 1: 0 up to four standard deviations of what
    /// chance gives.
    /// </summary>
    public double PartBeyondChance
    {
        get
        {
            if (Variation is not { ChiSquared: > 0 } seen)
                return 0;
            var mostByChance = seen.Freedom + (ValidityThresholds.LargestZScore * Math.Sqrt(2 * seen.Freedom));
            return Math.Max(1 - (mostByChance / seen.ChiSquared), 0);
        }
    }

    /// <summary>The stretch of a bucket.</summary>
    public int StretchOf(int bucket) => _stretch[bucket];

    /// <summary>N in the stretch of a bucket.</summary>
    public double At(int bucket) => ByStretch[_stretch[bucket]];

    private void AddLone(ServiceLine line, ReadOnlySpan<TaskSums?> tasks)
    {
        for (var i = 0; i < tasks.Length; i++)
        {
            if (tasks[i] is not { } task)
                continue;
            var count = task.Of(WorkloadSum.Completions);
            var tokens = task.Of(WorkloadSum.Tokens);
            var (a, c) = (Math.Max(line.BaseSeconds, 1e-6), line.SecondsPerToken);
            _loneSeconds[_stretch[i]] += (a * count) + (c * tokens);
            _loneSquared += (a * a * count) + (2 * a * c * tokens) + (c * c * task.Of(WorkloadSum.TokensSquared));
        }
    }

    /// <summary>
    /// Server seconds that the windows ended in each stretch stand for. Queries count where their window ended, so the
    /// time does too: the windows' lengths, over how many publishers covered a second in the stretches around.
    /// </summary>
    private double[] TimeOfServers(WorkloadEvidence evidence, int servers)
    {
        var windows = new double[Stretches];
        var covered = new double[Stretches];
        for (var i = 0; i < evidence.Count; i++)
        {
            windows[_stretch[i]] += evidence.WindowSeconds[i];
            covered[_stretch[i]] += evidence.Covered[i];
        }

        var seconds = new double[Stretches];
        for (var j = 0; j < Stretches; j++)
        {
            var around = new Range(Math.Max(j - 1, 0), Math.Min(j + 2, Stretches));
            var publishers = Publishers(Sum(windows.AsSpan(around)) / Sum(covered.AsSpan(around)));
            seconds[j] = windows[j] / publishers * servers;
        }

        return seconds;
    }

    /// <summary>
    /// A whole number where it is near one: windows that lie across the edges of a stretch make the rest.
    /// </summary>
    private static double Publishers(double windowsOverCovered)
    {
        const double NearWhole = 0.2;
        var whole = Math.Max(Math.Round(windowsOverCovered), 1);
        return Math.Abs(windowsOverCovered - whole) <= NearWhole ? whole : windowsOverCovered;
    }

    private double Weighted(WorkloadEvidence evidence)
    {
        var (busy, time) = (0.0, 0.0);
        for (var i = 0; i < evidence.Count; i++)
        {
            var isFirst = i == 0 || _stretch[i] != _stretch[i - 1];
            if (!isFirst)
                continue;
            busy += evidence.Weight[i] * _busySeconds[_stretch[i]];
            time += evidence.Weight[i] * ServerSeconds[_stretch[i]];
        }

        return time > 0 ? busy / time : 0;
    }

    private (double ChiSquared, double Freedom)? Dispersion()
    {
        var (time, load) = (Sum(ServerSeconds), Sum(_loneSeconds));
        if (Stretches < LeastStretches || !(time > 0) || !(load > 0))
            return null;
        var mean = load / time;
        var variancePerSecond = _loneSquared / time;
        var squares = 0.0;
        for (var j = 0; j < Stretches; j++)
        {
            var excess = _loneSeconds[j] - (mean * ServerSeconds[j]);
            squares += ServerSeconds[j] > 0 ? excess * excess / (variancePerSecond * ServerSeconds[j]) : 0;
        }

        return (squares, Stretches - 1);
    }

    private static double Sum(ReadOnlySpan<double> values)
    {
        var sum = 0.0;
        foreach (var value in values)
            sum += value;
        return sum;
    }
}
