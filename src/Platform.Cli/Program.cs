using System.CommandLine;
using Platform.Cli;
using Platform.Cli.Allocation;
using Platform.Cli.Benchmarks;
using Platform.Cli.Demo;
using Platform.Cli.Hosting;
using Platform.Cli.Simulation;

// Solve and simulate are called from scripts, where start-up counts: they read their words without the library, which is then not loaded.
return args switch
{
    [SolveCommand.Name, .. var words] => ProblemCommand.RunProcess(words, SolveCommand.Usage, SolveCommand.Run),
    [SimulateCommand.Name, .. var words] => ProblemCommand.RunProcess(words, SimulateCommand.Usage, SimulateCommand.Run),
    _ => await OthersAsync(args),
};

static Task<int> OthersAsync(string[] args) => CommandRun.InvokeAsync(
    new RootCommand("The allocation platform's command line; ./platform --help lists what the script adds.")
    {
        UpCommand.Create(),
        StatusCommand.Create(),
        DemoCommand.Create(),
        BenchCommand.Create(),
    },
    args);
