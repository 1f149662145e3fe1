using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using Platform.Cli.Hosting;
using Platform.Cli.Traces;
using Platform.Client;
using Platform.Domain.Contracts;

namespace Platform.Cli.Replay;

/// <summary><c>./platform replay</c>: a trace of requests as the workload of a fleet of one's own.</summary>
internal sealed class ReplayCommand
{
    private const int DefaultSeconds = 10;

    private static readonly JsonSerializerOptions Indented = new(StrictJson.Options) { WriteIndented = true };

    private readonly Argument<string> _file = new("TRACE")
    {
        Description = "the trace: of Azure, BurstGPT, Mooncake, ServeGen, or a result of vLLM's benchmark",
    };

    private readonly Option<string> _fleet = new("--fleet")
    {
        Description = "the fleet, of the key's tenant",
        HelpName = "ID",
        Required = true,
    };

    private readonly Option<string?> _taskType = new("--task-type")
    {
        Description = "the task type of all requests; beside --type-column, of those whose column is empty",
        HelpName = "ID",
    };

    private readonly Option<string?> _typeColumn = new("--type-column")
    {
        Description = "the column that tells task types apart, such as Model, \"Log Type\" or client",
        HelpName = "NAME",
    };

    private readonly Option<int?> _speed = new("--speed")
    {
        Description = "play it so many times as fast as it was, 1 for as it was; without it all is sent at once",
        HelpName = "N",
        CustomParser = ReadSpeed,
    };

    private readonly Option<int> _every = WholeNumberOption.Create(
        "--every",
        "length of a window in seconds",
        DefaultSeconds,
        1,
        86_400
    );

    private readonly Option<int> _seed = WholeNumberOption.Create(
        "--seed",
        "seed of what is generated where the trace tells rates",
        TraceReader.DefaultSeed,
        0,
        int.MaxValue
    );

    private readonly Option<string> _output = Terminal.OutputOption();
    private readonly Func<ParseResult, PlatformAccess> _access;
    private readonly Command _command;
    private RequestTrace? _trace;

    private ReplayCommand()
    {
        _command = new Command("replay", "Send a trace of requests to a fleet, as if it had been served until now.")
        {
            _file,
            _fleet,
            _taskType,
            _typeColumn,
            _speed,
            _every,
            _seed,
            _output,
        };
        _access = PlatformAccess.AddTo(_command);
        _fleet.Validators.Add(result => Check(result, Identifiers.IsFleet, Identifiers.FleetPattern));
        _taskType.Validators.Add(result => Check(result, Identifiers.IsTaskType, Identifiers.TaskTypePattern));
        _command.Validators.Add(ReadTrace);
        _command.SetAction(RunAsync);
    }

    private delegate bool Fits(ReadOnlySpan<char> text);

    public static Command Create() => new ReplayCommand()._command;

    private static void Check(OptionResult result, Fits fits, string pattern)
    {
        if (result.Tokens is [var text] && !fits(text.Value))
            result.AddError($"{result.Option.Name}: must match {pattern}");
    }

    private static int? ReadSpeed(ArgumentResult result)
    {
        const int MostSpeed = 1_000_000;
        var isNumber = int.TryParse(result.Tokens[0].Value, out var speed);
        if (isNumber && speed is >= 1 and <= MostSpeed)
            return speed;
        result.AddError($"--speed: a whole number from 1 to {MostSpeed}");
        return null;
    }

    /// <summary>Reads the trace with the command line, so that a bad one is told before anything is sent.</summary>
    private void ReadTrace(CommandResult result)
    {
        if (result.Children.Any(it => it.Errors.Any()) || result.GetValue(_file) is not { } file)
            return;
        try
        {
            var column = result.GetValue(_typeColumn);
            var types = new ReplayTaskTypes(file, result.GetValue(_taskType), column);
            if (column is null && result.GetValue(_taskType) is null)
                throw new TraceFormatException(
                    "--task-type ID says what the requests are, or --type-column NAME which column does"
                );
            if (!File.Exists(file))
                throw new TraceFormatException($"TRACE: there is no file {file}");
            _trace = TraceReader.ReadFile(file, column, result.GetValue(_seed));
            foreach (var request in _trace.Requests)
                types.Of(request);
        }
        catch (TraceFormatException fault)
        {
            result.AddError(fault.Message);
        }
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var access = _access(parsed);
        var file = parsed.GetValue(_file)!;
        var types = new ReplayTaskTypes(file, parsed.GetValue(_taskType), parsed.GetValue(_typeColumn));
        var request = new ReplayRequest(
            file,
            _trace!,
            parsed.GetValue(_fleet)!,
            types,
            TimeSpan.FromSeconds(parsed.GetValue(_every)),
            parsed.GetValue(_speed)
        );
        await using var publisher = new HttpWindowPublisher(access.Api, access.Key);
        var report = await new ReplayRun(request, access, publisher, TimeProvider.System, Terminal.Error).RunAsync(
            cancel
        );
        if (parsed.GetValue(_output) is not null)
            await Console.Out.WriteLineAsync(JsonSerializer.Serialize(report, Indented));
        else
            Say(report);
        return report.Refused == 0 ? 0 : CommandFailure.JobSaysNo;
    }

    private static void Say(ReplayReport report)
    {
        var types = string.Join(
            ", ",
            report.TaskTypes.OrderByDescending(it => it.Value).Select(it => $"{it.Value} {it.Key}")
        );
        Terminal.Error.Say(
            $"platform: sent to {report.Fleet}: {report.Requests} requests ({types}), "
                + $"{report.WithDurations} with their durations, in {report.Windows} windows "
                + $"from {report.From:yyyy-MM-dd HH:mm:ss}Z to {report.To:yyyy-MM-dd HH:mm:ss}Z"
        );
        if (report.Refusal?.ReplaceLineEndings(" ") is { } refusal)
            Terminal.Error.Say($"platform: {report.Refused} windows were refused, the first because: {refusal}");
    }
}
