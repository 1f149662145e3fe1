namespace Platform.Cli.Collection;

/// <summary>Says every so often how a command stands.</summary>
internal static class PeriodicReport
{
    /// <summary>Ends when the command is to end.</summary>
    public static async Task RunAsync(Action report, TimeSpan period, TimeProvider time, CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancel))
                report();
        }
        catch (OperationCanceledException)
        {
            // The usual end: the last window is sent on the way out.
        }
    }
}
