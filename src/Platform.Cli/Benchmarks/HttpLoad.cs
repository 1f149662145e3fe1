using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Platform.Cli.Benchmarks;

/// <summary>Requests to one address as fast as they are answered, by <c>wrk</c>.</summary>
internal static partial class HttpLoad
{
    private const int Connections = 32;

    /// <summary>How long an answer may take.</summary>
    private const int TimeoutSeconds = 60;

    /// <summary>
    /// Sends requests for some time; on a machine so busy that none is answered within it, for longer.
    /// </summary>
    /// <param name="address">What is asked for.</param>
    /// <param name="headers">Headers of each request.</param>
    /// <param name="length">How long, in whole seconds; twice that and so on until something is answered, at most a
    /// minute.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>Requests a second, and the 99th percentile of the latency in milliseconds.</returns>
    /// <exception cref="CommandFailure">
    /// An answer was neither 2xx nor 3xx, none came within a minute, or <c>wrk</c> is not there.
    /// </exception>
    public static async Task<(double PerSecond, double Percentile99)> RunAsync(
        Uri address,
        IReadOnlyList<string> headers,
        TimeSpan length,
        CancellationToken cancel
    )
    {
        for (var seconds = (int)length.TotalSeconds; seconds < TimeoutSeconds; seconds *= 2)
        {
            var measured = await RunAsync(address, headers, seconds, cancel);
            if (measured.PerSecond > 0)
                return measured;
        }

        return await RunAsync(address, headers, TimeoutSeconds, cancel) is { PerSecond: > 0 } last
            ? last
            : throw new CommandFailure(
                $"{address} answered nothing within {TimeoutSeconds} s",
                CommandFailure.JobSaysNo
            );
    }

    private static async Task<(double PerSecond, double Percentile99)> RunAsync(
        Uri address,
        IReadOnlyList<string> headers,
        int seconds,
        CancellationToken cancel
    )
    {
        string[] arguments =
        [
            "-t1",
            $"-c{Connections}",
            string.Create(CultureInfo.InvariantCulture, $"-d{seconds}s"),
            string.Create(CultureInfo.InvariantCulture, $"--timeout={TimeoutSeconds}s"),
            "--latency",
            .. headers.SelectMany(header => (string[])["-H", header]),
            address.ToString(),
        ];
        using var process =
            Process.Start(new ProcessStartInfo("wrk", arguments) { RedirectStandardOutput = true })
            ?? throw new CommandFailure("wrk could not be started", CommandFailure.BadUsage);
        var output = await process.StandardOutput.ReadToEndAsync(cancel);
        await process.WaitForExitAsync(cancel);
        if (process.ExitCode != 0 || HasFailed(output))
            throw new CommandFailure($"{address} was not always answered:\n{output}", CommandFailure.JobSaysNo);
        var percentile = Percentile().Match(output);
        var unit = percentile.Groups[2].Value switch
        {
            "us" => 1e-3,
            "ms" => 1,
            _ => 1e3,
        };
        return (Number(PerSecond().Match(output).Groups[1].Value), Number(percentile.Groups[1].Value) * unit);
    }

    private static bool HasFailed(string output) =>
        output.Contains("Non-2xx", StringComparison.Ordinal)
        || output.Contains("Socket errors", StringComparison.Ordinal);

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"Requests/sec:\s+([0-9.]+)")]
    private static partial Regex PerSecond();

    [GeneratedRegex(@"99%\s+([0-9.]+)(us|ms|s)")]
    private static partial Regex Percentile();
}
