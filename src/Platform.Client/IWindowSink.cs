namespace Platform.Client;

/// <summary>Takes windows to the platform.</summary>
public interface IWindowSink : IAsyncDisposable
{
    /// <summary>Ends when the platform keeps the window; tries for a while where it does not.</summary>
    /// <param name="message">The window. Sent again under the same id, it counts once.</param>
    /// <param name="cancel">Gives up.</param>
    Task PublishAsync(WindowMessage message, CancellationToken cancel);
}
