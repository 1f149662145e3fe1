using Platform.Domain.Contracts;

namespace Platform.Domain.Tests.Contracts;

public sealed class IngressNamesTests
{
    /// <summary>Publishers in other languages and the brokers in use know these names.</summary>
    [Fact]
    public void The_names_on_the_broker_are_permanent()
    {
        Assert.Equal("workload-statistics", IngressNames.Exchange);
        Assert.Equal("workload-statistics.intake", IngressNames.Intake);
        Assert.Equal("workload-statistics.rejected", IngressNames.Rejected);
        Assert.Equal("on-behalf-of", IngressNames.OnBehalfOfHeader);
    }
}
