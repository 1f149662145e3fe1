namespace Platform.Testing;

/// <summary>A clock that a test sets.</summary>
public sealed class ManualTime : TimeProvider
{
    /// <summary>The moment that it shows.</summary>
    public DateTimeOffset Now { get; set; } = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => Now;
}
