using System.Text;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Planning;
using Platform.Domain.Snapshots;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Planning;

public sealed class WhatIfProblemTests
{
    private const string Complete = """
        "maxTokens":500,"service":{"baseSeconds":0.1,"secondsPerToken":0.01},"accuracy":{"floor":0.1,"gain":0.5,"ratePerToken":0.01}
        """;

    private static readonly AllocationProblem Current = new()
    {
        ArrivalRate = 0.05,
        AccuracyWeight = 30,
        MaxUtilization = 0.9,
        TaskTypes =
        [
            Definitions.Math with
            {
                AccuracyFloor = 0.3,
            },
            Definitions.Chat with
            {
                Share = 0.5,
            },
            Definitions.Chat with
            {
                Id = "code",
                Share = 0.1,
            },
        ],
    };

    /// <summary>What each body changes, as parameters of the problem.</summary>
    public static TheoryData<string, string> Changes =>
        new()
        {
            { "{}", "" },
            { """{"servers":4}""", "/servers 1 4" },
            { """{"dispatch":"shared"}""", "/dispatch Split Shared" },
            { """{"accuracyWeight":60}""", "/accuracyWeight 30 60" },
            {
                """{"dispatch":"sharing","sharing":{"overheadSecondsPerToken":0.019,"maxInService":64},"maxInterTokenSeconds":0.1}""",
                "/dispatch Split Sharing, /sharing/overheadSecondsPerToken  0.019, /sharing/maxInService  64, /maxInterTokenSeconds  0.1"
            },
            {
                """{"dispatch":"sharing"}""",
                "/dispatch Split Sharing, /sharing/overheadSecondsPerToken  0.018000000000000002"
            },
            {
                """{"objective":{"accuracyWeight":60,"meanTokenBudget":100}}""",
                "/accuracyWeight 30 60, /meanTokenBudget  100"
            },
            { """{"maxUtilization":null}""", "/maxUtilization 0.9 " },
            {
                """{"objective":{"maxUtilization":null},"maxMeanSystemTimeSeconds":5}""",
                "/maxUtilization 0.9 , /maxMeanSystemTimeSeconds  5"
            },
            { """{"arrivalRate":0.2}""", "/arrivalRate 0.05 0.2" },
            { """{"arrivalRateFactor":2}""", "/arrivalRate 0.05 0.1" },
            {
                """{"taskTypes":[{"id":"math","weight":3,"maxTokens":9}]}""",
                "/taskTypes/0/weight 1 3, /taskTypes/0/maxTokens 32768 9"
            },
            {
                """{"taskTypes":[{"id":"math","accuracyFloor":null,"minTokens":7}]}""",
                "/taskTypes/0/minTokens 0 7, /taskTypes/0/accuracyFloor 0.3 "
            },
            {
                """{"taskTypes":[{"id":"chat","service":{"secondsPerToken":0.5}}]}""",
                "/taskTypes/1/service/secondsPerToken 0.02 0.5"
            },
            {
                """{"taskTypes":[{"id":"chat","service":{"baseSeconds":1,"varianceSecondsSquared":2}}]}""",
                "/taskTypes/1/service/baseSeconds 0.2 1, /taskTypes/1/service/varianceSecondsSquared 0 2"
            },
            { """{"taskTypes":[{"id":"code","accuracy":{"gain":0.4}}]}""", "/taskTypes/2/accuracy/gain 0.3 0.4" },
            {
                """{"taskTypes":[{"id":"code","accuracy":{"floor":0.4,"ratePerToken":0.1}}]}""",
                "/taskTypes/2/accuracy/floor 0.5 0.4, /taskTypes/2/accuracy/ratePerToken 0.004 0.1"
            },
        };

    [Theory]
    [MemberData(nameof(Changes))]
    public void What_is_given_is_otherwise_and_the_rest_stays(string body, string changes)
    {
        Assert.Empty(Build(body, out var problem));
        Assert.Equal(
            changes,
            string.Join(
                ", ",
                ProblemParameters.Differences(Current, problem).Select(it => $"{it.Pointer} {it.From} {it.To}")
            )
        );
    }

    [Theory]
    [InlineData("""{"taskTypes":[{"id":"math","share":0.7}]}""", "math 0.7, chat 0.25, code 0.05")]
    [InlineData(
        """{"taskTypes":[{"id":"math","share":0.5},{"id":"code","share":0.5}]}""",
        "math 0.5, chat 0, code 0.5"
    )]
    [InlineData("""{"taskTypes":[{"id":"math","remove":true}]}""", "chat 0.833333, code 0.166667")]
    [InlineData("""{"taskTypes":[{"id":"math","remove":true},{"id":"chat","share":0.2}]}""", "chat 0.2, code 0.8")]
    [InlineData("""{"taskTypes":[{"id":"new","share":0.2,COMPLETE}]}""", "math 0.32, chat 0.4, code 0.08, new 0.2")]
    [InlineData(
        """{"taskTypes":[{"id":"code","share":0.3},{"id":"new","share":0.1,COMPLETE},{"id":"math","share":0}]}""",
        "math 0, chat 0.6, code 0.3, new 0.1"
    )]
    public void Shares_that_are_given_are_taken_and_the_others_have_the_rest(string body, string shares)
    {
        Assert.Empty(Build(body, out var problem));
        Assert.Equal(
            shares,
            string.Join(", ", problem.TaskTypes.Select(type => $"{type.Id} {Math.Round(type.Share, 6)}"))
        );
    }

    [Fact]
    public void A_new_task_type_is_as_it_is_given()
    {
        Assert.Empty(
            Build(
                """{"taskTypes":[{"id":"new","share":0.2,"weight":2,"minTokens":3,"accuracyFloor":0.2,COMPLETE}]}""",
                out var problem
            )
        );
        var expected = new TaskType
        {
            Id = "new",
            Share = 0.2,
            Weight = 2,
            MinTokens = 3,
            MaxTokens = 500,
            AccuracyFloor = 0.2,
            Service = new ServiceLine(0.1, 0.01),
            Accuracy = new AccuracyCurve(0.1, 0.5, 0.01),
        };
        Assert.Equal(expected, problem.TaskTypes[3]);
        Assert.Empty(Build("""{"taskTypes":[{"id":"new","share":0.2,COMPLETE}]}""", out problem));
        Assert.Equal(expected with { Weight = 1, MinTokens = 0, AccuracyFloor = null }, problem.TaskTypes[3]);
    }

    [Theory]
    [InlineData("""{"servers":0}""", "/servers")]
    [InlineData("""{"servers":null}""", "/servers")]
    [InlineData("""{"unheardOf":1}""", "/unheardOf")]
    [InlineData("""{"arrivalRate":-1}""", "/arrivalRate")]
    [InlineData("""{"arrivalRateFactor":-1}""", "/arrivalRateFactor")]
    [InlineData("""{"sharing":{"overheadSecondsPerToken":0.01}}""", "/sharing")]
    [InlineData(
        """{"dispatch":"sharing","sharing":{"overheadSecondsPerToken":-1}}""",
        "/sharing/overheadSecondsPerToken"
    )]
    [InlineData("""{"dispatch":"sharing","sharing":{"maxInService":0}}""", "/sharing/maxInService")]
    [InlineData("""{"maxInterTokenSeconds":0.1}""", "/maxInterTokenSeconds")]
    [InlineData("""{"arrivalRateFactor":1e400}""", "/arrivalRateFactor")]
    [InlineData("""{"arrivalRate":1,"arrivalRateFactor":2}""", "/arrivalRateFactor")]
    [InlineData("""{"objective":{"maxUtilization":2}}""", "/objective/maxUtilization")]
    [InlineData("""{"maxUtilization":2}""", "/maxUtilization")]
    [InlineData("""{"accuracyWeight":1,"objective":{"accuracyWeight":1}}""", "/objective/accuracyWeight")]
    [InlineData("""{"objective":null}""", "/objective")]
    [InlineData("""{"taskTypes":[null]}""", "/taskTypes/0")]
    [InlineData("""{"taskTypes":[{"id":"chat"},{"id":"chat"}]}""", "/taskTypes/1/id")]
    [InlineData("""{"taskTypes":[{"id":"chat","maxTokens":-1}]}""", "/taskTypes/0/maxTokens")]
    [InlineData("""{"taskTypes":[{"id":"chat","share":null}]}""", "/taskTypes/0/share")]
    [InlineData("""{"taskTypes":[{"id":"chat","share":1.5}]}""", "/taskTypes")]
    [InlineData(
        """{"taskTypes":[{"id":"chat","share":0.5},{"id":"math","share":0.2},{"id":"code","share":0.2}]}""",
        "/taskTypes"
    )]
    [InlineData("""{"taskTypes":[{"id":"code","accuracy":{"gain":0.9}}]}""", "/taskTypes/0/accuracy/gain")]
    [InlineData("""{"taskTypes":[{"id":"new","remove":true}]}""", "/taskTypes/0/id")]
    [InlineData("""{"taskTypes":[{"id":"chat","remove":true,"weight":2}]}""", "/taskTypes/0/remove")]
    [InlineData(
        """{"taskTypes":[{"id":"chat","remove":true},{"id":"math","remove":true},{"id":"code","remove":true}]}""",
        "/taskTypes"
    )]
    [InlineData("""{"taskTypes":[{"id":"a b","share":0.1,COMPLETE}]}""", "/taskTypes/0/id")]
    [InlineData("""{"taskTypes":[{"id":"new",COMPLETE}]}""", "/taskTypes/0/share")]
    [InlineData("""{"taskTypes":[{"id":"new","share":0.1}]}""", "/taskTypes/0/accuracy/floor")]
    public void What_cannot_be_is_refused_with_its_place_in_the_body(string body, string pointer) =>
        Assert.Contains(pointer, Build(body, out _).Select(fault => fault.Pointer));

    private static IReadOnlyList<InputError> Build(string body, out AllocationProblem problem)
    {
        problem = Current;
        return StrictJson.TryRead<WhatIf>(
            Encoding.UTF8.GetBytes(body.Replace("COMPLETE", Complete, StringComparison.Ordinal)),
            out var whatIf,
            out var fault
        )
            ? WhatIfProblem.Build(Current, whatIf, out problem)
            : [fault];
    }
}
