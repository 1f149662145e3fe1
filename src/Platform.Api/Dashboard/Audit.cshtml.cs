using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Platform.Api.Authentication;
using Platform.Domain.Tenants;
using Platform.Persistence.Transparency;

namespace Platform.Api.Dashboard;

/// <summary>
/// The tenant's transparency log: its signed checkpoint, to be kept elsewhere, and everything that was decided.
/// </summary>
[Authorize(Policy = Session.ReadPolicy)]
internal sealed class AuditModel(TransparencyLog log) : PageModel
{
    public const int PageLength = 50;

    /// <summary>Show entries before this one.</summary>
    [BindProperty(SupportsGet = true)]
    public long? Before { get; set; }

    public LogCheckpoint? Checkpoint { get; private set; }

    /// <summary>Entries, latest first.</summary>
    public IReadOnlyList<LogEntry> Entries { get; private set; } = [];

    public bool MayAudit => User.HasClaim(Caller.ScopeClaim, Scopes.Audit);

    public async Task OnGetAsync(CancellationToken cancel)
    {
        Checkpoint = await log.CheckpointAsync(User.Tenant(), cancel);
        var end = Math.Clamp(Before ?? long.MaxValue, 0, Checkpoint?.Size ?? 0);
        if (MayAudit && end > 0)
        {
            var after = Math.Max(-1, end - 1 - PageLength);
            Entries = [.. (await log.EntriesAsync(User.Tenant(), after, (int)(end - 1 - after), cancel)).Reverse()];
        }
    }

    /// <summary>The checkpoint as a file.</summary>
    public async Task<IActionResult> OnGetCheckpointAsync(CancellationToken cancel) =>
        await log.CheckpointAsync(User.Tenant(), cancel) is { } checkpoint
            ? File(
                System.Text.Encoding.UTF8.GetBytes(checkpoint.Note),
                "text/plain; charset=utf-8",
                $"{User.Tenant()}-{checkpoint.Size}.checkpoint"
            )
            : NotFound();
}
