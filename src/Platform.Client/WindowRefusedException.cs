using System.Net;

namespace Platform.Client;

/// <summary>The platform has refused a window, and would refuse it each time.</summary>
/// <param name="status">The answer's status.</param>
/// <param name="problem">Its body, which says why.</param>
public sealed class WindowRefusedException(HttpStatusCode status, string problem)
    : Exception($"The platform has refused the window with {(int)status}: {problem}")
{
    /// <summary>The answer's status.</summary>
    public HttpStatusCode Status => status;

    /// <summary>
    /// Whether the window itself is refused. Otherwise the sender is (its key, or a fleet that is not registered), and
    /// the window may be taken once that is put right.
    /// </summary>
    public bool IsOfWindow =>
        status is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound);
}
