using BenchmarkDotNet.Running;
using Platform.Benchmarks;

// "solver [-o json]" prints the ratios of one run; anything else goes to BenchmarkDotNet, for absolute figures with their errors.
if (args is ["solver", ..])
    return SolverBenchmark.Run(Console.Out, Console.Error, args is [_, "-o", "json"]);
BenchmarkSwitcher.FromAssembly(typeof(SolverBenchmark).Assembly).Run(args);
return 0;
