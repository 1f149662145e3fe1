using System.CommandLine;
using Platform.Cli;
using Platform.Cli.Benchmarks;
using Platform.Cli.Collection;
using Platform.Cli.Demo;
using Platform.Cli.Hosting;
using Platform.Cli.Ingestion;
using Platform.Cli.Replay;
using Platform.Cli.Verification;

return await CommandRun.InvokeAsync(
    new RootCommand("The allocation platform's command line; ./platform --help lists what the script adds.")
    {
        UpCommand.Create(),
        MigrateCommand.Create(),
        StatusCommand.Create(),
        DemoCommand.Create(),
        BenchCommand.Create(),
        VerifyCommand.Create(),
        RejectedCommand.Create(),
        CollectCommand.Create(),
        ReplayCommand.Create(),
    },
    args
);
