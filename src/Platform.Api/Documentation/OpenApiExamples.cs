using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Platform.Api.Documentation;

/// <summary>
/// The examples of the OpenAPI document, from <c>examples.json</c>: for each call the body that is sent and the answer
/// to it.
/// </summary>
internal static class OpenApiExamples
{
    private const string Json = "application/json";

    public static void AddExamples(this OpenApiOptions options) =>
        options.AddDocumentTransformer(
            (document, _, _) =>
            {
                var examples = Read();
                foreach (var (path, item) in document.Paths)
                {
                    foreach (var (method, operation) in item.Operations ?? [])
                        Put(operation, examples[$"{method.Method.ToLowerInvariant()} {path}"]);
                }

                return Task.CompletedTask;
            }
        );

    private static JsonNode Read()
    {
        using var examples = typeof(OpenApiExamples).Assembly.GetManifestResourceStream("examples.json");
        return JsonNode.Parse(examples!)!;
    }

    private static void Put(OpenApiOperation operation, JsonNode? example)
    {
        if (operation.RequestBody?.Content?.TryGetValue(Json, out var request) == true)
            request.Example = example?["request"]?.DeepClone();
        foreach (var (status, response) in operation.Responses ?? [])
        {
            if (status.StartsWith('2') && response.Content?.TryGetValue(Json, out var answer) == true)
                answer.Example = example?["answer"]?.DeepClone();
        }
    }
}
