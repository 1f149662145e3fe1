using BenchmarkDotNet.Attributes;
using Platform.Domain.Allocation;

namespace Platform.Benchmarks;

/// <summary>Absolute times and bytes of the methods, by BenchmarkDotNet.</summary>
[MemoryDiagnoser]
public class SolverBenchmarks
{
    private GeneratedFleet _fleet = null!;
    private BulkSolver _solver = null!;
    private AllocationModel _model = null!;
    private AllocationProblem _problem = null!;

    /// <summary>N, number of task types.</summary>
    [Params(1, 6, 12, 100, 10_000, 1_000_000)]
    public int Types { get; set; }

    /// <summary>Builds the fleet.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _fleet = new GeneratedFleet(Types, 5);
        _solver = new BulkSolver(Types);
        _problem = _fleet.Problem();
        _model = new AllocationModel(_problem);
        _solver.Solve(_fleet.Columns(), _fleet.Tokens);
    }

    /// <summary>One evaluation of objective and gradient.</summary>
    [Benchmark(Baseline = true)]
    public double Evaluation() => _fleet.Evaluate(_fleet.Tokens, _fleet.Gradient);

    /// <summary>The default method, with its certificate.</summary>
    [Benchmark]
    public BulkOptimum Newton() => _solver.Solve(_fleet.Columns(), _fleet.Tokens);

    /// <summary>The safeguarded fixed point.</summary>
    [Benchmark]
    public SolverExit SafeguardedFixedPoint() => new FixedPoint(_model).Solve(new() { MaxIterations = 1_000 }).Exit;

    /// <summary>The whole answer.</summary>
    [Benchmark]
    public AllocationSolution Whole() => AllocationSolver.Solve(_problem);
}
