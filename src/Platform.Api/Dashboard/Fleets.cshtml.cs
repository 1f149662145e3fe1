using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Platform.Api.Authentication;
using Platform.Api.Fleets;
using Platform.Persistence.Fleets;
using Platform.Persistence.Snapshots;

namespace Platform.Api.Dashboard;

/// <summary>A fleet in the list.</summary>
/// <param name="Fleet">The fleet.</param>
/// <param name="Health">Whether it is solved as it should be.</param>
/// <param name="InForce">Figures of the version in force, or null.</param>
internal sealed record FleetLine(FleetView Fleet, Health Health, SnapshotSummary? InForce);

/// <summary>All fleets of a tenant. Filter and order are in the address.</summary>
internal sealed class FleetsModel(FleetStore fleets, SnapshotHistory history, TimeProvider time) : PageModel
{
    private const int PageLength = 200;

    /// <summary>Fleets read at a time.</summary>
    private const int BatchLength = 1_000;

    public static readonly (string Key, string Title, Func<FleetLine, IComparable?> Value)[] Columns =
    [
        ("fleet", "Fleet", line => line.Fleet.Id),
        ("health", "Health", line => line.Health.Status),
        ("solved", "Solved", line => line.Fleet.SolvedAt),
        ("version", "In force", line => line.Fleet.Labels.InForce),
        ("utilization", "Utilization", line => line.InForce?.Utilization),
        ("time", "Mean system time", line => line.InForce?.MeanSystemTimeSeconds),
        ("accuracy", "Mean accuracy", line => line.InForce?.MeanAccuracy),
        ("changed", "Last change", line => line.Fleet.InForceAt),
    ];

    /// <summary>Part of an id or a name.</summary>
    [BindProperty(SupportsGet = true, Name = "q")]
    public string? Sought { get; set; }

    [BindProperty(SupportsGet = true, Name = "health")]
    public string? OnlyHealth { get; set; }

    [BindProperty(SupportsGet = true, Name = "sort")]
    public string? SortedBy { get; set; }

    [BindProperty(SupportsGet = true, Name = "descending")]
    public bool IsDescending { get; set; }

    [BindProperty(SupportsGet = true, Name = "part")]
    public int Number { get; set; } = 1;

    public DateTimeOffset Now { get; } = time.GetUtcNow();

    public IReadOnlyList<FleetLine> All { get; private set; } = [];

    public IReadOnlyList<FleetLine> Found { get; private set; } = [];

    public IEnumerable<FleetLine> Shown => Found.Skip((Number - 1) * PageLength).Take(PageLength);

    public bool HasMore => Found.Count > Number * PageLength;

    /// <summary>Fleets that no worker has solved since they were due.</summary>
    public int Late => All.Count(line => line.Health.Status == "late");

    public async Task<IActionResult> OnGetAsync(CancellationToken cancel)
    {
        if (User.HasClaim(claim => claim.Type == Caller.OperatorClaim))
            return LocalRedirect("/operate");
        Number = Math.Max(1, Number);
        All = await ReadAsync(User.Tenant(), cancel);
        var found = All.Where(IsSought);
        var value = Columns.FirstOrDefault(column => column.Key == SortedBy, Columns[0]).Value;
        // Those without a value come last either way.
        var sorted = found.OrderBy(line => value(line) is null);
        Found = [.. IsDescending ? sorted.ThenByDescending(value) : sorted.ThenBy(value)];
        return Page();
    }

    /// <summary>The address that sorts by a column, or turns the order round.</summary>
    public string SortAddress(string key) =>
        Address(("sort", key), ("descending", (SortedBy ?? "fleet") == key && !IsDescending ? "true" : null));

    /// <summary>
    /// The address of another part of the list. (<c>page</c> is the name of the route value that chooses the Razor
    /// page.)
    /// </summary>
    public string PageAddress(int number) =>
        Address(("sort", SortedBy), ("descending", IsDescending ? "true" : null), ("part", $"{number}"));

    private string Address(params (string, string?)[] more) =>
        QueryString
            .Create(
                more.Concat([("q", Sought), ("health", OnlyHealth)])
                    .Where(it => !string.IsNullOrEmpty(it.Item2))
                    .Select(it => KeyValuePair.Create(it.Item1, it.Item2))
            )
            .ToUriComponent()
            is { Length: > 0 } query
            ? query
            : "?";

    private bool IsSought(FleetLine line) =>
        (string.IsNullOrEmpty(OnlyHealth) || line.Health.Status == OnlyHealth)
        && (
            string.IsNullOrWhiteSpace(Sought) || Contains(line.Fleet.Id) || Contains(line.Fleet.Definition.DisplayName)
        );

    private bool Contains(string text) => text.Contains(Sought!.Trim(), StringComparison.OrdinalIgnoreCase);

    private async Task<IReadOnlyList<FleetLine>> ReadAsync(string tenant, CancellationToken cancel)
    {
        var lines = new List<FleetLine>();
        for (var (after, more) = ("", true); more; )
        {
            var views = await fleets.ListAsync(tenant, after, BatchLength, cancel);
            var figures = (await history.ListInForceAsync(tenant, after, BatchLength, cancel)).ToDictionary(
                it => it.Fleet,
                it => it.Snapshot,
                StringComparer.Ordinal
            );
            lines.AddRange(
                views.Select(view => new FleetLine(view, Health.Of(view, Now), figures.GetValueOrDefault(view.Id)))
            );
            more = views.Count == BatchLength;
            after = more ? views[^1].Id : after;
        }

        return lines;
    }
}
