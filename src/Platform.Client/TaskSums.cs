using Platform.Domain.Contracts;

namespace Platform.Client;

/// <summary>What a window tells of one task type, as it adds up.</summary>
public sealed class TaskSums
{
    private readonly SortedDictionary<long, (long Trials, long Correct)> _verdicts = [];
    private long _arrivals,
        _completions,
        _tokens,
        _tokensSquared,
        _tokensGranted,
        _tokenMillis;
    private long _serviceMillis,
        _serviceMillisSquared,
        _systemCompletions,
        _systemMillis,
        _systemMillisSquared;
    private long _answerTokens;
    private long _concurrencyTokens;
    private long _inService;
    private bool _isGrantKnown = true;
    private bool _isAnswerKnown = true;

    /// <summary>Most tokens of one query: the largest number whose square a window can tell.</summary>
    public const long MostTokens = 94_906_265;

    /// <summary>
    /// Longest time of one query in milliseconds, a little over 26 hours: the largest number whose square a window can
    /// tell.
    /// </summary>
    public const long MostMillis = 94_906_265;

    /// <summary>Counts a query that arrived.</summary>
    public void AddArrival() => _arrivals++;

    /// <summary>Counts a query that ended.</summary>
    /// <param name="tokensUsed">Reasoning tokens that it used.</param>
    /// <param name="tokensGranted">Tokens that it was granted; null where that is not known.</param>
    /// <param name="serviceMillis">Its time on the server, without the wait, in milliseconds.</param>
    /// <param name="systemMillis">Its time from arrival to end, in milliseconds; null where that is not known.</param>
    /// <param name="answerTokens">Output tokens beside the reasoning ones; null where that is not known. One query that
    /// does not tell them leaves the sum out of the window.</param>
    /// <param name="concurrency">Output tokens of the query, or a sample of them, with the queries in service when they
    /// were made; null where that is not known.</param>
    /// <exception cref="OverflowException">The sums would be larger than a window can tell. Nothing was
    /// counted.</exception>
    public void AddCompletion(
        long tokensUsed,
        long? tokensGranted,
        long serviceMillis,
        long? systemMillis,
        long? answerTokens = null,
        ConcurrencySums? concurrency = null
    )
    {
        if (!TryAddCompletion(tokensUsed, tokensGranted, serviceMillis, systemMillis, answerTokens, concurrency))
            throw new OverflowException($"The sums of a window are at most {WorkloadWindowReader.MaxSum}.");
    }

    /// <summary>
    /// Counts a query that ended, unless the sums would be larger than a window can tell: then nothing is counted.
    /// </summary>
    /// <param name="tokensUsed">Reasoning tokens that it used.</param>
    /// <param name="tokensGranted">Tokens that it was granted; null where that is not known.</param>
    /// <param name="serviceMillis">Its time on the server, without the wait, in milliseconds.</param>
    /// <param name="systemMillis">Its time from arrival to end, in milliseconds; null where that is not known.</param>
    /// <param name="answerTokens">Output tokens beside the reasoning ones; null where that is not known. One query that
    /// does not tell them leaves the sum out of the window.</param>
    /// <param name="concurrency">Output tokens of the query, or a sample of them, with the queries in service when they
    /// were made; null where that is not known.</param>
    public bool TryAddCompletion(
        long tokensUsed,
        long? tokensGranted,
        long serviceMillis,
        long? systemMillis,
        long? answerTokens = null,
        ConcurrencySums? concurrency = null
    )
    {
        var system = systemMillis ?? 0;
        var answer = answerTokens ?? 0;
        if (!HasRoomFor(tokensUsed, tokensGranted ?? 0, answer, serviceMillis, system) || !HasRoomFor(concurrency))
            return false;
        _completions++;
        _tokens += tokensUsed;
        _tokensSquared += tokensUsed * tokensUsed;
        _tokenMillis += tokensUsed * serviceMillis;
        _serviceMillis += serviceMillis;
        _serviceMillisSquared += serviceMillis * serviceMillis;
        _tokensGranted += tokensGranted ?? 0;
        _isGrantKnown &= tokensGranted is not null;
        _answerTokens += answer;
        _isAnswerKnown &= answerTokens is not null;
        _concurrencyTokens += concurrency?.Tokens ?? 0;
        _inService += concurrency?.InService ?? 0;
        if (systemMillis is not null)
            AddSystem(system);
        return true;
    }

    /// <summary>Counts the verdict on a query.</summary>
    /// <param name="tokensGranted">Tokens that it was granted.</param>
    /// <param name="isCorrect">The verdict.</param>
    public void AddVerdict(long tokensGranted, bool isCorrect)
    {
        var (trials, correct) = _verdicts.GetValueOrDefault(tokensGranted);
        _verdicts[tokensGranted] = (trials + 1, correct + (isCorrect ? 1 : 0));
    }

    /// <summary>The sums in the contract's form. What nothing is known of is left out.</summary>
    /// <param name="taskType">Id of the task type.</param>
    public TaskWindow ToWindow(string taskType) =>
        new()
        {
            TaskType = taskType,
            Arrivals = _arrivals,
            Service =
                _completions == 0
                    ? null
                    : new ServiceSums
                    {
                        Completions = _completions,
                        Tokens = _tokens,
                        TokensSquared = _tokensSquared,
                        TokensGranted = _isGrantKnown ? _tokensGranted : null,
                        AnswerTokens = _isAnswerKnown ? _answerTokens : null,
                        Concurrency =
                            _concurrencyTokens == 0
                                ? null
                                : new ConcurrencySums { Tokens = _concurrencyTokens, InService = _inService },
                        Millis = _serviceMillis,
                        MillisSquared = _serviceMillisSquared,
                        TokenMillis = _tokenMillis,
                    },
            System =
                _systemCompletions == 0
                    ? null
                    : new SystemSums
                    {
                        Completions = _systemCompletions,
                        Millis = _systemMillis,
                        MillisSquared = _systemMillisSquared,
                    },
            Accuracy =
                _verdicts.Count == 0
                    ? null
                    :
                    [
                        .. _verdicts.Select(it => new AccuracyCount
                        {
                            Tokens = it.Key,
                            Trials = it.Value.Trials,
                            Correct = it.Value.Correct,
                        }),
                    ],
        };

    private void AddSystem(long millis)
    {
        _systemCompletions++;
        _systemMillis += millis;
        _systemMillisSquared += millis * millis;
    }

    // A sum of whole numbers is no larger than that of their squares. Tokens granted and answer tokens have no squares.
    private bool HasRoomFor(long tokens, long granted, long answer, long service, long system) =>
        HasRoom(_tokensSquared, tokens, tokens)
        && HasRoom(_tokenMillis, tokens, service)
        && HasRoom(_serviceMillisSquared, service, service)
        && HasRoom(_systemMillisSquared, system, system)
        && HasRoom(_tokensGranted, granted, 1)
        && HasRoom(_answerTokens, answer, 1);

    private bool HasRoomFor(ConcurrencySums? concurrency) =>
        HasRoom(_concurrencyTokens, concurrency?.Tokens ?? 0, 1) && HasRoom(_inService, concurrency?.InService ?? 0, 1);

    private static bool HasRoom(long sum, long factor, long other) =>
        sum + ((Int128)factor * other) <= WorkloadWindowReader.MaxSum;
}
