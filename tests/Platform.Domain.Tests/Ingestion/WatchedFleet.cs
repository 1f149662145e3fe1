using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;
using Platform.Domain.Simulation;
using Platform.Domain.Snapshots;
using Platform.Domain.Tests.Estimation;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Ingestion;

/// <summary>A fleet whose gateways report every ten seconds by turns, and the watch over it.</summary>
internal sealed class WatchedFleet
{
    public const int WindowSeconds = 10;

    private static readonly DateTimeOffset Start = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    private readonly FleetDefinition _definition;
    private readonly WorkloadSums _sums;
    private Xoshiro256 _random;
    private DateTimeOffset _now = Start;
    private int _windows;

    /// <param name="seed">Decides everything.</param>
    /// <param name="rate">Arrivals a second.</param>
    /// <param name="servers">Servers: with one, a second of work a second is all there is.</param>
    /// <param name="change">Changes the definition.</param>
    public WatchedFleet(int seed, double rate, int servers = 100, Func<FleetDefinition, FleetDefinition>? change = null)
    {
        _random = new Xoshiro256((ulong)seed);
        Rate = rate;
        var definition = Definitions.Fleet() with { ArrivalRate = rate, Servers = servers };
        _definition = change?.Invoke(definition) ?? definition;
        _sums = new WorkloadSums(_definition.Solving.HorizonSeconds);
    }

    public WorkloadWatch Watch { get; } = new();

    /// <summary>Arrivals a second, of all gateways.</summary>
    public double Rate { get; set; }

    /// <summary>Service times against the definition's.</summary>
    public double Slowness { get; set; } = 1;

    /// <summary>Index of dispersion of a window's arrivals.</summary>
    public double Dispersion { get; set; } = 1;

    /// <summary>Parts of the traffic that gateways have.</summary>
    public double[] Gateways { get; set; } = [1];

    /// <summary>Arrivals expected in a window of the mean gateway.</summary>
    public double Expected => Rate * WindowSeconds / Gateways.Length;

    public WorkloadExpectation? Expectation { get; private set; }

    /// <summary>Lets so many rounds of the gateways go into the evidence, and solves.</summary>
    public WatchedFleet Learn(int rounds)
    {
        for (var i = 0; i < rounds * Gateways.Length; i++)
            _sums.Fold(Next());
        Expectation = SolvePolicy
            .Solve(
                new SnapshotInputs
                {
                    Tenant = "acme",
                    Fleet = "chat",
                    Definition = _definition,
                    DefinitionRevision = 1,
                    Sums = _sums,
                    WorkloadVersion = _windows,
                    SolvedAt = _now,
                },
                null
            )
            .Expectation;
        Watch.Expect(Expectation);
        return this;
    }

    /// <summary>Watches the next window.</summary>
    public SolveReason? Step() => Watch.Observe([Next()])?.Reason;

    /// <summary>Watches until there is an alarm.</summary>
    /// <returns>
    /// Windows until then, that of the alarm included, and its reason; null when there is none in time.
    /// </returns>
    public (int Windows, SolveReason Reason)? UntilAlarm(int atMost)
    {
        for (var i = 1; i <= atMost; i++)
        {
            if (Step() is { } reason)
                return (i, reason);
        }

        return null;
    }

    /// <summary>Alarms in so many windows, the watch beginning again after each.</summary>
    public int Alarms(int windows)
    {
        var alarms = 0;
        for (var i = 0; i < windows; i++)
        {
            if (Step() is null)
                continue;
            alarms++;
            Watch.Expect(Expectation);
        }

        return alarms;
    }

    /// <summary>The next window of the gateway whose turn it is.</summary>
    public WorkloadWindow Next()
    {
        var gateway = _windows++ % Gateways.Length;
        if (gateway == 0)
            _now = _now.AddSeconds(WindowSeconds);
        return new WorkloadWindow
        {
            Fleet = "chat",
            WindowStart = _now.AddSeconds(-WindowSeconds),
            WindowEnd = _now,
            Tasks =
            [
                .. _definition.TaskTypes.Select(type =>
                    Serve(type, Rate * WindowSeconds * type.Share * Gateways[gateway])
                ),
            ],
        };
    }

    private TaskWindow Serve(TaskType type, double mean)
    {
        var queries = new (long Tokens, long Millis)[Count(mean)];
        for (var i = 0; i < queries.Length; i++)
        {
            var used = 100 + _random.NextIndex(300, out _);
            var seconds = Slowness * (type.Service.BaseSeconds + (type.Service.SecondsPerToken * used));
            queries[i] = (
                used,
                (long)Math.Round(1e3 * new GammaLaw(seconds, 0.16 * seconds * seconds).Next(ref _random))
            );
        }

        return Windows.Served(type.Id, queries);
    }

    /// <summary>Poisson, or negative binomial with the dispersion asked for.</summary>
    private long Count(double mean)
    {
        if (Dispersion > 1)
            mean = new GammaLaw(mean, mean * (Dispersion - 1)).Next(ref _random);
        var count = -1L;
        for (var at = 0.0; at < mean || count < 0; count++)
            at += _random.NextExponential();
        return count;
    }
}
