using System.CommandLine;

namespace Platform.Cli.Ingestion;

/// <summary>Which rejected messages a command means; what is null or empty does not matter.</summary>
internal sealed record RejectedSelection(string? Tenant, string? Fleet, string? Reason, IReadOnlySet<string> Ids)
{
    /// <summary>Whether a message is meant.</summary>
    public bool Holds(RejectedMessage message) =>
        (Ids.Count == 0 || Ids.Contains(message.Id))
        && (Tenant is null || message.Tenant == Tenant)
        && (Fleet is null || message.Fleet == Fleet)
        && (Reason is null || message.Reason.StartsWith(Reason, StringComparison.OrdinalIgnoreCase));
}

/// <summary>The options by which a command line selects rejected messages.</summary>
internal sealed class SelectionOptions
{
    private readonly Option<string> _tenant = new("--tenant") { Description = "only messages that prove this tenant" };
    private readonly Option<string> _fleet = new("--fleet")
    {
        Description = "only messages whose routing key names this fleet",
    };
    private readonly Option<string> _reason = new("--reason")
    {
        Description = "only messages rejected for a reason that begins so, such as 'fleet'",
    };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_tenant, _fleet, _reason])
            command.Options.Add(option);
    }

    public RejectedSelection Of(ParseResult parsed, IEnumerable<string> ids) =>
        new(
            parsed.GetValue(_tenant),
            parsed.GetValue(_fleet),
            parsed.GetValue(_reason),
            ids.ToHashSet(StringComparer.Ordinal)
        );
}
