using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Platform.Api.Authentication;
using Platform.Api.Snapshots;
using Platform.Persistence.Fleets;
using Platform.Persistence.Snapshots;
using Platform.Persistence.Solving;

namespace Platform.Api.Dashboard;

/// <summary>The versions of a fleet; each can be derived again from the events.</summary>
[Authorize(Policy = Session.ReadPolicy)]
internal sealed class HistoryModel(FleetStore fleets, SnapshotHistory history, SnapshotVerification verification)
    : PageModel
{
    public const int PageLength = 50;

    [BindProperty(SupportsGet = true)]
    public string Fleet { get; set; } = "";

    /// <summary>Show versions before this one.</summary>
    [BindProperty(SupportsGet = true)]
    public int? Before { get; set; }

    /// <summary>The version to verify.</summary>
    [BindProperty(SupportsGet = true)]
    public int? Verify { get; set; }

    public FleetView View { get; private set; } = null!;

    public IReadOnlyList<SnapshotSummary> Versions { get; private set; } = [];

    public VerificationAnswer? Verification { get; private set; }

    public async Task<IActionResult> OnGetAsync(CancellationToken cancel)
    {
        if (await fleets.FindAsync(User.Tenant(), Fleet, cancel) is not { } view)
            return NotFound();
        View = view;
        if (Verify is { } version && await history.FindVersionAsync(User.Tenant(), Fleet, version, cancel) is not null)
            Verification = await VerificationAnswer.OfAsync(
                verification,
                new FleetKey(User.Tenant(), Fleet),
                version,
                _ => { },
                cancel
            );
        Versions = await history.ListAsync(User.Tenant(), Fleet, Before ?? int.MaxValue, PageLength, cancel) ?? [];
        return Page();
    }
}
