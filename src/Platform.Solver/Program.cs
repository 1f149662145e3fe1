using Platform.Solver.Allocation;
using Platform.Solver.Simulation;

return args switch
{
    [SolveCommand.Name, .. var words] => ProblemCommand.RunProcess(words, SolveCommand.Usage, SolveCommand.Run),
    [SimulateCommand.Name, .. var words] => ProblemCommand.RunProcess(
        words,
        SimulateCommand.Usage,
        SimulateCommand.Run
    ),
    _ => ProblemCommand.RunProcess(
        args,
        $"{SolveCommand.Usage}\n{SimulateCommand.Usage}",
        (_, _) => throw new Platform.Solver.BadUsage("solve or simulate")
    ),
};
