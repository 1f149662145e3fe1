using System.Diagnostics;

namespace Platform.Cli.Benchmarks;

/// <summary>Waits for what the processes under measurement do.</summary>
internal static class Waiting
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Asks again and again until there is an answer, which is what is not null.</summary>
    /// <exception cref="CommandFailure">There has been none for three minutes.</exception>
    public static async Task<T> ForAsync<T>(Func<Task<T?>> ask, string what, CancellationToken cancel)
        where T : class
    {
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < Deadline; await Task.Delay(Pause, cancel))
            if (await ask() is { } answer)
                return answer;
        throw new CommandFailure($"waited {Deadline.TotalSeconds:0} s in vain for {what}", CommandFailure.JobSaysNo);
    }

    /// <summary>Asks again and again until it is so.</summary>
    /// <inheritdoc cref="ForAsync" path="/exception"/>
    public static Task UntilAsync(Func<Task<bool>> isSo, string what, CancellationToken cancel) =>
        ForAsync(async () => await isSo() ? "yes" : null, what, cancel);
}
