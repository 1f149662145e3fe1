using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;

namespace Platform.Integration.Tests;

public sealed class PlanningTests(TestPlatform platform)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_would_be_is_solved_over_the_current_estimate_and_compared_with_the_allocation_in_force()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        await tenant.PublishAsync("chat", TestTenant.Window("chat", load: 9), Guid.NewGuid(), Cancel);
        var inForce = await tenant.UntilAllocatedOnAsync("chat", 1, Cancel);
        var answer = await AskAsync(
            tenant,
            "/what-if",
            """
            {"arrivalRateFactor":2,"servers":3,"objective":{"maxUtilization":null},"taskTypes":[{"id":"chat","remove":true},
             {"id":"new","share":0.25,"maxTokens":900,"service":{"baseSeconds":0.1,"secondsPerToken":0.01},
              "accuracy":{"floor":0.1,"gain":0.5,"ratePerToken":0.01}}]}
            """
        );

        Assert.Equal((int)inForce["version"]!, (int)answer["inForce"]!["version"]!);
        var (problem, solution, difference) = (answer["problem"]!, answer["solution"]!, answer["difference"]!);
        Assert.Equal(
            ["math 0.75", "new 0.25"],
            problem["taskTypes"]!.AsArray().Select(type => $"{type!["id"]} {type["share"]}")
        );
        // The estimate ages by the moment: it is that of the snapshot in force but for some seconds.
        Assert.Equal(2, (double)problem["arrivalRate"]! / (double)inForce["problem"]!["arrivalRate"]!, 0.02);
        Assert.True(
            StrictJson.TryRead<AllocationProblem>(Encoding.UTF8.GetBytes(problem.ToJsonString()), out var read, out _)
        );
        Assert.Equal(StrictJson.Write(AllocationSolver.Solve(read)), StrictJson.Write(solution));
        Assert.NotNull(solution["shadowPrices"]);
        var traffic = answer["traffic"]!;
        Assert.Equal(
            ((double)problem["arrivalRate"]!, "asked"),
            ((double)traffic["plannedRate"]!, (string)traffic["basis"]!)
        );
        Assert.Equal(2 * (double)traffic["upperRate"]!, (double)traffic["plannedRate"]!, 1e-9);
        Assert.True((double)traffic["arrivalRate"]!["value"]! < (double)traffic["upperRate"]!);
        Assert.Contains("traffic", difference["causes"]!.AsArray().Select(cause => (string)cause!["cause"]!));

        Assert.Equal(
            ["kept", "added", "removed"],
            difference["taskTypes"]!.AsArray().Select(type => (string)type!["presence"]!)
        );
        Assert.Equal((double)solution["meanTokens"]!, (double)difference["figures"]!["meanTokens"]!["to"]!);
        Assert.Contains("arrivalRate", difference["inputs"]!.AsArray().Select(input => (string)input!["input"]!));
        Assert.Equal(
            (int)inForce["version"]!,
            (int)(await tenant.UntilAllocatedAsync("chat", _ => true, Cancel))["version"]!
        );
    }

    [Fact]
    public async Task What_cannot_be_is_said_with_its_reason()
    {
        var tenant = await AllocatedAsync();
        var answer = await AskAsync(tenant, "/what-if", """{"arrivalRateFactor":1000}""");
        Assert.Equal("infeasible", (string)answer["solution"]!["status"]!);
        Assert.Equal("unstable", (string)answer["solution"]!["reason"]!);
        Assert.Null(answer["difference"]);
        var frontier = await AskAsync(tenant, "/what-if/frontier", """{"arrivalRateFactor":1000}""");
        Assert.Equal("infeasible", (string)frontier["solution"]!["status"]!);
        Assert.Empty(frontier["points"]!.AsArray());
    }

    [Fact]
    public async Task The_frontier_rises_in_accuracy_and_time()
    {
        var tenant = await AllocatedAsync();
        var answer = await AskAsync(tenant, "/what-if/frontier", """{"servers":2,"points":21}""");
        var points = answer["points"]!.AsArray();
        Assert.Equal(21, points.Count);
        foreach (var figure in (string[])["accuracyWeight", "weightedAccuracy", "meanSystemTimeSeconds"])
        {
            var values = points.Select(point => (double)point![figure]!).ToList();
            Assert.Equal(values.Order(), values);
            Assert.True(values[^1] > values[0]);
        }

        Assert.Equal("now", (string)answer["traffic"]!["basis"]!);
        Assert.Equal(30, (double)answer["current"]!["accuracyWeight"]!);
        Assert.Equal((double)answer["solution"]!["meanAccuracy"]!, (double)answer["current"]!["meanAccuracy"]!);
        Assert.Equal(2, (int)answer["problem"]!["servers"]!);
    }

    [Theory]
    [InlineData("/what-if", """{"servers":0}""", "/servers")]
    [InlineData("/what-if", """{"unheardOf":0}""", "/unheardOf")]
    [InlineData("/what-if", """{"taskTypes":[{"id":"nobody","remove":true}]}""", "/taskTypes/0/id")]
    [InlineData("/what-if", "[]", "")]
    [InlineData("/what-if/frontier", """{"points":1}""", "/points")]
    [InlineData("/what-if/frontier", """{"objective":{"accuracyWeight":-1}}""", "/objective/accuracyWeight")]
    [InlineData("/what-if/frontier", """{"fromAccuracyWeight":-1}""", "/fromAccuracyWeight")]
    public async Task Bad_input_names_its_field(string path, string body, string pointer)
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        using var answer = await PostAsync(tenant, path, body);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(
            pointer,
            (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!["errors"]![0]!["pointer"]!
        );
    }

    [Fact]
    public async Task Of_too_many_plans_at_once_some_wait_and_the_rest_are_told_when_to_come_again()
    {
        var tenant = await AllocatedAsync();
        const string Hard = """{"servers":40,"dispatch":"shared","points":12}""";
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 40).Select(_ => PostAsync(tenant, "/what-if/frontier", Hard))
        );
        var refused = answers.Where(answer => answer.StatusCode == HttpStatusCode.TooManyRequests).ToList();
        Assert.NotEmpty(refused);
        Assert.All(refused, answer => Assert.NotNull(answer.Headers.RetryAfter));
        Assert.All(answers.Except(refused), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        Assert.True(answers.Length - refused.Count >= 22, "two at once and twenty that wait");
        foreach (var answer in answers)
            answer.Dispose();
    }

    private async Task<TestTenant> AllocatedAsync()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        return tenant;
    }

    private static async Task<JsonNode> AskAsync(TestTenant tenant, string path, string body)
    {
        using var answer = await PostAsync(tenant, path, body);
        return await TestPlatform.ReadAsync(answer, Cancel);
    }

    private static async Task<HttpResponseMessage> PostAsync(TestTenant tenant, string path, string body)
    {
        using var client = tenant.Client();
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await client.PostAsync(new Uri($"/v1/fleets/chat{path}", UriKind.Relative), content, Cancel);
    }
}
