using System.Globalization;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.RateLimiting;
using Platform.Api.Authentication;
using Platform.Api.Planning;
using Platform.Api.Snapshots;
using Platform.Domain.Contracts;
using Platform.Domain.Snapshots;
using Platform.Persistence.Fleets;
using Platform.Persistence.Snapshots;

namespace Platform.Api.Dashboard;

/// <summary>
/// Two allocations of a fleet: what changed, and which inputs explain it. Either is named by its version, or by an
/// instant.
/// </summary>
[Authorize(Policy = Session.ReadPolicy)]
[EnableRateLimiting(PlanningRate.Policy)]
internal sealed class CompareModel(FleetStore fleets, SnapshotHistory history) : PageModel
{
    [BindProperty(SupportsGet = true)]
    public string Fleet { get; set; } = "";

    [BindProperty(SupportsGet = true)]
    public string? From { get; set; }

    [BindProperty(SupportsGet = true)]
    public string? To { get; set; }

    public string DisplayName { get; private set; } = "";

    public int LatestVersion { get; private set; }

    /// <summary>What is wrong with the address, or null.</summary>
    public string? Fault { get; private set; }

    public AllocationComparison? Comparison { get; private set; }

    /// <summary>The largest part of a figure's change that an input or a cause explains, without its sign.</summary>
    public double Largest(Func<Figures<Contribution>, Contribution> figure)
    {
        var difference = Comparison!.Difference;
        var parts = difference.Inputs.Select(it => it.Explains).Concat(difference.Causes.Select(it => it.Explains));
        return parts.Max(it => it is null ? 0 : Math.Abs(figure(it.Figures).Change));
    }

    public async Task<IActionResult> OnGetAsync(CancellationToken cancel)
    {
        if (!await CompareAsync(cancel))
            return NotFound();
        if (Fault is not null)
            Response.StatusCode = StatusCodes.Status400BadRequest;
        return Page();
    }

    /// <summary>The same as JSON, as <c>…/allocations/diff</c> answers.</summary>
    public async Task<IActionResult> OnGetJsonAsync(CancellationToken cancel) =>
        await CompareAsync(cancel) && Comparison is not null
            ? new JsonResult(Comparison, StrictJson.Options)
            : NotFound();

    /// <summary>False when there is no such fleet.</summary>
    private async Task<bool> CompareAsync(CancellationToken cancel)
    {
        if (await fleets.FindAsync(User.Tenant(), Fleet, cancel) is not { } view)
            return false;
        (DisplayName, LatestVersion) = (view.Definition.DisplayName, view.LatestVersion);
        From ??= $"{Math.Max(1, view.LatestVersion - 1)}";
        To ??= $"{view.LatestVersion}";
        if (await FindAsync("from", From, cancel) is { } one && await FindAsync("to", To, cancel) is { } other)
            Comparison = ComparisonEndpoints.Compare(one, other, everyParameter: true, cancel);
        return true;
    }

    private async Task<StoredSnapshot?> FindAsync(string side, string text, CancellationToken cancel)
    {
        StoredSnapshot? found;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version))
            found = await history.FindVersionAsync(User.Tenant(), Fleet, version, cancel);
        else if (
            DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant)
        )
            found = await history.FindAsOfAsync(User.Tenant(), Fleet, instant.ToUniversalTime(), cancel);
        else
        {
            Fault ??= $"“{side}” is neither a version nor an instant such as 2026-11-28T06:00:00Z.";
            return null;
        }

        if (found is null)
            Fault ??= $"“{side}”: there is no such version, or none was in force at that instant.";
        return found;
    }
}
