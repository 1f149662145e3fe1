using Platform.Domain.Contracts;

namespace Platform.Cli.Demo;

/// <summary>An allocation that a fleet's gateway came to serve by.</summary>
/// <param name="Version">Its version.</param>
/// <param name="From">Simulated time of the first query that it could govern, since the start of the trace.</param>
/// <param name="Tokens">Tokens for a query of each task type.</param>
internal sealed record AllocationInForce(int Version, TimeSpan From, IReadOnlyList<long> Tokens);

/// <summary>
/// A fleet at work on the simulated clock: serves the trace's requests as their time comes by the allocation that its
/// gateway holds, and hands out the windows that have ended.
/// </summary>
internal sealed class LiveFleet
{
    private readonly FleetSimulation _simulation;
    private readonly ServerWindows[] _servers;
    private readonly List<AllocationInForce> _history = [];
    private int _next,
        _windows;

    /// <param name="workload">The fleet and its requests.</param>
    /// <param name="length">Length of the trace.</param>
    public LiveFleet(FleetWorkload workload, TimeSpan length)
    {
        Workload = workload;
        _simulation = new FleetSimulation(workload.Plan, workload.Seed, explores: true, RecordEnd);
        string[] taskTypes = [.. workload.Plan.Template.Tasks.Select(task => task.Id)];
        _servers =
        [
            .. Enumerable
                .Range(0, workload.Plan.Template.Servers)
                .Select(_ => new ServerWindows(taskTypes, DemoWorkload.WindowLength, workload.WindowsOfServer)),
        ];
        Log = new ServedLog(workload.Plan.Definition.Objective.AccuracyWeight, length);
    }

    public FleetWorkload Workload { get; }

    /// <summary>What its queries had.</summary>
    public ServedLog Log { get; }

    /// <summary>The allocations that it has served by, in order of time.</summary>
    public IReadOnlyList<AllocationInForce> History => _history;

    /// <summary>
    /// All the windows of a fleet that grants its policy's tokens to every query: traffic for those who need no loop.
    /// </summary>
    public static IEnumerable<WorkloadWindow> WindowsOf(FleetWorkload workload, TimeSpan length)
    {
        var tokens = Array.ConvertAll(workload.Plan.Template.Tasks, _ => (long)workload.Plan.PolicyTokens);
        return new LiveFleet(workload, length).AdvanceTo(TimeSpan.MaxValue, 0, tokens);
    }

    /// <summary>Serves what has arrived by now.</summary>
    /// <param name="clock">Simulated time since the start of the trace.</param>
    /// <param name="version">Version of the allocation that the gateway holds.</param>
    /// <param name="tokens">Its tokens for a query of each task type.</param>
    /// <returns>The windows that have ended, of all servers.</returns>
    public IEnumerable<WorkloadWindow> AdvanceTo(TimeSpan clock, int version, IReadOnlyList<long> tokens)
    {
        if (_history.Count == 0 || version != _history[^1].Version)
            _history.Add(
                new AllocationInForce(
                    version,
                    _next < Workload.Requests.Count ? Workload.Requests[_next].At : clock,
                    tokens
                )
            );
        for (; _next < Workload.Requests.Count && Workload.Requests[_next].At < clock; _next++)
        {
            var query = _simulation.Arrive(Workload.Requests[_next], _history[^1].Tokens);
            _servers[query.Server].RecordArrival(query);
        }

        _simulation.AdvanceTo(clock);
        for (; _windows < Workload.WindowsOfServer && DemoWorkload.WindowLength * (_windows + 1) <= clock; _windows++)
            foreach (var server in _servers)
                yield return server.Window(_windows, Workload.Plan.Template.Id, Workload.StartsAt);
    }

    private void RecordEnd(ServedQuery query)
    {
        _servers[query.Server].RecordEnd(query);
        Log.Record(query);
    }
}
