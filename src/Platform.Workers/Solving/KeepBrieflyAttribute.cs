using Hangfire.Common;
using Hangfire.States;
using Hangfire.Storage;

namespace Platform.Workers.Solving;

/// <summary>
/// Keeps the rows of an ended job for minutes rather than a day: a job of every second would leave 86,400 of them.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class KeepBrieflyAttribute : JobFilterAttribute, IApplyStateFilter
{
    private static readonly TimeSpan KeepFor = TimeSpan.FromMinutes(10);

    public void OnStateApplied(ApplyStateContext context, IWriteOnlyTransaction transaction) =>
        context.JobExpirationTimeout = KeepFor;

    public void OnStateUnapplied(ApplyStateContext context, IWriteOnlyTransaction transaction) { }
}
