using Platform.Client;

namespace Platform.Cli.Collection;

/// <summary>The windows that the platform refuses: each is said, and kept where a folder is given.</summary>
/// <param name="folder">The folder; null to keep none.</param>
/// <param name="say">Takes lines for a person.</param>
internal sealed class RefusedWindows(string? folder, Action<string> say)
{
    /// <summary>Says that a window was refused, and keeps it.</summary>
    public void Keep(RefusedWindow window)
    {
        try
        {
            say(Line(window, Write(window)));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            say($"{Line(window, keptIn: null)}: {fault.Message}");
        }
    }

    /// <returns>The file; null where none is kept.</returns>
    private string? Write(RefusedWindow window)
    {
        if (folder is null)
            return null;
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, $"{window.Message.MessageId:D}.json");
        File.WriteAllBytes(file, window.Message.Body.ToArray());
        return file;
    }

    private static string Line(RefusedWindow window, string? keptIn) =>
        "platform: a window was refused and set aside, the next ones are sent: "
        + $"{window.Reason.Message.ReplaceLineEndings(" ")}; "
        + (keptIn is null ? "--set-aside FOLDER keeps such windows" : $"kept in {keptIn}");
}
