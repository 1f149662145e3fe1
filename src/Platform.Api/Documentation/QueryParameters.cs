using Microsoft.OpenApi;

namespace Platform.Api.Documentation;

/// <summary>What the OpenAPI document says of the query's parameters which several calls read alike.</summary>
internal static class QueryParameters
{
    /// <summary>The call answers with a page of a list.</summary>
    public static RouteHandlerBuilder IsPaged(this RouteHandlerBuilder call) =>
        call.Takes(
                "limit",
                "Most items of the page, 1 to 1,000; 100 when it is left out.",
                JsonSchemaType.Integer,
                null
            )
            .Takes("cursor", "The nextCursor of the page before; left out for the first.", JsonSchemaType.String, null);

    /// <summary>The call answers for an instant of the past as for now.</summary>
    public static RouteHandlerBuilder TakesInstant(this RouteHandlerBuilder call) =>
        call.Takes("asOf", "An instant (RFC 3339); now when it is left out.", JsonSchemaType.String, "date-time");

    /// <summary>The call answers for one fleet or for all.</summary>
    public static RouteHandlerBuilder TakesFleet(this RouteHandlerBuilder call) =>
        call.Takes("fleet", "Only what is about this fleet; all when it is left out.", JsonSchemaType.String, null);

    private static RouteHandlerBuilder Takes(
        this RouteHandlerBuilder call,
        string name,
        string description,
        JsonSchemaType type,
        string? format
    ) =>
        call.AddOpenApiOperationTransformer(
            (operation, _, _) =>
            {
                (operation.Parameters ??= []).Add(
                    new OpenApiParameter
                    {
                        Name = name,
                        In = ParameterLocation.Query,
                        Description = description,
                        Schema = new OpenApiSchema { Type = type, Format = format },
                    }
                );
                return Task.CompletedTask;
            }
        );
}
