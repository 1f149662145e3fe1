using System.CommandLine;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Platform.Cli.Hosting;
using Platform.Domain.Contracts;
using Platform.Domain.Transparency;
using Platform.Persistence;
using Platform.Persistence.Snapshots;
using Platform.Persistence.Solving;
using Platform.Persistence.Tenants;
using Platform.Persistence.Transparency;

namespace Platform.Cli.Verification;

/// <summary>
/// <c>./platform verify</c>: derives every snapshot again from the events. Exit status 0 all good, 1 a mismatch, 2
/// something could not be checked.
/// </summary>
internal static class VerifyCommand
{
    private const int TenantsAtATime = 200;

    private static readonly JsonSerializerOptions Indented = new(StrictJson.Options) { WriteIndented = true };

    public static Command Create()
    {
        var tenant = new Option<string>("--tenant") { Description = "only this tenant's fleets" };
        var fleet = new Option<string>("--fleet") { Description = "only fleets of this id" };
        var checkpoint = new Option<FileInfo>("--checkpoint")
        {
            Description = "a checkpoint of a tenant's log that was kept elsewhere (GET /v1/log/checkpoint)",
        }.AcceptExistingOnly();
        var verifier = new Option<string>("--verifier")
        {
            Description = "the public key that is to have signed it (GET /v1/log/verifier, kept elsewhere too)",
        };
        var output = Terminal.OutputOption();
        var command = new Command(
            "verify",
            "Derives every snapshot again from the events, and the logs too, and holds all against what is stored and what was signed."
        )
        {
            tenant,
            fleet,
            checkpoint,
            verifier,
            output,
        };
        command.SetAction(
            (parsed, cancel) =>
                RunAsync(
                    parsed.GetValue(tenant),
                    parsed.GetValue(fleet),
                    Kept(parsed.GetValue(checkpoint), parsed.GetValue(verifier)),
                    parsed.GetValue(output) is not null,
                    cancel
                )
        );
        return command;
    }

    private static KeptCheckpoint? Kept(FileInfo? file, string? verifier)
    {
        NoteVerifier? key = null;
        if (verifier is not null && !NoteVerifier.TryParse(verifier, out key))
            throw new CommandFailure($"--verifier: '{verifier}' is no public key of a log", CommandFailure.BadUsage);
        return file is null ? null : new KeptCheckpoint(File.ReadAllText(file.FullName), key);
    }

    internal sealed record Finding(string Tenant, string Fleet, VersionVerification Version);

    internal sealed record LogFinding(string Tenant, LogFault Fault);

    internal sealed record Report(
        int Fleets,
        int Versions,
        IReadOnlyList<Finding> Findings,
        IReadOnlyList<LogFinding> Logs
    )
    {
        public int ExitStatus =>
            Logs.Count > 0 || Findings.Any(it => it.Version.Matches == false || !it.Version.ChainIntact)
                ? CommandFailure.JobSaysNo
            : Findings.Count > 0 || Fleets == 0 ? CommandFailure.BadUsage
            : 0;
    }

    private static async Task<int> RunAsync(
        string? tenant,
        string? fleet,
        KeptCheckpoint? kept,
        bool json,
        CancellationToken cancel
    )
    {
        await using var store = PlatformSettings.FromEnvironment().OpenStore();
        var report = await VerifyAsync(store, tenant, fleet, kept, cancel);
        if (json)
            Console.Out.WriteLine(JsonSerializer.Serialize(report, Indented));
        foreach (var (inTenant, inFleet, version) in report.Findings)
            Terminal.Error.Say($"{inTenant}/{inFleet} version {version.Version}: {string.Join("; ", version.Faults)}");
        foreach (var (ofTenant, fault) in report.Logs)
            Terminal.Error.Say(
                $"{ofTenant}{(fault.Fleet is null ? "" : $"/{fault.Fleet}")}{(fault.Version is null ? "" : $" version {fault.Version}")}: {fault.Fault}"
            );
        Terminal.Error.Say(
            report.Fleets == 0
                ? "there is no such fleet: nothing was checked"
                : $"{report.Versions} versions of {report.Fleets} fleets derived again, {report.Findings.Count} with faults; {report.Logs.Count} faults of the logs"
        );
        return report.ExitStatus;
    }

    /// <summary>Derives again, and says each fleet as it is done.</summary>
    internal static async Task<Report> VerifyAsync(
        PlatformStore store,
        string? tenant,
        string? fleet,
        KeptCheckpoint? kept,
        CancellationToken cancel
    )
    {
        tenant ??= TenantOf(kept);
        var (verification, findings) = (new SnapshotVerification(store), new List<Finding>());
        var (fleets, versions) = (0, 0);
        await foreach (var key in FleetsAsync(store, verification, tenant, cancel))
        {
            if (fleet is not null && key.Fleet != fleet)
                continue;
            var count = await verification.VerifyAsync(
                key,
                null,
                found =>
                {
                    if (found.Faults.Count > 0)
                        findings.Add(new Finding(key.Tenant, key.Fleet, found));
                },
                cancel
            );
            (fleets, versions) = (fleets + 1, versions + count);
            Terminal.Error.Say($"{key.Tenant}/{key.Fleet}: {count} versions");
        }

        var logs = new List<LogFinding>();
        await foreach (var id in TenantsAsync(store, tenant, cancel))
            logs.AddRange(
                (await LogVerification.VerifyAsync(store, id, kept, cancel)).Select(fault => new LogFinding(id, fault))
            );
        return new Report(fleets, versions, findings, logs);
    }

    /// <summary>The tenant whose log a checkpoint is of: only that one's can be held against it.</summary>
    private static string? TenantOf(KeptCheckpoint? kept) =>
        kept is null ? null
        : SignedNote.TryParse(kept.Note, out var note) && Checkpoint.TryParse(note.Text, out var checkpoint)
            ? checkpoint.Origin.Split('/')[^1]
        : throw new CommandFailure("--checkpoint: the file is no signed checkpoint", CommandFailure.BadUsage);

    private static async IAsyncEnumerable<FleetKey> FleetsAsync(
        PlatformStore store,
        SnapshotVerification verification,
        string? tenant,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        await foreach (var id in TenantsAsync(store, tenant, cancel))
        {
            foreach (var key in await verification.FleetsAsync(id, cancel))
                yield return key;
        }
    }

    private static async IAsyncEnumerable<string> TenantsAsync(
        PlatformStore store,
        string? tenant,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        var registry = new TenantRegistry(store);
        for (var (after, full) = ("", true); full; )
        {
            var page = await registry.ListAsync(after, TenantsAtATime, cancel);
            foreach (var listed in page.Where(listed => tenant is null || listed.Id == tenant))
                yield return listed.Id;

            after = page.Count > 0 ? page[^1].Id : after;
            full = page.Count == TenantsAtATime;
        }
    }
}
