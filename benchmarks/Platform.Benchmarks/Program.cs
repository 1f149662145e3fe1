using BenchmarkDotNet.Running;
using Platform.Benchmarks;

// "solver [-o json]" prints the ratios of one run; anything else goes to BenchmarkDotNet, for absolute figures with their errors.
if (args is ["solver", ..])
{
    var json = args is [_, "-o", "json"];
    return SolverBenchmark.Run(json ? Console.Out : Console.Error, Console.Error, json);
}

BenchmarkSwitcher.FromAssembly(typeof(SolverBenchmark).Assembly).Run(args);
return 0;
