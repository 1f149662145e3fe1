using Platform.Domain.Contracts;

namespace Platform.Client;

/// <summary>Gives the windows that are to be sent.</summary>
public interface IWindowSource
{
    /// <summary>Ends the open window and begins the next.</summary>
    /// <returns>The windows that have ended since the last call, by their start.</returns>
    IReadOnlyList<WorkloadWindow> TakeAll();
}
