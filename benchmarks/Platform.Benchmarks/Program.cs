using BenchmarkDotNet.Running;
using Platform.Benchmarks;

// "solver [-o json]" and "startup [-o json]" print the ratios of one run; anything else goes to BenchmarkDotNet, for
// absolute figures with their errors.
var json = args is [_, "-o", "json"];
switch (args)
{
    case ["solver", ..]:
        return SolverBenchmark.Run(json ? Console.Out : Console.Error, Console.Error, json);
    case ["startup", ..]:
        return StartupBenchmark.Run(json ? Console.Out : Console.Error, json);
}

BenchmarkSwitcher.FromAssembly(typeof(SolverBenchmark).Assembly).Run(args);
return 0;
