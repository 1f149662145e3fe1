using Platform.Domain.Contracts;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;
using Platform.Domain.Tests.Estimation;

namespace Platform.Domain.Tests.Fleets;

public class WorkloadVoidingTests
{
    private static readonly DateTimeOffset Now = Windows.Start.AddHours(1);
    private static readonly Guid Message = new("3f2504e0-4f89-41d3-9a0c-0305e82c3301");
    private static readonly Fleet Registered = new() { Definition = Definitions.Fleet(), Revision = 1 };
    private static readonly VoidRequest Request = new(
        new VoidScope(Message, null, null),
        "a counter sent as a delta",
        "ann",
        Now
    );

    public static TheoryData<VoidScope, string?> Scopes =>
        new()
        {
            { new VoidScope(Message, null, null), null },
            { new VoidScope(null, Now.AddDays(-8), Now), null },
            { new VoidScope(null, null, null), "" },
            { new VoidScope(Message, Now, Now.AddHours(1)), "" },
            { new VoidScope(null, Now, null), "/to" },
            { new VoidScope(null, null, Now), "/from" },
            { new VoidScope(null, Now, Now), "/to" },
            { new VoidScope(null, Now.AddDays(-8).AddTicks(-1), Now), "/from" },
        };

    [Theory]
    [MemberData(nameof(Scopes))]
    public void Exactly_one_way_to_say_which_windows_is_taken(VoidScope scope, string? pointer) =>
        Assert.Equal(pointer, WorkloadVoiding.Validate(scope, Now)?.Pointer);

    [Theory]
    [InlineData(-10, 0, false)]
    [InlineData(-10, 0.001, true)]
    [InlineData(9.999, 20, true)]
    [InlineData(10, 20, false)]
    [InlineData(-100, 100, true)]
    public void A_stretch_means_the_windows_that_overlap_it(double from, double to, bool isMeant) =>
        Assert.Equal(
            isMeant,
            new VoidScope(null, Windows.Start, Windows.Start.AddSeconds(10)).Covers(Recorded(from, to))
        );

    [Fact]
    public void A_message_means_its_own_window()
    {
        Assert.True(Request.Scope.Covers(Recorded(0, 10)));
        Assert.False(new VoidScope(Guid.NewGuid(), null, null).Covers(Recorded(0, 10)));
    }

    [Fact]
    public void What_is_void_says_who_why_and_how_much()
    {
        var window = Recorded(0, 10).Window;
        var found = WindowsToVoid
            .None.With(window, counts: true)
            .With(window, counts: false)
            .With(window, counts: true);
        Assert.Equal(
            new WorkloadVoided
            {
                At = Now,
                MessageId = Message,
                Reason = "a counter sent as a delta",
                By = "ann",
                Windows = 2,
                Arrivals = 6,
                WorkloadVersion = 41,
            },
            WorkloadVoiding.Decide(Registered, Request, found, 41).Event
        );
    }

    [Fact]
    public void Sums_beyond_the_largest_are_told_as_the_largest()
    {
        var window = Windows.Of(0, 10, Windows.Arrivals("math", WorkloadWindowReader.MaxSum));
        var found = WindowsToVoid.None.With(window, counts: true).With(window, counts: true);
        Assert.Equal((2, WorkloadWindowReader.MaxSum), (found.Windows, found.Arrivals));
    }

    [Fact]
    public void What_is_void_already_changes_nothing() =>
        WorkloadVoiding
            .Decide(Registered, Request, WindowsToVoid.None.With(Recorded(0, 10).Window, counts: false), 41)
            .ChangesNothing();

    [Fact]
    public void What_matches_nothing_is_refused_in_words()
    {
        var refused = WorkloadVoiding.Decide(Registered, Request, WindowsToVoid.None, 41);
        Assert.Equal(
            (Refusal.Conflict, $"no stored window of the fleet came with the message {Message}"),
            (refused.RefusedAs, refused.Reason)
        );
        var stretch = Request with { Scope = new VoidScope(null, Now, Now.AddHours(1)) };
        Assert.StartsWith(
            "no stored window of the fleet overlaps the time from 2026-",
            WorkloadVoiding.Decide(Registered, stretch, WindowsToVoid.None, 41).Reason,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_fleet_that_is_not_there_has_no_windows_to_void()
    {
        var found = WindowsToVoid.None.With(Recorded(0, 10).Window, counts: true);
        Assert.Equal(Refusal.NotFound, WorkloadVoiding.Decide(null, Request, found, 1).RefusedAs);
        Assert.Equal(
            Refusal.NotFound,
            WorkloadVoiding.Decide(Registered with { IsRetired = true }, Request, found, 1).RefusedAs
        );
    }

    private static WorkloadWindowRecorded Recorded(double from, double to) =>
        new()
        {
            MessageId = Message,
            Window = Windows.Of(from, to, Windows.Arrivals("math", 1), Windows.Arrivals("chat", 2)),
        };
}
