using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Tests.Estimation;

namespace Platform.Domain.Tests.Fleets;

public class FleetConcernsTests
{
    [Fact]
    public void Arrivals_of_unknown_task_types_are_a_concern_that_says_how_many_and_of_which()
    {
        var concern = Assert.Single(Concerns(("math", 60), ("maths", 10), ("mathz", 30)));
        Assert.Equal(FleetConcerns.UnknownTaskTypes, concern.Code);
        Assert.Equal(
            "40 % of arrivals are of task types that the definition does not know: mathz, maths; "
                + "rename them, or add them to the definition as task types or as aliases.",
            concern.Message
        );
    }

    [Fact]
    public void A_long_list_of_names_is_cut()
    {
        var concern = Assert.Single(Concerns([.. Enumerable.Range(1, 9).Select(i => ($"t{i}", 100L))]));
        Assert.StartsWith("100 % of arrivals", concern.Message, StringComparison.Ordinal);
        Assert.Contains(": t1, t2, t3, t4, t5 and 4 more; rename", concern.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1_000, 9)]
    [InlineData(991, 9)]
    [InlineData(1_990, 10)]
    [InlineData(0, 0)]
    public void A_few_arrivals_or_a_small_part_of_them_are_no_concern(long known, long unknown) =>
        Assert.Empty(Concerns(("math", known), ("maths", unknown)));

    [Fact]
    public void Ten_arrivals_that_are_one_in_a_hundred_are_a_concern() =>
        Assert.StartsWith(
            "1 % of arrivals",
            Assert.Single(Concerns(("math", 990), ("maths", 10))).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void A_pinned_version_without_a_task_type_of_the_definition_is_a_concern()
    {
        var concern = FleetConcerns.FindInPinnedVersion(Definitions.Fleet(), 3, ["math", "poems"])!;
        Assert.Equal(FleetConcerns.PinLacksTaskTypes, concern.Code);
        Assert.StartsWith(
            "The pinned version 3 has no tokens for these task types of the definition: chat. ",
            concern.Message,
            StringComparison.Ordinal
        );
        Assert.Null(FleetConcerns.FindInPinnedVersion(Definitions.Fleet(), 3, ["chat", "math"]));
    }

    private static IReadOnlyList<FleetConcern> Concerns(params (string TaskType, long Arrivals)[] seen)
    {
        var sums = new WorkloadSums(21_600);
        sums.Fold(Windows.Of(0, 10, [.. seen.Select(it => Windows.Arrivals(it.TaskType, it.Arrivals))]));
        return FleetConcerns.Of(Estimator.Estimate(Definitions.Fleet(), sums, Windows.Start.AddSeconds(20)));
    }
}
