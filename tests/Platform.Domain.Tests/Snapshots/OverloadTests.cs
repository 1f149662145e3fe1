using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Snapshots;
using Platform.Domain.Tests.Estimation;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Snapshots;

public class OverloadTests
{
    private const long Poison = 1_200_000;
    private static readonly Guid Message = new("3f2504e0-4f89-41d3-9a0c-0305e82c3301");

    [Fact]
    public void A_poisoned_window_is_named_with_what_to_do_about_it()
    {
        var overload = Of([.. Quiet(0, 360), Windows.Of(2_000, 2_010, Windows.Arrivals("math", Poison))])!;
        var window = new HeaviestWindow(
            Message,
            Windows.Start.AddSeconds(2_000),
            Windows.Start.AddSeconds(2_010),
            Poison
        );
        Assert.True(window.From >= overload.Stretch!.From && window.To <= overload.Stretch.To, $"{overload.Stretch}");
        Assert.Matches(
            "^the windows say [0-9.]+ per second\\. One window holds 100 % of the arrivals: 1,200,000 from 2026-11-23T10:33:20Z to "
                + "2026-11-23T10:33:30Z\\. If it is wrong, for example a counter sent as a delta, void it: POST /v1/fleets/chat/voids with "
                + $"{{\"messageId\": \"{Message}\", \"reason\": \"\\.\\.\\.\"}}$",
            overload.Describe("chat", window)
        );
    }

    [Fact]
    public void A_window_across_the_edge_of_two_buckets_is_found()
    {
        var width = WorkloadSums.WidthFor(21_600);
        var edge =
            (((Windows.Start.ToUnixTimeSeconds() + 2_000) / width) + 1) * width - Windows.Start.ToUnixTimeSeconds();
        var stretch = Of([
            .. Quiet(0, 360),
            Windows.Of(edge - 5, edge + 5, Windows.Arrivals("math", Poison)),
        ])!.Stretch!;
        Assert.Equal(
            (Windows.Start.AddSeconds(edge - width), Windows.Start.AddSeconds(edge + width)),
            (stretch.From, stretch.To)
        );
    }

    [Fact]
    public void A_busy_time_of_many_windows_is_named_by_its_begin_and_end()
    {
        var overload = Of([
            .. Quiet(0, 360),
            .. Enumerable.Range(0, 20).Select(i => Windows.Of(2_000 + i, 2_001 + i, Windows.Arrivals("math", 5_000))),
        ])!;
        var heaviest = new HeaviestWindow(
            Message,
            Windows.Start.AddSeconds(2_000),
            Windows.Start.AddSeconds(2_001),
            5_000
        );
        var text = overload.Describe("chat", heaviest);
        Assert.Contains("of the arrivals, 100,", text, StringComparison.Ordinal);
        Assert.Contains(" fell between 2026-11-23T10:", text, StringComparison.Ordinal);
        Assert.Contains("voids with {\"from\": \"2026-11-23T10:", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Traffic_that_is_everywhere_the_same_points_at_nothing()
    {
        var overload = Of([
            .. Enumerable
                .Range(0, 2_000)
                .Select(i => Windows.Of(i * 10, (i * 10) + 10, Windows.Arrivals("math", 10_000))),
        ])!;
        Assert.Null(overload.Stretch);
        Assert.Matches("^the windows say [0-9.]+ per second$", overload.Describe("chat", null));
    }

    [Fact]
    public void A_fleet_that_carries_its_arrivals_has_no_overload() => Assert.Null(Of([.. Quiet(0, 10)]));

    /// <summary>A query in each of so many windows of ten seconds.</summary>
    private static IEnumerable<WorkloadWindow> Quiet(int from, int count) =>
        Enumerable
            .Range(0, count)
            .Select(i => Windows.Of(from + (i * 10), from + (i * 10) + 10, Windows.Arrivals("math", 1)));

    private static Overload? Of(WorkloadWindow[] windows)
    {
        var sums = new WorkloadSums(21_600);
        foreach (var window in windows)
            sums.Fold(window);
        var inputs = new SnapshotInputs
        {
            Tenant = "acme",
            Fleet = "chat",
            Definition = Definitions.Fleet(),
            DefinitionRevision = 1,
            Sums = sums,
            WorkloadVersion = windows.Length,
            SolvedAt = windows.Max(window => window.WindowEnd),
        };
        var outcome = SolvePolicy.Solve(inputs, null);
        Assert.Equal(outcome.Fault is not null, outcome.Overload is not null);
        return outcome.Overload;
    }
}
