using System.Globalization;
using System.Numerics;

namespace Platform.Domain.Contracts;

/// <summary>
/// The contract's rules for a window that JSON's shape does not express. Times are whole milliseconds and tokens whole
/// numbers before they are summed, so every inequality between the sums is exact and no honest publisher can miss it by
/// rounding.
/// </summary>
internal sealed class WorkloadWindowRules
{
    private readonly List<InputError> _faults = [];
    private readonly long _windowTicks;

    private WorkloadWindowRules(WorkloadWindow window) =>
        _windowTicks = Math.Max((window.WindowEnd - window.WindowStart).Ticks, TimeSpan.TicksPerSecond);

    /// <summary>
    /// The faults of a window, in the order of the document, at most <see cref="WorkloadWindowReader.MaxFaults"/>.
    /// </summary>
    public static IReadOnlyList<InputError> FaultsOf(WorkloadWindow window, DateTimeOffset now)
    {
        var rules = new WorkloadWindowRules(window);
        rules.CheckFleet(window.Fleet);
        rules.CheckSpan(window.WindowStart, window.WindowEnd, now);
        rules.CheckTasks(window.Tasks);
        return rules._faults;
    }

    private bool IsFull => _faults.Count >= WorkloadWindowReader.MaxFaults;

    private void Refuse(string pointer, string detail)
    {
        if (!IsFull)
            _faults.Add(new InputError(pointer, detail));
    }

    private void CheckFleet(string fleet)
    {
        if (!Identifiers.IsFleet(fleet))
            Refuse("/fleet", $"must match {Identifiers.FleetPattern}");
    }

    private void CheckSpan(DateTimeOffset start, DateTimeOffset end, DateTimeOffset now)
    {
        if (end <= start)
            Refuse("/windowEnd", "must be after windowStart");
        else if (end - start > WorkloadWindowReader.MaxLength)
            Refuse("/windowEnd", "must be at most a day after windowStart");
        if (end - now > WorkloadWindowReader.MaxLead)
            Refuse("/windowEnd", $"must be at most 5 minutes in the future: the time here is {Instant(now)}");
        else if (now - end > WorkloadWindowReader.MaxAge)
            Refuse("/windowEnd", TooOld(now - end, now));
    }

    private static string TooOld(TimeSpan age, DateTimeOffset now) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"ended {age.TotalDays:0} days ago, and windows older than {WorkloadWindowReader.MaxAge.TotalDays:0} days "
                + $"count for no fleet; the time here is {Instant(now)}. Is the publisher's clock right?"
        );

    private static string Instant(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private void CheckTasks(IReadOnlyList<TaskWindow> tasks)
    {
        if (tasks.Count > WorkloadWindowReader.MaxTaskTypes)
            Refuse("/tasks", $"must have at most {WorkloadWindowReader.MaxTaskTypes} entries, not {tasks.Count}");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < tasks.Count && !IsFull; i++)
        {
            // The serializer's null checks do not reach the elements of a list.
            if (tasks[i] is not { } task)
                Refuse($"/tasks/{i}", "must be an object, not null");
            else
                CheckTask($"/tasks/{i}", task, seen);
        }
    }

    private void CheckTask(string at, TaskWindow task, HashSet<string> seen)
    {
        if (!Identifiers.IsTaskType(task.TaskType))
            Refuse($"{at}/taskType", $"must match {Identifiers.TaskTypePattern}");
        else if (!seen.Add(task.TaskType))
            Refuse($"{at}/taskType", "must not repeat a task type of the same window");
        CheckCount(at, "arrivals", task.Arrivals);
        if (task.Service is { } service)
            CheckService($"{at}/service", service);
        if (task.System is { } system)
            CheckSystem($"{at}/system", system, task.Service);
        if (task.Accuracy is { } accuracy)
            CheckAccuracy($"{at}/accuracy", accuracy);
    }

    private void CheckService(string at, ServiceSums sums)
    {
        var inRange =
            CheckCount(at, "completions", sums.Completions)
            & CheckSumOver(at, "tokens", sums.Tokens, sums.Completions)
            & CheckSumOver(at, "tokensSquared", sums.TokensSquared, sums.Completions)
            & CheckSumOver(at, "tokensGranted", sums.TokensGranted ?? 0, sums.Completions)
            & CheckSumOver(at, "answerTokens", sums.AnswerTokens ?? 0, sums.Completions)
            & CheckConcurrency($"{at}/concurrency", sums.Concurrency, sums.Completions)
            & CheckSumOver(at, "millis", sums.Millis, sums.Completions)
            & CheckSumOver(at, "millisSquared", sums.MillisSquared, sums.Completions)
            & CheckSumOver(at, "tokenMillis", sums.TokenMillis, sums.Completions);
        if (!inRange)
            return;
        var possible =
            CheckSquares(at, "tokens", sums.Completions, sums.Tokens, sums.TokensSquared)
            & CheckSquares(at, "millis", sums.Completions, sums.Millis, sums.MillisSquared);
        if (possible)
            CheckProducts(at, sums);
    }

    private bool CheckConcurrency(string at, ConcurrencySums? sums, long completions)
    {
        if (sums is null)
            return true;
        var inRange = CheckSumOver(at, "tokens", sums.Tokens, completions) & CheckSum(at, "inService", sums.InService);
        if (!inRange)
            return false;
        if (sums.Tokens == 0 && sums.InService != 0)
            Refuse($"{at}/inService", "must be 0 when tokens is 0");
        else if (sums.InService < sums.Tokens)
            Refuse($"{at}/inService", "must be at least tokens: the query of a token is itself in service");
        else
            return true;
        return false;
    }

    private void CheckSystem(string at, SystemSums sums, ServiceSums? service)
    {
        var inRange =
            CheckCount(at, "completions", sums.Completions)
            & CheckSumOver(at, "millis", sums.Millis, sums.Completions)
            & CheckSumOver(at, "millisSquared", sums.MillisSquared ?? 0, sums.Completions);
        if (!inRange)
            return;
        if (sums.MillisSquared is { } squares)
            CheckSquares(at, "millis", sums.Completions, sums.Millis, squares);

        // Both times of a query are rounded apart from each other, which may turn them round by a millisecond a query.
        if (
            service is not null
            && service.Completions == sums.Completions
            && service.Millis - sums.Millis > sums.Completions
        )
            Refuse(
                $"{at}/millis",
                "must be at least service.millis: the time in the system includes the time on the server"
            );
    }

    private void CheckAccuracy(string at, IReadOnlyList<AccuracyCount> counts)
    {
        var seen = new HashSet<long>();
        for (var i = 0; i < counts.Count && !IsFull; i++)
        {
            if (counts[i] is not { } count)
                Refuse($"{at}/{i}", "must be an object, not null");
            else
                CheckAccuracyCount($"{at}/{i}", count, seen);
        }
    }

    private void CheckAccuracyCount(string at, AccuracyCount count, HashSet<long> seen)
    {
        if (CheckSum(at, "tokens", count.Tokens) && !seen.Add(count.Tokens))
            Refuse($"{at}/tokens", "must not repeat a number of tokens of the same task type");
        var inRange = CheckCount(at, "trials", count.Trials) & CheckSum(at, "correct", count.Correct);
        if (inRange && count.Correct > count.Trials)
            Refuse($"{at}/correct", "must be at most trials");
    }

    private bool CheckSum(string at, string name, long sum)
    {
        var fits = sum is >= 0 and <= WorkloadWindowReader.MaxSum;
        if (!fits)
            Refuse($"{at}/{name}", $"must be from 0 to {WorkloadWindowReader.MaxSum} (2^53 - 1)");
        return fits;
    }

    /// <summary>A number of queries: they have all arrived, ended or been judged within the window.</summary>
    private bool CheckCount(string at, string name, long queries)
    {
        if (!CheckSum(at, name, queries))
            return false;
        var most = (Int128)WorkloadWindowReader.MaxQueriesPerSecond * _windowTicks / TimeSpan.TicksPerSecond;
        if (queries <= most)
            return true;
        Refuse($"{at}/{name}", TooMany(queries));
        return false;
    }

    private string TooMany(long queries)
    {
        var seconds = (double)_windowTicks / TimeSpan.TicksPerSecond;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"is {queries} in {seconds:0.###} s, {queries / seconds:0} a second, and must be at most "
                + $"{WorkloadWindowReader.MaxQueriesPerSecond} a second. "
                + $"Was a running counter sent in place of the difference between two readings?"
        );
    }

    private bool CheckSumOver(string at, string name, long sum, long completions)
    {
        if (!CheckSum(at, name, sum))
            return false;
        var fits = completions != 0 || sum == 0;
        if (!fits)
            Refuse($"{at}/{name}", "must be 0 when completions is 0");
        return fits;
    }

    /// <summary>
    /// Σx² for n whole numbers x ≥ 0 lies between (Σx)²/n (Cauchy-Schwarz), Σx (as x² ≥ x) and (Σx)². Products stay
    /// below 2^106.
    /// </summary>
    private bool CheckSquares(string at, string name, long completions, long sum, long squares)
    {
        var squaredSum = (Int128)sum * sum;
        if ((Int128)completions * squares < squaredSum || squares < sum)
            Refuse(
                $"{at}/{name}Squared",
                $"is too small: no {completions} whole numbers sum to {name} with these squares"
            );
        else if (squares > squaredSum)
            Refuse($"{at}/{name}Squared", $"is too large: must be at most the square of {name}");
        else
            return true;
        return false;
    }

    /// <summary>
    /// Σxy for x, y ≥ 0 is at most Σx·Σy, and its distance from independence is bounded by Cauchy-Schwarz on the
    /// centred values: (nΣxy − ΣxΣy)² ≤ (nΣx² − (Σx)²)(nΣy² − (Σy)²). Both sides reach 2^212, beyond 128 bits.
    /// </summary>
    private void CheckProducts(string at, ServiceSums sums)
    {
        var n = (BigInteger)sums.Completions;
        var product = (BigInteger)sums.Tokens * sums.Millis;
        var covariance = (n * sums.TokenMillis) - product;
        var tokensSpread = (n * sums.TokensSquared) - ((BigInteger)sums.Tokens * sums.Tokens);
        var millisSpread = (n * sums.MillisSquared) - ((BigInteger)sums.Millis * sums.Millis);
        if (sums.TokenMillis > product || covariance * covariance > tokensSpread * millisSpread)
            Refuse(
                $"{at}/tokenMillis",
                "is impossible: no such tokens and millis have this sum of products (Cauchy-Schwarz)"
            );
    }
}
