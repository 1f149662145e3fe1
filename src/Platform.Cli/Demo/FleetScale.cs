using Platform.Domain.Allocation;

namespace Platform.Cli.Demo;

/// <summary>A template scaled to how busy its part of the trace is.</summary>
/// <param name="PolicyTokens">What its team would grant to every query.</param>
/// <param name="MeanSeconds">
/// Mean time of a query with these tokens: on the server, or where servers batch from arrival to end.
/// </param>
/// <param name="Truth">What its task types are like.</param>
/// <param name="Model">What it runs, where servers batch.</param>
internal sealed record FleetScale(int PolicyTokens, double MeanSeconds, TaskTruth[] Truth, BatchedModel? Model = null)
{
    // Where hardly anything comes no number of tokens keeps a server busy.
    private const double MostPolicyTokens = 6_000;
    private const double LeastPolicyTokens = 200;

    /// <summary>Servers with queues: their times are scaled to the template's utilization.</summary>
    /// <param name="template">The fleet.</param>
    /// <param name="shares">Its task types' shares of the trace's requests.</param>
    /// <param name="rate">Requests per second.</param>
    public static FleetScale OfTimes(FleetTemplate template, double[] shares, double rate)
    {
        // Mean service time in units of the time that the policy's budget takes.
        var meanUnits = template.Tasks.Zip(shares, (task, share) => share * UnitsOf(task)).Sum();
        var meanSeconds = template.Utilization * template.Servers / rate;
        var secondsOfUnit = meanSeconds / meanUnits;
        return new(template.PolicyTokens, meanSeconds, Array.ConvertAll(template.Tasks, Truth));

        TaskTruth Truth(TaskTemplate task) =>
            new(
                new ServiceLine(task.Base * secondsOfUnit, task.Slope * secondsOfUnit / template.PolicyTokens),
                CurveOf(task, template.PolicyTokens)
            );
    }

    /// <summary>
    /// Servers that batch: a model's times are what they are, and the tokens are scaled. A trace that leaves no time
    /// for them gets a faster machine.
    /// </summary>
    /// <inheritdoc cref="OfTimes" path="/param"/>
    public static FleetScale OfTokens(FleetTemplate template, double[] shares, double rate)
    {
        var work = template.Utilization * template.Servers / rate;
        var leastWork = WorkSeconds(template.Model!, LeastPolicyTokens);
        var model = template.Model!.Times(Math.Min(1, work / leastWork));
        var tokens = (work - WorkSeconds(model, 0)) / model.SecondsPerToken;
        var policyTokens = (int)Math.Clamp(Math.Round(tokens), LeastPolicyTokens, MostPolicyTokens);
        var truth = Array.ConvertAll(template.Tasks, Truth);
        var alone = truth.Zip(shares, (task, share) => share * task.Service.SecondsAt(policyTokens)).Sum();
        return new(policyTokens, alone / (1 - template.Utilization), truth, model);

        // What the mean query adds to the iterations.
        double WorkSeconds(BatchedModel model, double reasoningTokens)
        {
            var tasks = template.Tasks.Zip(shares).ToArray();
            var prompt = tasks.Sum(task => task.Second * task.First.PromptTokens);
            var answer = tasks.Sum(task => task.Second * task.First.AnswerTokens);
            return (prompt * model.SecondsPerPromptToken) + ((answer + reasoningTokens) * model.SecondsPerToken);
        }

        TaskTruth Truth(TaskTemplate task)
        {
            var perToken = model.OverheadSeconds + model.SecondsPerToken;
            var prompt = task.PromptTokens * model.SecondsPerPromptToken;
            return new(new ServiceLine(prompt + (task.AnswerTokens * perToken), perToken), CurveOf(task, policyTokens));
        }
    }

    private static AccuracyCurve CurveOf(TaskTemplate task, int policyTokens) =>
        new(task.Floor, task.Gain, task.Ease / policyTokens);

    private static double UnitsOf(TaskTemplate task) => task.Base + (task.Slope * TokenUse.Mean);
}
