namespace Platform.Domain.Tests;

/// <summary>Given what has happened, when a command comes, then an event, nothing, or a refusal.</summary>
internal static class Given
{
    /// <summary>The state that a history leaves, or null for no history.</summary>
    public static TState? History<TState, TEvent>(
        Func<TState?, TEvent, TState> evolve,
        params ReadOnlySpan<TEvent> history
    )
        where TState : class
    {
        TState? state = null;
        foreach (var happened in history)
            state = evolve(state, happened);
        return state;
    }

    public static void Happens<TEvent>(this Decision<TEvent> decision, TEvent expected)
        where TEvent : class
    {
        Assert.False(decision.IsRefused, decision.Reason);
        Assert.Equal(expected, decision.Event);
        Assert.Empty(decision.Reason);
    }

    public static void ChangesNothing<TEvent>(this Decision<TEvent> decision)
        where TEvent : class
    {
        Assert.False(decision.IsRefused, decision.Reason);
        Assert.Null(decision.Event);
        Assert.Empty(decision.Reason);
    }

    public static void IsRefusedAs<TEvent>(this Decision<TEvent> decision, Refusal refusal, string reason)
        where TEvent : class
    {
        Assert.True(decision.IsRefused);
        Assert.Equal(refusal, decision.RefusedAs);
        Assert.Equal(reason, decision.Reason);
        Assert.Null(decision.Event);
    }
}
