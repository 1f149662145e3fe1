using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;
using Platform.Api.Authentication;
using Platform.Api.Errors;

namespace Platform.Api.Planning;

/// <summary>
/// How many calls that solve a tenant may have under way in each API process: the rest wait, so that one tenant's plans
/// do not take the processors from the others.
/// </summary>
internal sealed class PlanningRate(IOptions<ApiOptions> options) : IRateLimiterPolicy<string>
{
    /// <summary>Name of the policy.</summary>
    public const string Policy = "planning";

    private const int Waiting = 20;

    /// <inheritdoc/>
    public Func<OnRejectedContext, CancellationToken, ValueTask>? OnRejected { get; } =
        (context, _) =>
            new ValueTask(
                Problems
                    .TooMany(
                        $"More than {Waiting} of the tenant's plans and comparisons wait already.",
                        TimeSpan.FromSeconds(1)
                    )
                    .ExecuteAsync(context.HttpContext)
            );

    /// <inheritdoc/>
    public RateLimitPartition<string> GetPartition(HttpContext httpContext) =>
        RateLimitPartition.GetConcurrencyLimiter(
            httpContext.User.Tenant(),
            _ => new ConcurrencyLimiterOptions { PermitLimit = options.Value.Limits.PlansAtOnce, QueueLimit = Waiting }
        );
}
