using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Simulation;

namespace Platform.Domain.Tests.Estimation;

/// <summary>
/// A fleet of two to six task types with a hidden truth, and a definition that guesses it: rates, base and slope off by
/// a factor of e^(±½), the curve as far as the estimator presumes. Budgets of each task type span a factor of eight
/// around the scale of its curve; half of a budget or more is used.
/// </summary>
internal sealed class SyntheticFleet
{
    private const int WindowSeconds = 60;
    private const int Budgets = 4;

    private readonly double _timeVariation;
    private Xoshiro256 _random;

    /// <param name="seed">Decides everything.</param>
    /// <param name="queries">Queries expected within the horizon, of which the older ones may have begun to
    /// fade.</param>
    /// <param name="timeVariation">Coefficient of variation of the times between arrivals: 1 for Poisson
    /// arrivals.</param>
    /// <param name="proportional">Whether service times scatter in proportion to their mean rather than alike.</param>
    public SyntheticFleet(int seed, long queries, double timeVariation = 1, bool proportional = false)
    {
        _random = new Xoshiro256((ulong)seed);
        _timeVariation = timeVariation;
        IsProportional = proportional;
        Seconds = (int)(Horizon * Uniform(0.3, 1));
        var shares = Summing(Enumerable.Range(0, 2 + (int)Uniform(0, 5)).Select(_ => Uniform(0.2, 1)));
        TaskType[] types = [.. shares.Select(Type)];
        Granted = [.. types.Select(type => Spread(Uniform(0.5, 2) / type.Accuracy.RatePerToken))];
        var rate = (double)queries / Seconds;
        var load = rate * types.Zip(Granted, (type, granted) => type.Share * Mean(type, granted[1])).Sum();
        Truth = new AllocationProblem
        {
            ArrivalRate = rate,
            Servers = Math.Max((int)(load / Uniform(0.2, 0.8)), 1),
            AccuracyWeight = LogUniform(20, 200),
            TaskTypes = [.. types.Zip(Granted, Scattered)],
        };
        Definition = Guess();
    }

    public const int Horizon = 21_600;

    public AllocationProblem Truth { get; }

    public FleetDefinition Definition { get; }

    /// <summary>The budgets that queries of each task type were granted.</summary>
    public long[][] Granted { get; }

    /// <summary>Seconds over which the fleet is seen.</summary>
    public int Seconds { get; }

    private bool IsProportional { get; }

    public static double Accuracy(AccuracyCurve curve, double tokens) =>
        curve.Floor + (curve.Gain * (1 - Math.Exp(-curve.RatePerToken * tokens)));

    /// <summary>What the estimator makes of the fleet's queries.</summary>
    public FleetEstimate Observed()
    {
        var sums = new WorkloadSums(Horizon);
        var next = TimeBetween();
        var served = new Served[Truth.TaskTypes.Count];
        for (var start = 0; start < Seconds; start += WindowSeconds)
        {
            var end = Math.Min(start + WindowSeconds, Seconds);
            for (var k = 0; k < served.Length; k++)
                served[k] = new Served();
            for (; next < end; next += TimeBetween())
                Serve(served);
            sums.Fold(
                Windows.Of(start, end, [.. served.Select((sum, k) => sum.Window(Truth.TaskTypes[k].Id, Granted[k]))])
            );
        }

        return Estimator.Estimate(Definition, sums, Windows.Start.AddSeconds(Seconds));
    }

    private static long[] Spread(double tokens) =>
        [.. Enumerable.Range(0, Budgets).Select(i => (long)(tokens / 4 * (1 << i)))];

    private static double Mean(TaskType type, double tokens) =>
        type.Service.BaseSeconds + (type.Service.SecondsPerToken * tokens);

    private static double[] Summing(IEnumerable<double> parts)
    {
        double[] all = [.. parts];
        return [.. all.Select(part => part / all.Sum())];
    }

    private TaskType Type(double share, int k)
    {
        var floor = Uniform(0.05, 0.5);
        return new TaskType
        {
            Id = $"type-{k}",
            Share = share,
            MaxTokens = 32_768,
            Service = new ServiceLine(LogUniform(0.1, 1), LogUniform(0.002, 0.02)),
            Accuracy = new AccuracyCurve(floor, Uniform(0.4, 0.9) * (1 - floor), LogUniform(3e-4, 3e-3)),
        };
    }

    /// <summary>A standard deviation of 2 to 50 % of the service time at the smallest budget.</summary>
    private TaskType Scattered(TaskType type, long[] granted)
    {
        var deviation = Uniform(0.02, 0.5) * Mean(type, granted[0]);
        return type with { Service = type.Service with { VarianceSecondsSquared = deviation * deviation } };
    }

    private FleetDefinition Guess()
    {
        var shares = Summing(Truth.TaskTypes.Select(type => type.Share * Factor(0.5)).ToArray());
        return new FleetDefinition
        {
            DisplayName = "Synthetic",
            Servers = Truth.Servers,
            Objective = new FleetObjective { AccuracyWeight = Truth.AccuracyWeight },
            ArrivalRate = Truth.ArrivalRate * Factor(0.5),
            Solving = new SolvingPolicy { HorizonSeconds = Horizon },
            TaskTypes =
            [
                .. Truth.TaskTypes.Select(
                    (type, k) =>
                        type with
                        {
                            Share = shares[k],
                            Service = new ServiceLine(
                                type.Service.BaseSeconds * Factor(0.5),
                                type.Service.SecondsPerToken * Factor(0.5)
                            ),
                            Accuracy = Guess(type.Accuracy),
                        }
                ),
            ],
        };
    }

    private AccuracyCurve Guess(AccuracyCurve curve)
    {
        var ceiling = curve.Floor + curve.Gain;
        var guess = 1 / (1 + ((1 - ceiling) / ceiling * Factor(0.7)));
        var gain = guess * Math.Min(curve.Gain / ceiling * Factor(0.5), 1);
        return new AccuracyCurve(guess - gain, gain, curve.RatePerToken * Factor(0.7));
    }

    private void Serve(Served[] served)
    {
        var at = Uniform(0, 1);
        var k = 0;
        while (k < served.Length - 1 && (at -= Truth.TaskTypes[k].Share) >= 0)
            k++;
        var (type, budget) = (Truth.TaskTypes[k], _random.NextIndex(Budgets, out _));
        var granted = Granted[k][budget];
        var used = (long)(granted * Uniform(0.5, 1));
        var mean = Mean(type, used);
        var relative = IsProportional ? mean / Mean(type, Granted[k][0]) : 1;
        var seconds = new GammaLaw(mean, type.Service.VarianceSecondsSquared * relative * relative).Next(ref _random);
        served[k]
            .Add(
                budget,
                granted,
                used,
                (long)Math.Round(seconds * 1e3),
                Uniform(0, 1) < Accuracy(type.Accuracy, granted)
            );
    }

    private double TimeBetween()
    {
        var mean = 1 / Truth.ArrivalRate;
        return new GammaLaw(mean, mean * mean * _timeVariation * _timeVariation).Next(ref _random);
    }

    private double Factor(double deviation) => Math.Exp(deviation * _random.NextNormal());

    private double Uniform(double low, double high) =>
        low + ((high - low) * ((_random.Next() >> 11) * (1.0 / (1UL << 53))));

    private double LogUniform(double low, double high) => Math.Exp(Uniform(Math.Log(low), Math.Log(high)));

    /// <summary>The sums that a publisher would keep of one task type.</summary>
    private sealed class Served
    {
        private readonly long[] _trials = new long[Budgets],
            _right = new long[Budgets];
        private long _count,
            _tokens,
            _tokensSquared,
            _granted,
            _millis,
            _millisSquared,
            _tokenMillis;

        public void Add(int budget, long granted, long tokens, long millis, bool isRight)
        {
            _count++;
            _granted += granted;
            (_tokens, _tokensSquared) = (_tokens + tokens, _tokensSquared + (tokens * tokens));
            (_millis, _millisSquared, _tokenMillis) = (
                _millis + millis,
                _millisSquared + (millis * millis),
                _tokenMillis + (tokens * millis)
            );
            _trials[budget]++;
            _right[budget] += isRight ? 1 : 0;
        }

        public TaskWindow Window(string taskType, long[] budgets) =>
            new()
            {
                TaskType = taskType,
                Arrivals = _count,
                Service = new ServiceSums
                {
                    Completions = _count,
                    Tokens = _tokens,
                    TokensSquared = _tokensSquared,
                    TokensGranted = _granted,
                    Millis = _millis,
                    MillisSquared = _millisSquared,
                    TokenMillis = _tokenMillis,
                },
                Accuracy =
                [
                    .. budgets
                        .Select(
                            (tokens, i) =>
                                new AccuracyCount
                                {
                                    Tokens = tokens,
                                    Trials = _trials[i],
                                    Correct = _right[i],
                                }
                        )
                        .Where(count => count.Trials > 0),
                ],
            };
    }
}
