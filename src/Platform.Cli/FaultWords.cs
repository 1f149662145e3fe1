using System.ComponentModel;
using System.Data.Common;
using System.Text.RegularExpressions;
using RabbitMQ.Client.Exceptions;

namespace Platform.Cli;

/// <summary>What a person is told of a fault: no names of types, which are of the program's inside.</summary>
internal static partial class FaultWords
{
    /// <summary>What is wrong with a command line, from what the library for command lines says of it.</summary>
    public static string OfUsage(string message)
    {
        var typed = BadArgument().Match(message);
        if (!typed.Success)
            return message;
        var name = typed.Groups["name"].Value;
        var text = typed.Groups["text"].Value;
        return $"{name}: '{text}' is not a value that it takes; --help says which are";
    }

    /// <summary>
    /// What went wrong. The message of what comes from outside (files, network, services) says it; anything else is a
    /// fault of this program.
    /// </summary>
    public static string Of(Exception fault)
    {
        return IsFromOutside(fault)
            ? MessagesOf(fault)
            : $"this is a fault of the command itself, please report it: {WithoutNames(fault.Message)}";
    }

    private static bool IsFromOutside(Exception fault) =>
        fault
            is IOException
                or UnauthorizedAccessException
                or HttpRequestException
                or DbException
                or RabbitMQClientException
                or Win32Exception
                or TimeoutException;

    /// <summary>A fault's message, and that beneath it where it says more.</summary>
    private static string MessagesOf(Exception fault)
    {
        var inner = fault.InnerException?.Message;
        var isNews = inner is not null && !fault.Message.Contains(inner, StringComparison.Ordinal);
        return isNews ? $"{fault.Message.TrimEnd('.')}: {inner}" : fault.Message;
    }

    private static string WithoutNames(string message) => NameOfType().Replace(message, "the program");

    [GeneratedRegex(
        "^Cannot parse argument '(?<text>.*)' for (?:option|command) '(?<name>.*)' as expected type '.*'\\.",
        RegexOptions.Singleline
    )]
    private static partial Regex BadArgument();

    /// <summary>A type's full name, or what is left of one.</summary>
    [GeneratedRegex(
        @"\b(?:System|Microsoft|Npgsql|RabbitMQ|Marten|Platform)(?:\.[A-Za-z_][A-Za-z0-9_`]*)+"
            + @"|\b[A-Za-z]+Exception\b|\bNullable\b(?:<[^>]*>)?"
    )]
    private static partial Regex NameOfType();
}
