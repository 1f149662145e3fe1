using System.Globalization;
using Platform.Domain.Allocation;

namespace Platform.Domain.Snapshots;

/// <summary>
/// Why a fleet is granted the fewest tokens that its definition allows, and what would be needed for more: not even
/// these keep every limit at the arrival rate as it is.
/// </summary>
public sealed record Shortfall
{
    /// <summary>The limit that is broken.</summary>
    public required InfeasibilityReason Reason { get; init; }

    /// <summary>
    /// The value of that limit, in its own unit; with <see cref="InfeasibilityReason.Unstable"/> the most that ρ may
    /// be, 1 where the definition says nothing.
    /// </summary>
    public required double Limit { get; init; }

    /// <summary>
    /// What the fewest tokens come to, in the limit's unit. With <see cref="InfeasibilityReason.Unstable"/> the work
    /// that they ask of the servers over what the servers can do: from 1 on queues grow for ever.
    /// </summary>
    public required double Reached { get; init; }

    /// <summary>
    /// λ as it is, per second for the whole fleet. That of the problem is less where the servers cannot carry it.
    /// </summary>
    public required double ArrivalRate { get; init; }

    /// <summary>
    /// The largest λ, per second, at which the fewest tokens keep every limit; null where they do at none.
    /// </summary>
    public required double? MaxArrivalRate { get; init; }

    /// <summary>
    /// The fewest servers with which the fewest tokens keep every limit at λ as it is; null where 10,000 are not
    /// enough.
    /// </summary>
    public required int? ServersNeeded { get; init; }

    /// <summary>What is broken and what would be needed, for people; begins with the reason's name.</summary>
    public string Describe() => $"{DescribeLimit()}; {DescribeNeed()}";

    private string DescribeLimit() =>
        Reason switch
        {
            InfeasibilityReason.Unstable => Text(
                $"unstable: the fewest tokens allowed carry at most {MaxArrivalRate ?? 0:G6} arrivals per second"
            ),
            InfeasibilityReason.MeanTokenBudget => Text(
                $"meanTokenBudget: the fewest tokens allowed have a mean of {Reached:G6}"
            ),
            InfeasibilityReason.MaxMeanSystemTime => Text(
                $"maxMeanSystemTime: the fewest tokens allowed take {Reached:G6} seconds in the mean"
            ),
            InfeasibilityReason.MaxInterTokenSeconds => Text(
                $"maxInterTokenSeconds: the fewest tokens allowed take {Reached:G6} seconds between two tokens"
            ),
            InfeasibilityReason.MaxTimeToFirstAnswerTokenSeconds => Text(
                $"maxTimeToFirstAnswerTokenSeconds: the fewest tokens allowed take {Reached:G6} seconds to the first token of the answer"
            ),
            var other => throw new InvalidOperationException($"No tokens are granted for the reason {other}."),
        };

    private string DescribeNeed()
    {
        var servers = ServersNeeded is { } count ? Text($"{count} servers") : null;
        var traffic = MaxArrivalRate is { } rate ? Text($"at most {rate:G6} arrivals per second") : null;
        string[] needs = [.. new[] { servers, traffic }.OfType<string>()];
        return needs.Length > 0
            ? $"{string.Join(", or ", needs)}, would keep every limit"
            : Text($"neither more servers nor less traffic would keep the limit of {Limit:G6}, only another limit");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
