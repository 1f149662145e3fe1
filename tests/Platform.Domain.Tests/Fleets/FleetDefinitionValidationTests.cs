using Platform.Domain.Allocation;
using Platform.Domain.Fleets;

namespace Platform.Domain.Tests.Fleets;

public sealed class FleetDefinitionValidationTests
{
    private static readonly FleetDefinition Valid = Definitions.Fleet();

    private static readonly Dictionary<string, (string[] Pointers, FleetDefinition Definition)> Faulty = new()
    {
        ["empty name"] = (["/displayName"], Valid with { DisplayName = "" }),
        ["blank name"] = (["/displayName"], Valid with { DisplayName = " \t " }),
        ["name of 201 characters"] = (["/displayName"], Valid with { DisplayName = new string('x', 201) }),
        ["control character in the name"] = (["/displayName"], Valid with { DisplayName = "Chat\0" }),
        ["no servers"] = (["/servers"], Valid with { Servers = 0 }),
        ["10,001 servers"] = (["/servers"], Valid with { Servers = 10_001 }),
        ["dispatch without a name"] = (["/dispatch"], Valid with { Dispatch = (Dispatch)9 }),
        ["negative arrival rate"] = (["/arrivalRate"], Valid with { ArrivalRate = -1e-9 }),
        ["arrival rate without a number"] = (["/arrivalRate"], Valid with { ArrivalRate = double.NaN }),
        ["endless arrival rate"] = (["/arrivalRate"], Valid with { ArrivalRate = double.PositiveInfinity }),
        ["negative accuracy weight"] = (
            ["/objective/accuracyWeight"],
            WithObjective(it => it with { AccuracyWeight = -1 })
        ),
        ["endless accuracy weight"] = (
            ["/objective/accuracyWeight"],
            WithObjective(it => it with { AccuracyWeight = double.PositiveInfinity })
        ),
        ["utilization capped at 0"] = (
            ["/objective/maxUtilization"],
            WithObjective(it => it with { MaxUtilization = 0 })
        ),
        ["utilization capped at 1"] = (
            ["/objective/maxUtilization"],
            WithObjective(it => it with { MaxUtilization = 1 })
        ),
        ["utilization cap without a number"] = (
            ["/objective/maxUtilization"],
            WithObjective(it => it with { MaxUtilization = double.NaN })
        ),
        ["negative budget"] = (["/objective/meanTokenBudget"], WithObjective(it => it with { MeanTokenBudget = -1 })),
        ["no time at all"] = (
            ["/objective/maxMeanSystemTimeSeconds"],
            WithObjective(it => it with { MaxMeanSystemTimeSeconds = 0 })
        ),
        ["endless time"] = (
            ["/objective/maxMeanSystemTimeSeconds"],
            WithObjective(it => it with { MaxMeanSystemTimeSeconds = double.PositiveInfinity })
        ),
        ["solved without pause"] = (["/solving/everySeconds"], Valid with { Solving = new() { EverySeconds = 0 } }),
        ["solved less than daily"] = (
            ["/solving/everySeconds"],
            Valid with
            {
                Solving = new() { EverySeconds = 86_401 },
            }
        ),
        ["horizon below a minute"] = (
            ["/solving/horizonSeconds"],
            Valid with
            {
                Solving = new() { HorizonSeconds = 59 },
            }
        ),
        ["horizon over a week"] = (
            ["/solving/horizonSeconds"],
            Valid with
            {
                Solving = new() { HorizonSeconds = 604_801 },
            }
        ),
        ["less than no days"] = (["/solving/forecastDays"], Valid with { Solving = new() { ForecastDays = -1 } }),
        ["more days than a fortnight"] = (
            ["/solving/forecastDays"],
            Valid with
            {
                Solving = new() { ForecastDays = 15 },
            }
        ),
        ["negative gain"] = (["/solving/minimumGain"], Valid with { Solving = new() { MinimumGain = -1e-9 } }),
        ["gain without a number"] = (
            ["/solving/minimumGain"],
            Valid with
            {
                Solving = new() { MinimumGain = double.NaN },
            }
        ),
        ["endless gain"] = (
            ["/solving/minimumGain"],
            Valid with
            {
                Solving = new() { MinimumGain = double.PositiveInfinity },
            }
        ),
        ["no task types"] = (["/taskTypes"], Valid with { TaskTypes = [] }),
        ["1,001 task types"] = (["/taskTypes"], Valid with { TaskTypes = Types(1_001) }),
        ["shares that do not sum to 1"] = (["/taskTypes"], WithMath(it => it with { Share = 0.41 })),
        ["task type that is null"] = (
            ["/taskTypes/1", "/taskTypes"],
            Valid with
            {
                TaskTypes = [Definitions.Math, null!],
            }
        ),
        ["id with a space"] = (["/taskTypes/0/id"], WithMath(it => it with { Id = "ma th" })),
        ["id of 65 characters"] = (["/taskTypes/0/id"], WithMath(it => it with { Id = new string('m', 65) })),
        ["id twice"] = (["/taskTypes/1/id"], WithMath(it => it with { Id = "chat" })),
        ["negative share"] = (
            ["/taskTypes/0/share"],
            WithMath(it => it with { Share = -0.1 }, Definitions.Chat with { Id = "code", Share = 0.5 })
        ),
        ["no weight"] = (["/taskTypes/0/weight"], WithMath(it => it with { Weight = 0 })),
        ["negative least tokens"] = (["/taskTypes/0/minTokens"], WithMath(it => it with { MinTokens = -1 })),
        ["most tokens below the least"] = (
            ["/taskTypes/0/maxTokens"],
            WithMath(it => it with { MinTokens = 10, MaxTokens = 9 })
        ),
        ["tokens beyond 2^53 - 1"] = (["/taskTypes/0/maxTokens"], WithMath(it => it with { MaxTokens = 1L << 53 })),
        ["accuracy floor above 1"] = (["/taskTypes/0/accuracyFloor"], WithMath(it => it with { AccuracyFloor = 1.1 })),
        ["negative base time"] = (
            ["/taskTypes/0/service/baseSeconds"],
            WithMath(it => it with { Service = new(-1, 0.02) })
        ),
        ["negative time per token"] = (
            ["/taskTypes/0/service/secondsPerToken"],
            WithMath(it => it with { Service = new(0.4, -0.02) })
        ),
        ["negative variance"] = (
            ["/taskTypes/0/service/varianceSecondsSquared"],
            WithMath(it => it with { Service = new(0.4, 0.02, -1) })
        ),
        ["accuracy below -1"] = (
            ["/taskTypes/0/accuracy/floor"],
            WithMath(it => it with { Accuracy = new(-1.1, 1.6, 0.001) })
        ),
        ["accuracy below 0 at its best"] = (
            ["/taskTypes/0/accuracy/gain"],
            WithMath(it => it with { Accuracy = new(-0.5, 0.4, 0.001) })
        ),
        ["accuracy beyond 1"] = (
            ["/taskTypes/0/accuracy/gain"],
            WithMath(it => it with { Accuracy = new(0.5, 0.6, 0.001) })
        ),
        ["negative rate"] = (
            ["/taskTypes/0/accuracy/ratePerToken"],
            WithMath(it => it with { Accuracy = new(0.2, 0.6, -0.001) })
        ),
        ["alias with a space"] = (["/taskTypes/0/aliases/1"], WithMath(it => it with { Aliases = ["maths", "ma th"] })),
        ["alias that is null"] = (["/taskTypes/0/aliases/0"], WithMath(it => it with { Aliases = [null!] })),
        ["alias that is its own id"] = (["/taskTypes/0/aliases/0"], WithMath(it => it with { Aliases = ["math"] })),
        ["alias that is another's id"] = (["/taskTypes/0/aliases/0"], WithMath(it => it with { Aliases = ["chat"] })),
        ["alias twice"] = (["/taskTypes/0/aliases/1"], WithMath(it => it with { Aliases = ["maths", "maths"] })),
        ["alias of two"] = (
            ["/taskTypes/1/aliases/0"],
            Valid with
            {
                TaskTypes = [.. Valid.TaskTypes.Select(it => it with { Aliases = ["maths"] })],
            }
        ),
        ["21 aliases"] = (
            ["/taskTypes/0/aliases"],
            WithMath(it => it with { Aliases = [.. Enumerable.Range(0, 21).Select(i => $"old-{i}")] })
        ),
        ["ladder of one rung"] = (
            ["/solving/ladder/rungs"],
            Valid with
            {
                Solving = new() { Ladder = new() { Rungs = 1 } },
            }
        ),
        ["ladder of 17 rungs"] = (
            ["/solving/ladder/rungs"],
            Valid with
            {
                Solving = new() { Ladder = new() { Rungs = 17 } },
            }
        ),
        ["actuator that allows nothing"] = (["/actuator/allowed"], WithActuator()),
        ["actuator of 65 ranges"] = (
            ["/actuator/allowed"],
            WithActuator([.. Enumerable.Range(0, 65).Select(i => new TokenRange(i, i))])
        ),
        ["actuator with a range that is null"] = (["/actuator/allowed/1"], WithActuator(new(0, 0), null!)),
        ["actuator with ranges that meet"] = (["/actuator/allowed/1"], WithActuator(new(0, 10), new(10, 20))),
        ["actuator with a range turned round"] = (["/actuator/allowed/0"], WithActuator(new TokenRange(10, 9))),
        ["actuator below 0"] = (["/actuator/allowed/0"], WithActuator(new TokenRange(-1, 9))),
        ["actuator with a name for many numbers"] = (
            ["/actuator/allowed/0/name"],
            WithActuator(new TokenRange(0, 9, "low"))
        ),
        ["actuator with an empty name"] = (["/actuator/allowed/0/name"], WithActuator(new TokenRange(9, 9, ""))),
        ["actuator that allows nothing of a task type"] = (
            ["/taskTypes/0", "/taskTypes/1"],
            WithActuator(new TokenRange(1L << 40, 1L << 41))
        ),
    };

    public static TheoryData<string> Faults => [.. Faulty.Keys];

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_is_named_with_its_pointer(string fault)
    {
        var (pointers, definition) = Faulty[fault];
        Assert.Equal(pointers, FleetDefinitionValidation.Validate(definition).Select(error => error.Pointer));
    }

    [Fact]
    public void Every_bound_itself_is_valid()
    {
        FleetDefinition[] bounds =
        [
            Valid,
            Valid with
            {
                DisplayName = new string('x', 200),
            },
            Valid with
            {
                Servers = 10_000,
            },
            Valid with
            {
                ArrivalRate = 0,
            },
            Valid with
            {
                Solving = new()
                {
                    EverySeconds = 1,
                    HorizonSeconds = 60,
                    MinimumGain = 0,
                },
            },
            Valid with
            {
                Solving = new()
                {
                    EverySeconds = 86_400,
                    HorizonSeconds = 604_800,
                    MinimumGain = 1e6,
                },
            },
            Valid with
            {
                Solving = new() { Ladder = new() { Rungs = 2 } },
            },
            Valid with
            {
                Solving = new() { Ladder = new() },
            },
            WithObjective(_ => new FleetObjective
            {
                AccuracyWeight = 0,
                MaxUtilization = 0.001,
                MeanTokenBudget = 0,
                MaxMeanSystemTimeSeconds = 1e-9,
            }),
            WithMath(it => it with { MinTokens = 10, MaxTokens = 10, AccuracyFloor = 1 }),
            WithMath(it =>
                it with
                {
                    Id = new string('m', 64),
                    MaxTokens = (1L << 53) - 1,
                    Service = new(0, 0),
                    Accuracy = new(0.4, 0.6, 0),
                }
            ),
            Valid with
            {
                TaskTypes = Types(1_000),
            },
            WithActuator(new(0, 0, new string('n', 64)), new(1, long.MaxValue)),
        ];
        Assert.All(bounds, definition => Assert.Empty(FleetDefinitionValidation.Validate(definition)));
    }

    [Fact]
    public void All_faults_are_named_at_once()
    {
        var faulty = Valid with
        {
            DisplayName = "",
            Servers = 0,
            Solving = new() { EverySeconds = 0 },
            TaskTypes = [],
        };
        Assert.Equal(
            ["/displayName", "/servers", "/solving/everySeconds", "/taskTypes"],
            FleetDefinitionValidation.Validate(faulty).Select(error => error.Pointer).Order(StringComparer.Ordinal)
        );
    }

    private static FleetDefinition WithObjective(Func<FleetObjective, FleetObjective> change) =>
        Valid with
        {
            Objective = change(Valid.Objective),
        };

    private static FleetDefinition WithActuator(params TokenRange[] allowed) =>
        Valid with
        {
            Actuator = new() { Allowed = allowed },
        };

    private static FleetDefinition WithMath(Func<TaskType, TaskType> change, params TaskType[] more) =>
        Valid with
        {
            TaskTypes = [change(Definitions.Math), Definitions.Chat, .. more],
        };

    private static TaskType[] Types(int count) =>
        [.. Enumerable.Range(0, count).Select(i => Definitions.Math with { Id = $"type-{i}", Share = 1.0 / count })];
}
