using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;

namespace Platform.Domain.Tests.Snapshots;

/// <summary>
/// Histories with the hashes of what each version of the arithmetic has derived from them. When one differs, old
/// answers have changed: put a new version of the estimator or the solver beside the old one.
/// PLATFORM_REWRITE_HISTORIES=FOLDER, the sources' folder of histories, writes the hashes anew.
/// </summary>
public sealed class StoredHistoryTests
{
    /// <summary>Every arithmetic that snapshots were ever derived with, each with the name of its hashes.</summary>
    private static readonly (string Name, DerivationVersions Versions)[] Derivations =
    [
        ("dual-newton/3", new("estimator/3", "dual-newton/3")),
        ("dual-newton/4", new("estimator/3", "dual-newton/4")),
        ("estimator/4 dual-newton/5", new("estimator/4", "dual-newton/5")),
        ("estimator/5 dual-newton/6", new("estimator/5", "dual-newton/6")),
        ("estimator/6 dual-newton/6", new("estimator/6", "dual-newton/6")),
        ($"{DerivationVersions.Current.Estimator} {DerivationVersions.Current.Solver}", DerivationVersions.Current),
    ];

    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Snapshots", "histories");

    public static TheoryData<string> Histories =>
        [
            .. Directory
                .GetFiles(Folder, "*.jsonl")
                .Select(path => Path.GetFileNameWithoutExtension(path)!)
                .Order(StringComparer.Ordinal),
        ];

    [Theory]
    [MemberData(nameof(Histories))]
    public void Old_answers_stay_as_they_were(string history)
    {
        var lines = File.ReadAllLines(Path.Combine(Folder, $"{history}.jsonl"), Encoding.UTF8);
        Assert.All(Derivations, it => Assert.True(SnapshotDerivation.Knows(it.Versions), it.Name));
        var derived = Derive(lines);
        if (Environment.GetEnvironmentVariable("PLATFORM_REWRITE_HISTORIES") is { Length: > 0 } sources)
            File.WriteAllLines(Path.Combine(sources, $"{history}.jsonl"), derived);
        else
            Assert.Equal(lines, derived);
    }

    [Theory]
    [InlineData(",", ".")]
    [InlineData("٫", "−")]
    public void Numbers_are_written_alike_in_every_culture(string separator, string minus)
    {
        var before = CultureInfo.CurrentCulture;
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (culture.NumberFormat.NumberDecimalSeparator, culture.NumberFormat.NegativeSign) = (
            separator,
            minus == "." ? "-" : minus
        );
        culture.DateTimeFormat.TimeSeparator = ".";
        CultureInfo.CurrentCulture = culture;
        try
        {
            Old_answers_stay_as_they_were("steady");
            Old_answers_stay_as_they_were("revised");
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    /// <summary>
    /// The same histories in processes of their own: another time zone, one processor, other instructions of the
    /// processor.
    /// </summary>
    [Theory]
    [InlineData("TZ=Asia/Kathmandu", "DOTNET_PROCESSOR_COUNT=1")]
    [InlineData("DOTNET_EnableAVX2=0", "DOTNET_TieredCompilation=0")]
    [InlineData("DOTNET_EnableHWIntrinsic=0", "TZ=America/St_Johns")]
    public async Task Bits_do_not_depend_on_the_machine(params string[] variables)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet")
            start.ArgumentList.Add(typeof(StoredHistoryTests).Assembly.Location);
        start.ArgumentList.Add("-method");
        start.ArgumentList.Add($"{typeof(StoredHistoryTests).FullName}.{nameof(Old_answers_stay_as_they_were)}");
        foreach (var variable in variables)
            start.Environment[variable.Split('=')[0]] = variable.Split('=')[1];
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(
            process.ExitCode == 0 && (await output).Contains("Total: ", StringComparison.Ordinal),
            $"{await output}\n{await errors}"
        );
    }

    private sealed record Line(
        FleetDefinition? Definition = null,
        WorkloadWindow? Window = null,
        DateTimeOffset? SolveAt = null,
        Dictionary<string, string>? Hashes = null
    );

    /// <summary>The history's lines, each solve with the hashes of what it comes to.</summary>
    private static List<string> Derive(string[] lines)
    {
        var (result, windows) = (new List<string>(), new List<WorkloadWindow>());
        var (definition, revision, links) = ((FleetDefinition?)null, 0, new SnapshotLink?[Derivations.Length]);
        foreach (var text in lines)
        {
            var line = JsonSerializer.Deserialize<Line>(text, StrictJson.Options)!;
            if (line.Definition is not null)
                (definition, revision) = (line.Definition, revision + 1);
            else if (line.Window is not null)
                windows.Add(line.Window);
            if (line.SolveAt is not { } at)
            {
                result.Add(text);
                continue;
            }

            for (var i = 0; i < links.Length; i++)
            {
                if (CouldBeSolved(definition!, Derivations[i].Versions))
                    links[i] = Solve(definition!, revision, windows, at, links[i], Derivations[i].Versions);
            }

            var solved = Derivations.Zip(links).Where(it => it.Second is not null);
            var hashes = string.Join(',', solved.Select(it => $"\"{it.First.Name}\":\"{it.Second!.Hash}\""));
            result.Add(
                $"{{\"solveAt\":\"{at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)}\",\"hashes\":{{{hashes}}}}}"
            );
        }

        return result;
    }

    /// <summary>Servers that share came with dual-newton/6: nothing older was ever derived for them.</summary>
    private static bool CouldBeSolved(FleetDefinition definition, DerivationVersions versions)
    {
        string[] before = ["dual-newton/3", "dual-newton/4", "dual-newton/5"];
        return definition.Dispatch != Dispatch.Sharing || !before.Contains(versions.Solver);
    }

    private static SnapshotLink Solve(
        FleetDefinition definition,
        int revision,
        List<WorkloadWindow> windows,
        DateTimeOffset at,
        SnapshotLink? link,
        DerivationVersions versions
    )
    {
        var sums = new WorkloadSums(definition.Solving.Reach);
        foreach (var window in windows)
            sums.Fold(window);
        var inputs = new SnapshotInputs
        {
            Tenant = "acme",
            Fleet = "chat",
            Definition = definition,
            DefinitionRevision = revision,
            Sums = sums,
            WorkloadVersion = windows.Count,
            SolvedAt = at,
        };
        var snapshot = SnapshotDerivation.Derive(inputs, link, versions).Snapshot!;
        return new SnapshotLink(snapshot.Version, AllocationSnapshot.HashOf(snapshot.ToCanonicalBytes()));
    }
}
