using System.Security.Cryptography;

namespace Platform.Domain.Contracts;

/// <summary>
/// What a window says, apart from how its JSON was written: white space, the order of members, of task types and of
/// token counts make no difference. Two messages under one id are the same message when this is equal.
/// </summary>
public static class WindowContent
{
    /// <summary>Whether two windows say the same.</summary>
    public static bool IsSame(WorkloadWindow one, WorkloadWindow other) =>
        CanonicalBytes(one).AsSpan().SequenceEqual(CanonicalBytes(other));

    /// <summary>SHA-256 of what a window says.</summary>
    public static byte[] FingerprintOf(WorkloadWindow window) => SHA256.HashData(CanonicalBytes(window));

    private static byte[] CanonicalBytes(WorkloadWindow window) =>
        StrictJson.Write(
            window with
            {
                WindowStart = window.WindowStart.ToUniversalTime(),
                WindowEnd = window.WindowEnd.ToUniversalTime(),
                Tasks = [.. window.Tasks.OrderBy(task => task.TaskType, StringComparer.Ordinal).Select(Canonical)],
            }
        );

    private static TaskWindow Canonical(TaskWindow task) =>
        task with
        {
            Accuracy = [.. (task.Accuracy ?? []).OrderBy(count => count.Tokens)],
        };
}
