using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;
using Platform.Domain;
using Platform.Domain.Contracts;
using Platform.Persistence;

namespace Platform.Api.Errors;

/// <summary>Errors as RFC 9457 problem details.</summary>
internal static class Problems
{
    private const string TypePrefix = "urn:allocation-platform:problem:";

    /// <summary>A quota is not filled by time but by people: there is no use in asking again at once.</summary>
    private static readonly TimeSpan QuotaRetryAfter = TimeSpan.FromMinutes(1);

    public static void AddProblems(this IServiceCollection services)
    {
        // Before the framework's own, which takes what this one does not.
        services.AddSingleton<IProblemDetailsWriter, ProblemPage>();
        services.AddProblemDetails(problems =>
            problems.CustomizeProblemDetails = context =>
                context.ProblemDetails.Extensions["traceId"] =
                    Activity.Current?.TraceId.ToString() ?? context.HttpContext.TraceIdentifier
        );
        services.AddExceptionHandler<Faults>();
        // Thrown in every environment, not in development alone: then it is answered in our words.
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
    }

    public static IResult BadInput(params IReadOnlyList<InputError> errors) =>
        TypedResults.Problem(
            statusCode: StatusCodes.Status400BadRequest,
            type: TypePrefix + "bad-input",
            title: "The input cannot be taken.",
            detail: errors.Count == 1 ? errors[0].ToString() : $"{errors.Count} faults; the first: {errors[0]}",
            extensions: [new("errors", errors)]
        );

    /// <summary>The request is well formed, and contradicts what was sent before.</summary>
    public static IResult Unprocessable(string type, string title, InputError error) =>
        TypedResults.Problem(
            statusCode: StatusCodes.Status422UnprocessableEntity,
            type: TypePrefix + type,
            title: title,
            detail: error.ToString(),
            extensions: [new("errors", (InputError[])[error])]
        );

    /// <summary>The same words for what does not exist and for what belongs to somebody else.</summary>
    public static IResult NotFound(string what) =>
        TypedResults.Problem(
            statusCode: StatusCodes.Status404NotFound,
            type: TypePrefix + "not-found",
            title: "Not found.",
            detail: $"There is no such {what}."
        );

    public static IResult Refused<T>(Decision<T> decision)
        where T : class =>
        decision.RefusedAs switch
        {
            Refusal.NotFound => Problem(StatusCodes.Status404NotFound, "not-found", "Not found.", decision.Reason),
            Refusal.Quota => TooMany(decision.Reason, QuotaRetryAfter),
            Refusal.Stale => Problem(
                StatusCodes.Status412PreconditionFailed,
                "stale",
                "The state has changed.",
                decision.Reason
            ),
            _ => Problem(
                StatusCodes.Status409Conflict,
                "conflict",
                "The command contradicts the state.",
                decision.Reason
            ),
        };

    /// <summary>The tenant asks for more than its limits allow.</summary>
    /// <param name="detail">Which limit.</param>
    /// <param name="retryAfter">When it is worth to try again.</param>
    public static IResult TooMany(string detail, TimeSpan retryAfter) => new TooManyRequests(detail, retryAfter);

    public static IResult Problem(int status, string type, string title, string detail) =>
        TypedResults.Problem(statusCode: status, type: TypePrefix + type, title: title, detail: detail);

    private sealed class TooManyRequests(string detail, TimeSpan retryAfter) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers.RetryAfter = Math.Ceiling(Math.Max(1, retryAfter.TotalSeconds))
                .ToString(CultureInfo.InvariantCulture);
            return Problem(
                    StatusCodes.Status429TooManyRequests,
                    "too-many",
                    "More than the tenant's limits allow.",
                    detail
                )
                .ExecuteAsync(httpContext);
        }
    }

    /// <summary>What is away for a while answers 503, what is broken 500; neither tells its insides.</summary>
    private sealed class Faults(IProblemDetailsService problems, ILogger<Faults> log) : IExceptionHandler
    {
        public async ValueTask<bool> TryHandleAsync(
            HttpContext httpContext,
            Exception exception,
            CancellationToken cancellationToken
        )
        {
            if (exception is BadHttpRequestException bad && ParameterFault.In(bad) is { } parameter)
            {
                await BadInput(parameter).ExecuteAsync(httpContext);
                return true;
            }

            var details = exception switch
            {
                BadHttpRequestException refused => new ProblemDetails
                {
                    Status = refused.StatusCode,
                    Title = refused.Message,
                },
                Ingestion.BrokerUnavailableException or HttpRequestException => Unavailable(httpContext),
                _ when PlatformStore.IsTransient(exception) => Unavailable(httpContext),
                _ => new ProblemDetails
                {
                    Status = StatusCodes.Status500InternalServerError,
                    Title = "Something broke on our side.",
                },
            };
            // The framework logs nothing of what a handler has answered.
            if (details.Status >= StatusCodes.Status500InternalServerError)
                log.LogError(
                    exception,
                    "{Method} {Path} was answered with {Status}",
                    httpContext.Request.Method,
                    httpContext.Request.Path,
                    details.Status
                );
            httpContext.Response.StatusCode = details.Status!.Value;
            return await problems.TryWriteAsync(
                new ProblemDetailsContext
                {
                    HttpContext = httpContext,
                    ProblemDetails = details,
                    Exception = exception,
                }
            );
        }

        private static ProblemDetails Unavailable(HttpContext context)
        {
            context.Response.Headers.RetryAfter = "5";
            return new ProblemDetails
            {
                Status = StatusCodes.Status503ServiceUnavailable,
                Type = TypePrefix + "unavailable",
                Title = "The database or the broker is away. Try again: what may have been done already counts once.",
            };
        }
    }
}
