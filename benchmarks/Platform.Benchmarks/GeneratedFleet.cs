using Platform.Domain.Allocation;

namespace Platform.Benchmarks;

/// <summary>
/// A seeded fleet of moderate load, as columns and as a problem, with the plain evaluation that everything is measured
/// against.
/// </summary>
internal sealed class GeneratedFleet
{
    public const double Rate = 0.3;
    public const double Weight = 60;

    private readonly double[] _share,
        _base,
        _cost,
        _floor,
        _gain,
        _rate,
        _most;

    public GeneratedFleet(int types, int seed)
    {
        var random = new Random(seed);
        double Between(double low, double high) => low + ((high - low) * random.NextDouble());
        double[] Fill(Func<double> draw) => [.. Enumerable.Range(0, types).Select(_ => draw())];
        _share = Fill(() => Between(0.1, 1));
        var sum = _share.Sum();
        for (var k = 0; k < types; k++)
            _share[k] /= sum;
        _base = Fill(() => Between(0, 1));
        _cost = Fill(() => Math.Pow(10, Between(-3, -1.5)));
        _floor = Fill(() => Between(0, 0.5));
        _gain = [.. _floor.Select(floor => Between(0.1, 1 - floor))];
        _rate = Fill(() => Math.Pow(10, Between(-3.5, -1.5)));
        _most = Fill(() => 32_768);
        (Tokens, Gradient) = (new double[types], new double[types]);
    }

    public int Count => _share.Length;

    public double[] Tokens { get; }

    public double[] Gradient { get; }

    public double[] Upper => _most;

    public BulkProblem Columns(double rate = Rate) =>
        new()
        {
            ArrivalRate = rate,
            AccuracyWeight = Weight,
            Share = _share,
            BaseSeconds = _base,
            SecondsPerToken = _cost,
            Floor = _floor,
            Gain = _gain,
            RatePerToken = _rate,
            MaxTokens = _most,
        };

    public AllocationProblem Problem() =>
        new()
        {
            ArrivalRate = Rate,
            AccuracyWeight = Weight,
            TaskTypes =
            [
                .. Enumerable
                    .Range(0, Count)
                    .Select(k => new TaskType
                    {
                        Id = $"type-{k}",
                        Share = _share[k],
                        MaxTokens = (long)_most[k],
                        Service = new(_base[k], _cost[k]),
                        Accuracy = new(_floor[k], _gain[k], _rate[k]),
                    }),
            ],
        };

    /// <summary>The same types on servers that share: α 20 ms, δ about 0.4 ms, 50 to 300 answer tokens.</summary>
    /// <param name="costs">By how much δ differs from one type to the next: 0 for not at all.</param>
    /// <param name="maxInService">Cap on the queries in service, or null.</param>
    public AllocationProblem Sharing(double costs, int? maxInService)
    {
        const double Overhead = 0.02;
        const double Work = 4e-4;
        var random = new Random(Count);
        return Problem() with
        {
            ArrivalRate = 1,
            Dispatch = Dispatch.Sharing,
            Sharing = new SharingServer(Overhead, maxInService),
            TaskTypes = [.. Problem().TaskTypes.Select(WithSharing)],
        };

        TaskType WithSharing(TaskType type)
        {
            var answer = random.Next(50, 300);
            var perToken = Overhead + (Work * (1 + (costs * ((2 * random.NextDouble()) - 1))));
            return type with { AnswerTokens = answer, Service = new ServiceLine(0.05 + (perToken * answer), perToken) };
        }
    }

    /// <summary>
    /// One evaluation of the objective and its gradient, as anyone would write it: two loops and one exponential for
    /// each type.
    /// </summary>
    /// <returns>J, −∞ where the queue is unstable.</returns>
    public double Evaluate(ReadOnlySpan<double> tokens, Span<double> gradient)
    {
        double mean = 0,
            square = 0,
            accuracy = 0;
        for (var k = 0; k < tokens.Length; k++)
        {
            var time = _base[k] + (_cost[k] * tokens[k]);
            var missing = _gain[k] * Math.Exp(-_rate[k] * tokens[k]);
            mean += _share[k] * time;
            square += _share[k] * time * time;
            accuracy += _share[k] * (_floor[k] + _gain[k] - missing);
            gradient[k] = Weight * missing * _rate[k];
        }

        var idle = 1 - (Rate * mean);
        var x = Rate / idle;
        var kappa = 1 + (x * x * square / 2);
        for (var k = 0; k < tokens.Length; k++)
            gradient[k] = _share[k] * (gradient[k] - (_cost[k] * (kappa + (x * (_base[k] + (_cost[k] * tokens[k]))))));
        return idle > 0 ? (Weight * accuracy) - mean - (x * square / 2) : double.NegativeInfinity;
    }
}
