using Platform.Domain.Allocation;
using Platform.Domain.Estimation;

namespace Platform.Domain.Tests.Estimation;

/// <summary>
/// Servers that share with a hidden truth, through the estimator: the figures of docs/estimation.md, which each test
/// prints.
/// </summary>
public sealed class SharingRecoveryTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(0.3, 0.6)]
    [InlineData(0.5, 0.6)]
    [InlineData(0.5, 0.3)]
    public void A_load_that_moves_tells_overhead_lines_and_answer_tokens(double utilization, double swing)
    {
        var seen = Seen(200, seed => new SharingFleet(seed, utilization, swing));
        output.WriteLine($"utilization {utilization}, swing {swing}: {seen}");
    }

    [Fact]
    public void A_load_that_only_chance_moves_keeps_the_prior()
    {
        var seen = Seen(200, seed => new SharingFleet(seed, 0.4, 0));
        output.WriteLine($"{seen}");
    }

    private static Figures Seen(int fleets, Func<int, SharingFleet> make)
    {
        var figures = new Figures();
        Parallel.For(0, fleets, seed =>
        {
            var fleet = make(seed);
            figures.Add(fleet, fleet.Observed());
        });
        return figures;
    }

    private sealed class Figures
    {
        private readonly Lock _lock = new();
        private readonly List<double> _utilization = [];
        private readonly Dictionary<string, (int All, int Covered, List<double> Errors)> _covered = [];

        public int Identifiable { get; private set; }

        public void Add(SharingFleet fleet, FleetEstimate estimate)
        {
            lock (_lock)
            {
                Identifiable += estimate.Sharing!.Identifiable ? 1 : 0;
                Add("overhead", estimate.Sharing.OverheadSecondsPerToken, fleet.Overhead);
                for (var k = 0; k < estimate.TaskTypes.Count; k++)
                {
                    var (type, truth) = (estimate.TaskTypes[k], fleet.Truth.TaskTypes[k]);
                    Add("base", type.Service.BaseSeconds, truth.Service.BaseSeconds);
                    Add("per token", type.Service.SecondsPerToken, truth.Service.SecondsPerToken);
                    Add("answer", type.AnswerTokens!, truth.AnswerTokens);
                }

                var problem = ProblemBuilder.Build(fleet.Definition, estimate);
                Assert.Empty(ProblemValidation.Validate(problem));
                _utilization.Add(Utilization(problem, fleet) / Utilization(fleet.Truth, fleet));
            }
        }

        private static double Utilization(AllocationProblem problem, SharingFleet fleet) =>
            fleet.Truth.ArrivalRate * problem.TaskTypes.Index().Sum(it => fleet.Truth.TaskTypes[it.Index].Share
                * (it.Item.Service.BaseSeconds + (it.Item.Service.SecondsPerToken * fleet.Reasoning[it.Index])
                    - (problem.Sharing!.OverheadSecondsPerToken!.Value * (it.Item.AnswerTokens + fleet.Reasoning[it.Index]))));

        private void Add(string name, IntervalEstimate interval, double truth)
        {
            var known = _covered.GetValueOrDefault(name, (0, 0, []));
            known.Errors.Add((interval.Value / truth) - 1);
            _covered[name] = (known.All + 1, known.Covered + (interval.Lower <= truth && truth <= interval.Upper ? 1 : 0), known.Errors);
        }

        public override string ToString()
        {
            _utilization.Sort();
            var parts = _covered.Select(it =>
            {
                it.Value.Errors.Sort();
                var e = it.Value.Errors;
                return $"{it.Key} {(double)it.Value.Covered / it.Value.All:P1} (median {e[e.Count / 2]:P1}, {e[e.Count / 20]:P1} to {e[e.Count * 19 / 20]:P1})";
            });
            return $"identifiable {Identifiable}; {string.Join(", ", parts)}; rho over true {_utilization[_utilization.Count / 2]:0.000}, {_utilization[_utilization.Count / 20]:0.000} to {_utilization[_utilization.Count * 19 / 20]:0.000}";
        }
    }
}
