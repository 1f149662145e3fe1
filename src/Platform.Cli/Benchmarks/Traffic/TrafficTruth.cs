using Platform.Domain.Allocation;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;

namespace Platform.Cli.Benchmarks.Traffic;

/// <summary>What one who knows the rates makes of a scenario, and the best that one number of tokens can.</summary>
internal sealed class TrafficTruth
{
    /// <summary>Seconds of a step.</summary>
    public const int StepSeconds = 10;

    private const int StepsOfMinute = 60 / StepSeconds;

    private readonly FleetDefinition _definition;
    private readonly TrafficAllocation _fewest;
    private readonly double[] _rates;
    private readonly TrafficAllocation[] _best;

    /// <summary>Solves each minute and looks for the single budget.</summary>
    public TrafficTruth(TrafficScenario scenario)
    {
        _definition = scenario.Definition;
        _rates = scenario.RateByMinute;
        _fewest = new TrafficAllocation(_definition, [.. _definition.TaskTypes.Select(type => type.MinTokens)]);
        var byRate = _rates.Distinct().ToDictionary(rate => rate, BestAt);
        _best = [.. _rates.Select(rate => byRate[rate])];
        Single = BestSingle();
        BestObjectives = ObjectivesOf(minute => _best[minute]);
        SingleObjectives = ObjectivesOf(_ => Single);
    }

    /// <summary>
    /// The one number of tokens for every query of every minute that is best over them all, known beforehand.
    /// </summary>
    public TrafficAllocation Single { get; }

    /// <summary>The clairvoyant's objective at each step, seconds.</summary>
    public double[] BestObjectives { get; }

    /// <summary>The single budget's objective at each step, seconds.</summary>
    public double[] SingleObjectives { get; }

    /// <summary>Whether some allocation is stable at a rate.</summary>
    public bool CanCarry(double rate) => rate < _fewest.Saturation;

    /// <summary>The clairvoyant's allocation in a minute.</summary>
    public TrafficAllocation BestIn(int minute) => _best[minute];

    /// <summary>What an allocation of the fleet does.</summary>
    public TrafficAllocation Of(long[] tokens) => new(_definition, tokens);

    /// <summary>The best allocation at a steady rate; the fewest tokens where none keeps the limits.</summary>
    private TrafficAllocation BestAt(double rate)
    {
        var problem = ProblemBuilder.OfDefinition(_definition) with { ArrivalRate = rate };
        return AllocationSolver.SolveInSteps(problem).Answer.Allocation is { } allocation
            ? Of([.. allocation.Select(type => type.Tokens)])
            : _fewest;
    }

    private TrafficAllocation BestSingle()
    {
        const double Ratio = 1.4;
        var best = SameForAll(0);
        var bestWorth = WorthOf(best);
        for (var tokens = 1.0; tokens < _definition.TaskTypes.Max(type => type.MaxTokens); tokens *= Ratio)
            Try((long)Math.Round(tokens));
        for (var step = Math.Max(best.Tokens[0] / 4, 1); step > 0; step /= 2)
        {
            Try(best.Tokens[0] + step);
            Try(best.Tokens[0] - (2 * step));
            Try(best.Tokens[0] + step);
        }

        return best;

        void Try(long tokens)
        {
            var tried = SameForAll(Math.Max(tokens, 0));
            var worth = WorthOf(tried);
            if (worth <= bestWorth)
                return;
            bestWorth = worth;
            best = tried;
        }
    }

    private double WorthOf(TrafficAllocation allocation) =>
        ObjectivesOf(_ => allocation).Select((objective, step) => objective * _rates[step / StepsOfMinute]).Sum();

    private double[] ObjectivesOf(Func<int, TrafficAllocation> inForce)
    {
        var backlog = new TrafficBacklog();
        var objectives = new double[_rates.Length * StepsOfMinute];
        for (var step = 0; step < objectives.Length; step++)
        {
            var minute = step / StepsOfMinute;
            var allocation = inForce(minute);
            backlog.Pass(allocation, _rates[minute], StepSeconds);
            objectives[step] = allocation.Worth - backlog.SystemSeconds(allocation);
        }

        return objectives;
    }

    private TrafficAllocation SameForAll(long tokens) =>
        Of([.. Enumerable.Repeat(tokens, _definition.TaskTypes.Count)]);
}
