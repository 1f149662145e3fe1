using System.Text;
using System.Text.Json.Nodes;
using Platform.Solver.Allocation;

namespace Platform.Solver.Tests.Allocation;

/// <summary>Runs a command that answers problems, its input on standard input.</summary>
internal static class Commands
{
    public static (int Status, string Output, string[] Error) Run(
        Func<string[], Streams, int> command,
        string input,
        params string[] words
    )
    {
        using var standardInput = new MemoryStream(Encoding.UTF8.GetBytes(input));
        using var output = new MemoryStream();
        using var error = new StringWriter();
        var streams = new Streams(standardInput, output, error, IsTerminal: false);
        var status = ProblemCommand.Guarded(() => command(words, streams), error);
        return (
            status,
            Encoding.UTF8.GetString(output.ToArray()),
            error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)
        );
    }

    /// <summary>A problem with two task types, as short as the contract lets it be.</summary>
    public static JsonObject Problem(double arrivalRate = 0.1) =>
        JsonNode
            .Parse(
                $$"""
                { "arrivalRate": {{arrivalRate}}, "accuracyWeight": 30,
                  "taskTypes": [
                    { "id": "math", "share": 0.25, "maxTokens": 8192,
                      "service": { "baseSeconds": 0.3, "secondsPerToken": 0.012 },
                      "accuracy": { "floor": 0.35, "gain": 0.58, "ratePerToken": 0.004 } },
                    { "id": "chat", "share": 0.75, "maxTokens": 4096,
                      "service": { "baseSeconds": 0.25, "secondsPerToken": 0.012 },
                      "accuracy": { "floor": 0.62, "gain": 0.22, "ratePerToken": 0.008 } } ] }
                """
            )!
            .AsObject();

    /// <summary>A problem whose servers batch, with all that such a problem may say.</summary>
    public static JsonObject SharingProblem(double arrivalRate = 1) =>
        JsonNode
            .Parse(
                $$"""
                { "arrivalRate": {{arrivalRate}}, "servers": 2, "dispatch": "sharing", "accuracyWeight": 300,
                  "sharing": { "overheadSecondsPerToken": 0.0206, "maxInService": 256 },
                  "maxInterTokenSeconds": 0.2, "maxTimeToFirstAnswerTokenSeconds": 600,
                  "taskTypes": [
                    { "id": "math", "share": 0.25, "maxTokens": 8192, "answerTokens": 200.5,
                      "service": { "baseSeconds": 4.4, "secondsPerToken": 0.02101, "secondsPerTokenSquared": 1e-9 },
                      "accuracy": { "floor": 0.35, "gain": 0.58, "ratePerToken": 0.004 } },
                    { "id": "chat", "share": 0.75, "maxTokens": 4096, "answerTokens": 300,
                      "service": { "baseSeconds": 6.4, "secondsPerToken": 0.02101 },
                      "accuracy": { "floor": 0.62, "gain": 0.22, "ratePerToken": 0.008 } } ] }
                """
            )!
            .AsObject();

    public static JsonObject Changed(Action<JsonObject> change)
    {
        var problem = Problem();
        change(problem);
        return problem;
    }
}
