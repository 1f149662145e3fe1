using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Solver.Simulation;

namespace Platform.Solver;

/// <summary>
/// What the serializer knows of problems and answers, generated at build time: a program in machine code cannot find
/// out as it runs. It is asked only for the words of a fault and for the answers that are not of everyday.
/// </summary>
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(AllocationProblem[]))]
[JsonSerializable(typeof(SimulationRequest[]))]
[JsonSerializable(typeof(AllocationSolution))]
[JsonSerializable(typeof(SimulationAnswer))]
internal sealed partial class ProblemJson : JsonSerializerContext
{
    private static readonly JsonSerializerOptions Strict = StrictJson.Generated(
        new Types(),
        StrictJson.Name<Dispatch>(),
        StrictJson.Name<SolutionStatus>(),
        StrictJson.Name<InfeasibilityReason>(),
        StrictJson.Name<TokenBound>(),
        StrictJson.Name<RoundingMethod>(),
        StrictJson.Name<SolverMethod>(),
        StrictJson.Name<SolverExit>(),
        StrictJson.Name<PlainIteration>(),
        StrictJson.Name<QueueingApproximation>()
    );

    /// <summary>What the serializer knows of a type.</summary>
    public static JsonTypeInfo<T> Of<T>() => (JsonTypeInfo<T>)Strict.GetTypeInfo(typeof(T));

    /// <summary>
    /// The generated types, but for those with <c>init</c> properties: the generated code sets all of these at once,
    /// what is left out to zero whatever its initial value, and has other words for their faults. Here they are set one
    /// by one, as reflection does.
    /// </summary>
    private sealed class Types : IJsonTypeInfoResolver
    {
        private readonly IJsonTypeInfoResolver _generated = new ProblemJson();

        public JsonTypeInfo? GetTypeInfo(Type type, JsonSerializerOptions options) =>
            type == typeof(AllocationProblem) ? OneByOne<AllocationProblem>(AllocationProblemPropInit(options), options)
            : type == typeof(TaskType) ? OneByOne<TaskType>(TaskTypePropInit(options), options)
            : _generated.GetTypeInfo(type, options);

        private static JsonTypeInfo<T> OneByOne<
            [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] T
        >(JsonPropertyInfo[] properties, JsonSerializerOptions options)
            where T : class
        {
            foreach (var property in properties)
                property.Set = ((PropertyInfo)property.AttributeProvider!).SetValue;
            return JsonMetadataServices.CreateObjectInfo(
                options,
                new JsonObjectInfoValues<T>
                {
                    ObjectCreator = Activator.CreateInstance<T>,
                    PropertyMetadataInitializer = _ => properties,
                }
            );
        }
    }
}
