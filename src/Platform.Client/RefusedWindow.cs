namespace Platform.Client;

/// <summary>A window that the platform will never take, set aside so that the next ones are sent.</summary>
/// <param name="Message">The message as it was sent.</param>
/// <param name="Reason">Why it was refused.</param>
public sealed record RefusedWindow(WindowMessage Message, WindowRefusedException Reason);
