using Platform.Workers.Solving;

namespace Platform.Workers.Tests.Solving;

public sealed class SolveSweepTests
{
    /// <summary>Under another name, the old job would go on beside the new one in every database there is.</summary>
    [Fact]
    public void The_name_of_the_recurring_job_is_permanent() => Assert.Equal("solve-sweep", SolveSweep.JobId);
}
