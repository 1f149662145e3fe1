using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;
using Platform.Api.Authentication;
using Platform.Api.Errors;

namespace Platform.Api.Ingestion;

/// <summary>
/// How many windows a second a tenant may send over HTTP: a token bucket for each, in each API process.
/// </summary>
internal static class StatisticsRate
{
    /// <summary>Name of the policy.</summary>
    public const string Policy = "statistics";

    // Fine enough that a sender at its rate is not let wait in bursts of a second.
    private const int RefillsPerSecond = 10;

    public static void AddStatisticsRate(this IServiceCollection services)
    {
        services.AddRateLimiter(_ => { });
        services
            .AddOptions<RateLimiterOptions>()
            .Configure<IOptions<ApiOptions>>(
                (limiter, options) =>
                {
                    limiter.OnRejected = (context, _) => RejectAsync(context, options.Value.Limits);
                    limiter.AddPolicy(
                        Policy,
                        http =>
                            RateLimitPartition.GetTokenBucketLimiter(
                                http.User.Tenant(),
                                _ => BucketOf(options.Value.Limits)
                            )
                    );
                }
            );
    }

    private static TokenBucketRateLimiterOptions BucketOf(TenantLimits limits)
    {
        // Whole tokens a refill: a slow rate is refilled less often, a fast one with more at a time.
        var tokens = Math.Max(1, limits.WindowsPerSecond / RefillsPerSecond);
        return new TokenBucketRateLimiterOptions
        {
            TokenLimit = limits.WindowsAtOnce,
            TokensPerPeriod = tokens,
            ReplenishmentPeriod = TimeSpan.FromSeconds((double)tokens / limits.WindowsPerSecond),
            QueueLimit = 0,
        };
    }

    private static ValueTask RejectAsync(OnRejectedContext context, TenantLimits limits)
    {
        var retryAfter = context.Lease.TryGetMetadata(MetadataName.RetryAfter, out var wait)
            ? wait
            : TimeSpan.FromSeconds(1);
        return new ValueTask(
            Problems
                .TooMany(
                    $"The tenant sends more than {limits.WindowsPerSecond} windows a second; nothing of this one was kept.",
                    retryAfter
                )
                .ExecuteAsync(context.HttpContext)
        );
    }
}
