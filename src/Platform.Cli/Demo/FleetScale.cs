using Platform.Domain.Allocation;

namespace Platform.Cli.Demo;

/// <summary>A template scaled to how busy its part of the trace is.</summary>
/// <param name="PolicyTokens">What its team would grant to every query.</param>
/// <param name="MeanSeconds">
/// Mean time of a query with these tokens: on the server, or where servers batch from arrival to end.
/// </param>
/// <param name="Truth">What its task types are like.</param>
internal sealed record FleetScale(int PolicyTokens, double MeanSeconds, TaskTruth[] Truth)
{
    // Where hardly anything comes no number of tokens keeps a server busy.
    private const double MostPolicyTokens = 16_000;
    private const double LeastPolicyTokens = 64;

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

        TaskTruth Truth(TaskTemplate task) => new(
            new ServiceLine(task.Base * secondsOfUnit, task.Slope * secondsOfUnit / template.PolicyTokens),
            CurveOf(task, template.PolicyTokens));
    }

    /// <summary>Servers that batch: a model's times are what they are, and the tokens are scaled.</summary>
    /// <inheritdoc cref="OfTimes" path="/param"/>
    public static FleetScale OfTokens(FleetTemplate template, double[] shares, double rate)
    {
        var model = template.Model!;
        var workWithoutReasoning = template.Tasks.Zip(shares, (task, share) => share * WorkSeconds(model, task)).Sum();
        var work = template.Utilization * template.Servers / rate;
        var tokens = (work - workWithoutReasoning) / model.SecondsPerToken;
        var policyTokens = (int)Math.Clamp(tokens, LeastPolicyTokens, MostPolicyTokens);
        var truth = Array.ConvertAll(template.Tasks, Truth);
        var alone = truth.Zip(shares, (task, share) => share * SecondsAlone(task)).Sum();
        return new(policyTokens, alone / (1 - template.Utilization), truth);

        TaskTruth Truth(TaskTemplate task)
        {
            var perToken = model.OverheadSeconds + model.SecondsPerToken;
            var prompt = task.PromptTokens * model.SecondsPerPromptToken;
            return new(new ServiceLine(prompt + (task.AnswerTokens * perToken), perToken), CurveOf(task, policyTokens));
        }

        double SecondsAlone(TaskTruth task) =>
            task.Service.BaseSeconds + (task.Service.SecondsPerToken * policyTokens);
    }

    private static AccuracyCurve CurveOf(TaskTemplate task, int policyTokens) =>
        new(task.Floor, task.Gain, task.Ease / policyTokens);

    private static double UnitsOf(TaskTemplate task) => task.Base + (task.Slope * TokenUse.Mean);

    /// <summary>What a query adds to the iterations for its prompt and its answer.</summary>
    private static double WorkSeconds(BatchedModel model, TaskTemplate task) =>
        (task.PromptTokens * model.SecondsPerPromptToken) + (task.AnswerTokens * model.SecondsPerToken);
}
