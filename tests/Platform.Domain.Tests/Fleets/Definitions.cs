using Platform.Domain.Allocation;
using Platform.Domain.Fleets;

namespace Platform.Domain.Tests.Fleets;

/// <summary>Valid definitions to begin with.</summary>
internal static class Definitions
{
    public static readonly TaskType Math = new()
    {
        Id = "math",
        Share = 0.4,
        MaxTokens = 32_768,
        Service = new ServiceLine(0.4, 0.02),
        Accuracy = new AccuracyCurve(0.2, 0.6, 0.001),
    };

    public static readonly TaskType Chat = new()
    {
        Id = "chat",
        Share = 0.6,
        MaxTokens = 32_768,
        Service = new ServiceLine(0.2, 0.02),
        Accuracy = new AccuracyCurve(0.5, 0.3, 0.004),
    };

    public static FleetDefinition Fleet(string displayName = "Chat, EU") =>
        new()
        {
            DisplayName = displayName,
            Objective = new FleetObjective { AccuracyWeight = 30 },
            ArrivalRate = 0.05,
            TaskTypes = [Math, Chat],
        };
}
