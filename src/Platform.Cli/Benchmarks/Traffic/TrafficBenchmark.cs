using System.Globalization;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Spectre.Console;

namespace Platform.Cli.Benchmarks.Traffic;

/// <summary>What <c>bench traffic</c> was asked for.</summary>
internal sealed record TrafficRequest
{
    /// <summary>Names of the scenarios.</summary>
    public required IReadOnlyList<string> Scenarios { get; init; }

    /// <summary>Length in hours; null for each one's own.</summary>
    public int? Hours { get; init; }

    /// <summary>Seconds of a window.</summary>
    public required int WindowSeconds { get; init; }

    /// <summary>How often each scenario is played, each time with other draws.</summary>
    public required int Rounds { get; init; }

    /// <summary>Percent of the rate's law that an allocation must carry, 50 to 99.</summary>
    public required int Quantile { get; init; }

    /// <summary>
    /// Whether windows tell arrivals alone, so that curves and lines stay the definition's, which are true.
    /// </summary>
    public required bool KnowsCurves { get; init; }

    /// <summary>The folder of recorded data.</summary>
    public required string Data { get; init; }

    /// <summary>A folder for a file of each run's moments; null for none.</summary>
    public string? Moments { get; init; }
}

/// <summary>
/// Traffic that changes, played to a fleet under each method: how often the servers are unstable, and what is lost
/// against one who knows the rate. No database and no broker: the clock is the scenario's.
/// </summary>
internal sealed class TrafficBenchmark(TrafficRequest request, IAnsiConsole console)
{
    private readonly Lock _console = new();

    /// <summary>Plays all scenarios, several at once.</summary>
    public TrafficReport Run(CancellationToken cancel)
    {
        var sheets = new TrafficSheet[request.Scenarios.Count];
        Parallel.For(
            0,
            sheets.Length,
            new ParallelOptions { CancellationToken = cancel },
            i =>
            {
                sheets[i] = Play(Adjusted(TrafficScenarios.Create(request.Scenarios[i], request.Hours, request.Data)));
                lock (_console)
                    console.Say($"{request.Scenarios[i]}: done");
            }
        );
        return new TrafficReport
        {
            Rounds = request.Rounds,
            WindowSeconds = request.WindowSeconds,
            Scenarios = sheets,
        };
    }

    private TrafficScenario Adjusted(TrafficScenario scenario)
    {
        var solving = scenario.Definition.Solving with { ArrivalRateQuantile = request.Quantile / 100.0 };

        // Without verdicts the usual step would hold tokens back.
        if (request.KnowsCurves)
            solving = solving with { MaxStep = SolvingPolicy.LargestStep };
        return scenario with
        {
            Definition = scenario.Definition with { Solving = solving },
            TellsArrivalsAlone = request.KnowsCurves,
        };
    }

    private TrafficSheet Play(TrafficScenario scenario)
    {
        var truth = new TrafficTruth(scenario);
        var played = TrafficMethod
            .Over(scenario.RateByMinute.Length / 60)
            .Select(method => Play(scenario, method, truth))
            .ToArray();
        var (_, best, ofSingle) = played[0].Score.Objectives;
        return new TrafficSheet
        {
            Scenario = scenario.Name,
            Minutes = scenario.RateByMinute.Length,
            MeanRate = scenario.RateByMinute.Average(),
            IsRecorded = scenario.ArrivalsBySecond is not null,
            SingleTokens = truth.Single.Tokens[0],
            SingleObjective = ofSingle,
            ClairvoyantObjective = best,
            Methods = [.. played.Select(it => it.Line)],
        };
    }

    private (TrafficScore Score, TrafficLine Line) Play(
        TrafficScenario scenario,
        TrafficMethod method,
        TrafficTruth truth
    )
    {
        var score = new TrafficScore(TrafficTruth.StepSeconds, request.WindowSeconds);
        var fleets = new List<TrafficFleet>();
        using var moments = OpenMoments(scenario, method);
        var run = new TrafficRun(scenario, method, truth, request.WindowSeconds)
        {
            Watcher = moments is null ? null : moment => moments.WriteLine(LineOf(moment)),
        };
        for (var round = 1; round <= request.Rounds; round++)
            fleets.Add(run.Play(score, (ulong)round));
        return (score, LineOf(method, score, fleets));
    }

    private static TrafficLine LineOf(TrafficMethod method, TrafficScore score, List<TrafficFleet> fleets) =>
        new()
        {
            Method = method.Name,
            Versions = method.Versions,
            MinutesAbove95 = score.Above95 / 60.0,
            MinutesAbove1 = score.Above1 / 60.0,
            MinutesAvoidable = score.Avoidable / 60.0,
            MinutesLate = score.Late / 60.0,
            LongestMinutes = score.Longest / 60.0,
            Objective = score.Objectives.Method,
            PartOfGain = score.PartOfGain,
            Lost = score.Objectives.Best - score.Objectives.Method,
            VersionsWritten = fleets.Sum(fleet => fleet.Versions),
            EarlySolves = fleets.Sum(fleet => fleet.EarlySolves),
            InfeasibleSolves = fleets.Sum(fleet => fleet.InfeasibleSolves),
            Coverage = score.Coverage,
            IntervalWidth = score.Width,
            RateError = score.Error,
        };

    private StreamWriter? OpenMoments(TrafficScenario scenario, TrafficMethod method)
    {
        if (request.Moments is null)
            return null;
        Directory.CreateDirectory(request.Moments);
        var file = new StreamWriter(Path.Combine(request.Moments, $"{scenario.Name}-{method.Name}.csv"));
        file.WriteLine(
            "second,rate,estimate,lower,upper,dispersion,alarm,service,utilization,clairvoyant,systemSeconds,"
                + "versions,early,tokens"
        );
        return file;
    }

    private static string LineOf(TrafficMoment moment)
    {
        var estimate = moment.Estimate is { } known ? FiguresOf(known) : ",,,";
        var alarm = string.Create(
            CultureInfo.InvariantCulture,
            $"{moment.AlarmRate:G6},{moment.AlarmServiceFactor:G4}"
        );
        var load = string.Create(
            CultureInfo.InvariantCulture,
            $"{moment.Utilization:G5},{moment.BestUtilization:G5},{moment.SystemSeconds:G5}"
        );
        var solves = string.Create(CultureInfo.InvariantCulture, $"{moment.Versions},{moment.EarlySolves}");
        var rate = moment.Rate.ToString("G6", CultureInfo.InvariantCulture);
        return $"{moment.Second},{rate},{estimate},{alarm},{load},{solves},{string.Join(' ', moment.Tokens)}";
    }

    private static string FiguresOf(FleetEstimate known)
    {
        var rate = known.ArrivalRate;
        var dispersion = known.Validity.Burstiness.Value;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{rate.Value:G6},{rate.Lower:G6},{rate.Upper:G6},{dispersion:G4}"
        );
    }
}
