using System.Globalization;

namespace Platform.Solver.Allocation;

/// <summary>
/// <c>FILE|- [--option VALUE]...</c>. Read by hand: to load and compile a command-line library takes longer than to
/// solve a problem.
/// </summary>
internal sealed class ProblemArguments
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    /// <summary>Reads the words behind the command.</summary>
    /// <param name="command">The command's name.</param>
    /// <param name="words">The words.</param>
    /// <param name="options">The options that the command has.</param>
    /// <exception cref="BadUsage">Bad usage.</exception>
    public ProblemArguments(string command, ReadOnlySpan<string> words, params ReadOnlySpan<string> options)
    {
        string? file = null;
        while (words is [var word, .. var rest])
        {
            words = rest;
            if (word is "-" || !word.StartsWith('-'))
            {
                file = file is null ? word : throw new BadUsage($"{command} takes one FILE: '{word}' is a second one");
                continue;
            }

            var (name, value) = word.Split('=', 2) is [var left, var right] ? (left, right) : (word, null);
            if (!options.Contains(name))
                throw new BadUsage($"{command} has no option '{name}'");
            if (value is null)
            {
                value = words.IsEmpty ? throw new BadUsage($"{name}: a value is missing") : words[0];
                words = words[1..];
            }

            if (!_values.TryAdd(name, value))
                throw new BadUsage($"{name}: given twice");
        }

        File = file ?? throw new BadUsage($"{command} needs a FILE, or - for standard input");
    }

    /// <summary>The file's path, or <c>-</c>.</summary>
    public string File { get; }

    /// <summary>An option that takes one of some words.</summary>
    /// <returns>The word's index; 0, the default, without the option.</returns>
    public int OneOf(string option, params string[] words)
    {
        if (!_values.TryGetValue(option, out var given))
            return 0;
        var index = Array.IndexOf(words, given);
        return index >= 0 ? index : throw new BadUsage($"{option}: one of {string.Join(", ", words)}, not '{given}'");
    }

    /// <summary>An option that takes a whole number.</summary>
    public ulong WholeNumber(string option, ulong initial, ulong least, ulong most)
    {
        if (!_values.TryGetValue(option, out var given))
            return initial;
        return
            ulong.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= least
            && number <= most
            ? number
            : throw new BadUsage($"{option}: a whole number from {least} to {most}");
    }
}
