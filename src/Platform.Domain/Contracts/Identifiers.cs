using System.Buffers;

namespace Platform.Domain.Contracts;

/// <summary>
/// The names that the contract lets in. All are ASCII and compared byte by byte, so that a name means the same in a
/// URL, a routing key, a permission pattern and a database.
/// </summary>
public static class Identifiers
{
    private const string LowerAndDigits = "abcdefghijklmnopqrstuvwxyz0123456789";
    private const string LettersAndDigits = LowerAndDigits + "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    private static readonly SearchValues<char> SlugEdge = SearchValues.Create(LowerAndDigits);
    private static readonly SearchValues<char> SlugInner = SearchValues.Create(LowerAndDigits + "-");
    private static readonly SearchValues<char> NameEdge = SearchValues.Create(LettersAndDigits);
    private static readonly SearchValues<char> NameInner = SearchValues.Create(LettersAndDigits + "._-");

    /// <summary>What a tenant's id must match, as a regular expression over the whole text.</summary>
    public const string TenantPattern = "[a-z0-9]([a-z0-9-]{1,38}[a-z0-9])";

    /// <summary>What a fleet's id must match, as a regular expression over the whole text.</summary>
    public const string FleetPattern = "[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?";

    /// <summary>What a task type's id must match, as a regular expression over the whole text.</summary>
    public const string TaskTypePattern = "[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?";

    /// <summary>Whether the text is a tenant id: <see cref="TenantPattern"/>, 3 to 40 characters.</summary>
    public static bool IsTenant(ReadOnlySpan<char> text) => Fits(text, 3, 40, SlugEdge, SlugInner);

    /// <summary>Whether the text is a fleet id: <see cref="FleetPattern"/>, 1 to 64 characters.</summary>
    public static bool IsFleet(ReadOnlySpan<char> text) => Fits(text, 1, 64, SlugEdge, SlugInner);

    /// <summary>Whether the text is a task type id: <see cref="TaskTypePattern"/>, 1 to 64 characters.</summary>
    public static bool IsTaskType(ReadOnlySpan<char> text) => Fits(text, 1, 64, NameEdge, NameInner);

    private static bool Fits(
        ReadOnlySpan<char> text,
        int shortest,
        int longest,
        SearchValues<char> edge,
        SearchValues<char> inner
    ) =>
        text.Length >= shortest
        && text.Length <= longest
        && edge.Contains(text[0])
        && edge.Contains(text[^1])
        && !text.ContainsAnyExcept(inner);
}
