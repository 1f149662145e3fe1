namespace Platform.Domain.Contracts;

/// <summary>One fault in something that came from outside: where it is and what is wrong with it.</summary>
/// <param name="Pointer">JSON Pointer (RFC 6901) to the value at fault; empty for the whole document.</param>
/// <param name="Detail">What is wrong, in words that the sender can act on.</param>
public sealed record InputError(string Pointer, string Detail)
{
    /// <inheritdoc/>
    public override string ToString() => $"{(Pointer.Length == 0 ? "/" : Pointer)}: {Detail}";
}
