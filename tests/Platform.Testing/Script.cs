using System.Diagnostics;

namespace Platform.Testing;

/// <summary>
/// Runs ./platform of this checkout, with none of the services that the tests themselves may have been given.
/// </summary>
public static class Script
{
    private static readonly string[] Given =
    [
        "PLATFORM_POSTGRES",
        "PLATFORM_RABBITMQ",
        "PLATFORM_RABBITMQ_MANAGEMENT",
        "PLATFORM_HOME",
    ];

    /// <summary>The checkout's folder.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Runs ./platform.</summary>
    public static Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments) =>
        RunProgramAsync(Path.Combine(Root, "platform"), arguments);

    /// <summary>Runs a program.</summary>
    public static Task<(int ExitCode, string Output, string Error)> RunProgramAsync(
        string program,
        params string[] arguments
    ) => RunProgramAsync(program, Root, [], arguments);

    /// <summary>Runs a program in a folder, with more in its environment.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunProgramAsync(
        string program,
        string folder,
        Dictionary<string, string> environment,
        params string[] arguments
    )
    {
        var info = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in Given)
            info.Environment.Remove(name);
        foreach (var (name, value) in environment)
            info.Environment[name] = value;
        using var process = Process.Start(info)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Platform.sln")))
            folder =
                Path.GetDirectoryName(folder.TrimEnd('/'))
                ?? throw new InvalidOperationException("not inside a checkout");
        return folder;
    }
}
