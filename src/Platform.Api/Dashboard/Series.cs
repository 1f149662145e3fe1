namespace Platform.Api.Dashboard;

/// <summary>Figures over time: a table, which the script draws.</summary>
/// <param name="Caption">What they are.</param>
/// <param name="Unit">Unit of the numbers: <c>tokens</c>, <c>s</c>, <c>%</c>, <c>/s</c>.</param>
/// <param name="IsStepped">Whether each figure holds until the next.</param>
/// <param name="Names">Name of each figure.</param>
/// <param name="Rows">By time, ascending.</param>
internal sealed record Series(
    string Caption,
    string Unit,
    bool IsStepped,
    IReadOnlyList<string> Names,
    IReadOnlyList<SeriesRow> Rows
);

/// <summary>Figures at one time.</summary>
/// <param name="At">When.</param>
/// <param name="Values">One for each name, in the unit; null where there is none.</param>
internal sealed record SeriesRow(DateTimeOffset At, IReadOnlyList<double?> Values);
