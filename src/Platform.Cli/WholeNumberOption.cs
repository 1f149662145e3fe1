using System.CommandLine;
using System.Globalization;

namespace Platform.Cli;

/// <summary>Options that take a whole number within bounds.</summary>
internal static class WholeNumberOption
{
    /// <summary>
    /// An option whose every fault is said in the same words: the library throws where a validator asks for what is no
    /// number.
    /// </summary>
    public static Option<int> Create(string name, string description, int initial, int least, int most) =>
        new(name)
        {
            Description = description,
            DefaultValueFactory = _ => initial,
            CustomParser = result =>
            {
                if (
                    int.TryParse(
                        result.Tokens[0].Value,
                        NumberStyles.None,
                        CultureInfo.InvariantCulture,
                        out var number
                    )
                    && number >= least
                    && number <= most
                )
                    return number;
                result.AddError($"{name}: a whole number from {least} to {most}");
                return initial;
            },
        };
}
