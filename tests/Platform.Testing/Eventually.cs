using System.Diagnostics;

namespace Platform.Testing;

/// <summary>Waits for conditions, each with a deadline.</summary>
public static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Long enough for two noisy cores, and for PostgreSQL to let go of what a vanished session held, which takes 60 s;
    /// a test that passes does not wait for it.
    /// </summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    /// <summary>Asks again and again until the answer is there.</summary>
    /// <exception cref="TimeoutException">It has not come.</exception>
    public static async Task<T> GetAsync<T>(Func<Task<T?>> ask, string what, CancellationToken cancel)
        where T : class
    {
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < Deadline)
        {
            if (await ask() is { } answer)
                return answer;
            await Task.Delay(Pause, cancel);
        }

        throw new TimeoutException($"Waited {Deadline} in vain for {what}.");
    }

    /// <summary>Asks again and again until it is so.</summary>
    /// <exception cref="TimeoutException">It has not become so.</exception>
    public static Task TrueAsync(Func<Task<bool>> ask, string what, CancellationToken cancel) =>
        GetAsync(async () => await ask() ? "yes" : null, what, cancel);
}
