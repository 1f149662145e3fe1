using System.Text.RegularExpressions;
using Platform.Domain.Contracts;

namespace Platform.Api.Errors;

/// <summary>
/// What is wrong with a parameter of the address that the framework could not bind: its own message names a type of
/// this program.
/// </summary>
internal static partial class ParameterFault
{
    /// <summary>The fault; null when the framework's message is about something else.</summary>
    public static InputError? In(BadHttpRequestException refused)
    {
        if (Unbound().Match(refused.Message) is { Success: true } unbound)
            return new InputError(
                $"/{unbound.Groups["name"].Value}",
                $"must be {WordsFor(unbound.Groups["type"].Value)}"
            );
        if (Missing().Match(refused.Message) is { Success: true } missing)
            return new InputError(
                $"/{missing.Groups["name"].Value}",
                $"is missing; it must be {WordsFor(missing.Groups["type"].Value)}"
            );
        return null;
    }

    private static string WordsFor(string type) =>
        type.TrimEnd('?') switch
        {
            "long" or "int" or "Int64" or "Int32" => "a whole number",
            "double" or "Double" => "a number",
            "bool" or "Boolean" => "true or false",
            "DateTimeOffset" => "an instant in RFC 3339, such as 2026-11-23T10:00:00Z",
            _ => "a value of another form",
        };

    [GeneratedRegex("""^Failed to bind parameter "(?<type>\S+) (?<name>\w+)" from """, RegexOptions.CultureInvariant)]
    private static partial Regex Unbound();

    [GeneratedRegex(
        """^Required parameter "(?<type>\S+) (?<name>\w+)" was not provided""",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Missing();
}
