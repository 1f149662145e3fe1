using System.CommandLine;
using System.Text.Json;
using Platform.Cli.Hosting;
using Platform.Domain.Contracts;
using Platform.Persistence;
using Platform.Persistence.Snapshots;
using Platform.Persistence.Solving;
using Platform.Persistence.Tenants;

namespace Platform.Cli.Verification;

/// <summary>
/// <c>./platform verify</c>: derives every snapshot again from the events. Exit status 0 all good, 1 a mismatch, 2 something could not be checked.
/// </summary>
internal static class VerifyCommand
{
    private const int TenantsAtATime = 200;

    private static readonly JsonSerializerOptions Indented = new(StrictJson.Options) { WriteIndented = true };

    public static Command Create()
    {
        var tenant = new Option<string>("--tenant") { Description = "only this tenant's fleets" };
        var fleet = new Option<string>("--fleet") { Description = "only fleets of this id" };
        var output = Terminal.OutputOption();
        var command = new Command("verify", "Derives every snapshot again from the events and holds it against what is stored.") { tenant, fleet, output };
        command.SetAction((parsed, cancel) => RunAsync(parsed.GetValue(tenant), parsed.GetValue(fleet), parsed.GetValue(output) is not null, cancel));
        return command;
    }

    internal sealed record Finding(string Tenant, string Fleet, VersionVerification Version);

    internal sealed record Report(int Fleets, int Versions, IReadOnlyList<Finding> Findings)
    {
        public int ExitStatus => Findings.Any(it => it.Version.Matches == false || !it.Version.ChainIntact) ? CommandFailure.JobSaysNo
            : Findings.Count > 0 || Fleets == 0 ? CommandFailure.BadUsage : 0;
    }

    private static async Task<int> RunAsync(string? tenant, string? fleet, bool json, CancellationToken cancel)
    {
        await using var store = new PlatformStore(PlatformSettings.FromEnvironment().PostgresApplication);
        var report = await VerifyAsync(store, tenant, fleet, cancel);
        if (json)
            Console.Out.WriteLine(JsonSerializer.Serialize(report, Indented));
        foreach (var (inTenant, inFleet, version) in report.Findings)
            Terminal.Error.Say($"{inTenant}/{inFleet} version {version.Version}: {string.Join("; ", version.Faults)}");
        Terminal.Error.Say(report.Fleets == 0
            ? "there is no such fleet: nothing was checked"
            : $"{report.Versions} versions of {report.Fleets} fleets derived again, {report.Findings.Count} with faults");
        return report.ExitStatus;
    }

    /// <summary>Derives again, and says each fleet as it is done.</summary>
    internal static async Task<Report> VerifyAsync(PlatformStore store, string? tenant, string? fleet, CancellationToken cancel)
    {
        var (verification, findings) = (new SnapshotVerification(store), new List<Finding>());
        var (fleets, versions) = (0, 0);
        await foreach (var key in FleetsAsync(store, verification, tenant, cancel))
        {
            if (fleet is not null && key.Fleet != fleet)
                continue;
            var count = await verification.VerifyAsync(
                key, null, found =>
                {
                    if (found.Faults.Count > 0)
                        findings.Add(new Finding(key.Tenant, key.Fleet, found));
                }, cancel);
            (fleets, versions) = (fleets + 1, versions + count);
            Terminal.Error.Say($"{key.Tenant}/{key.Fleet}: {count} versions");
        }

        return new Report(fleets, versions, findings);
    }

    private static async IAsyncEnumerable<FleetKey> FleetsAsync(
        PlatformStore store, SnapshotVerification verification, string? tenant, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        var registry = new TenantRegistry(store);
        for (var (after, full) = ("", true); full;)
        {
            var page = await registry.ListAsync(after, TenantsAtATime, cancel);
            foreach (var listed in page.Where(listed => tenant is null || listed.Id == tenant))
            {
                foreach (var key in await verification.FleetsAsync(listed.Id, cancel))
                    yield return key;
            }

            after = page.Count > 0 ? page[^1].Id : after;
            full = page.Count == TenantsAtATime;
        }
    }
}
