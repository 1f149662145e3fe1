using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Html;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.RateLimiting;
using Platform.Api.Authentication;
using Platform.Api.Planning;
using Platform.Api.Snapshots;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Planning;
using Platform.Domain.Snapshots;
using Platform.Persistence.Fleets;
using Platform.Persistence.Planning;
using Platform.Persistence.Snapshots;

namespace Platform.Api.Dashboard;

/// <summary>
/// What would be with other traffic, servers, weight or limits. The question is in the address; nothing is stored.
/// </summary>
[Authorize(Policy = Session.ReadPolicy)]
[EnableRateLimiting(PlanningRate.Policy)]
internal sealed class PlanModel(FleetStore fleets, CurrentProblems problems, SnapshotHistory history, TimeProvider time)
    : PageModel
{
    private const int FrontierPoints = 31;
    private const string Dispatch = "dispatch";

    /// <summary>What can be asked otherwise, by the name in the address and in the body of a what-if.</summary>
    private static readonly string[] Asked =
    [
        "arrivalRateFactor",
        "servers",
        Dispatch,
        "accuracyWeight",
        "maxUtilization",
        "meanTokenBudget",
        "maxMeanSystemTimeSeconds",
        "maxInterTokenSeconds",
        "maxTimeToFirstAnswerTokenSeconds",
    ];

    /// <summary>The same of how queries share a server, which a what-if has in an object of its own.</summary>
    private static readonly string[] AskedOfSharing = ["overheadSecondsPerToken", "maxInService"];

    [BindProperty(SupportsGet = true)]
    public string Fleet { get; set; } = "";

    public FleetView View { get; private set; } = null!;

    /// <summary>The problem as it is now.</summary>
    public AllocationProblem Now { get; private set; } = null!;

    /// <summary>The body of the what-if that gives the same over the API.</summary>
    public string Body { get; private set; } = "{}";

    /// <summary>What is wrong with the question, by its name.</summary>
    public IReadOnlyList<InputError> Faults { get; private set; } = [];

    public AllocationProblem? Problem { get; private set; }

    public AllocationSolution? Solution { get; private set; }

    public ComparableSnapshot? InForce { get; private set; }

    public AllocationDifference? Difference { get; private set; }

    public IReadOnlyList<FrontierPoint> Frontier { get; private set; } = [];

    /// <summary>The arrival rate that the plan is made for, beside the traffic as it is now.</summary>
    public PlannedTraffic? Traffic { get; private set; }

    /// <summary>What a field of the form shows: the number that was asked, or that is now.</summary>
    public string Field(string name, double? now) =>
        TryReadNumber(Request.Query[name].ToString(), out var asked) ? Show.Machine(asked)
        : now is { } it ? Show.Machine(it)
        : "";

    /// <summary>Task types that a solve of the fleet as it is holds back.</summary>
    public IReadOnlyList<HeldBack> HeldBack { get; private set; } = [];

    /// <summary>How queries find a server, as asked or as it is now.</summary>
    public string DispatchField
    {
        get
        {
            var asked = Request.Query[Dispatch].ToString();
            return asked.Length > 0 ? asked : JsonNamingPolicy.CamelCase.ConvertName(Now.Dispatch.ToString());
        }
    }

    /// <summary>Whether servers that batch are asked about, or are what the fleet has.</summary>
    public bool IsSharing => DispatchField == "sharing";

    public async Task<IActionResult> OnGetAsync(CancellationToken cancel)
    {
        if (
            await fleets.FindAsync(User.Tenant(), Fleet, cancel) is not { } view
            || await problems.FindAsync(User.Tenant(), Fleet, time.GetUtcNow(), cancel) is not { } current
        )
            return NotFound();
        (View, Now, HeldBack) = (view, current.Problem, current.HeldBack);
        Traffic = current.TrafficOf(current.Problem);
        if (
            !TryReadQuestion(out var whatIf)
            || WhatIfProblem.Build(current.Problem, whatIf, out var problem) is { Count: > 0 } faults && Refuse(faults)
        )
        {
            Response.StatusCode = StatusCodes.Status400BadRequest;
            return Page();
        }

        (Problem, Solution) = (problem, AllocationSolver.Solve(problem));
        Traffic = current.TrafficOf(problem);
        if (await history.FindInForceAsync(User.Tenant(), Fleet, cancel) is { } stored)
            InForce = ComparisonEndpoints.Read(stored);
        Compare(problem, cancel);
        return Page();
    }

    private void Compare(AllocationProblem problem, CancellationToken cancel)
    {
        if (SolvedProblem.Of(problem, Solution!) is not { } solved)
            return;
        if (InForce is not null)
            Difference = AllocationDifference.Between(InForce.Solved, solved, false, Solve);
        if (new FrontierQuery { Points = FrontierPoints }.TryReadWeights(problem, out var weights) is null)
            Frontier = Platform.Domain.Planning.Frontier.Trace(problem, weights, Solve);

        AllocationSolution Solve(AllocationProblem it, SolverOptions options) =>
            ComparisonEndpoints.Solve(it, options, cancel);
    }

    /// <summary>Accuracy against time, with where the plan and the allocation in force are on it.</summary>
    public IHtmlContent DrawFrontier()
    {
        var (plan, now) = (Solution!, InForce?.Solution);
        double[] accuracies =
        [
            .. Frontier.Select(it => it.MeanAccuracy),
            plan.MeanAccuracy!.Value,
            now?.MeanAccuracy ?? plan.MeanAccuracy.Value,
        ];
        var room = Math.Max((accuracies.Max() - accuracies.Min()) * 0.08, 1e-3);
        var plot = new Plot(
            "Mean accuracy against mean system time",
            Axis.FromZero(
                "mean system time, seconds",
                [.. Frontier.Select(it => it.MeanSystemTimeSeconds), now?.MeanSystemTimeSeconds ?? 0],
                Show.Tick
            ),
            new Axis(
                "mean accuracy",
                Math.Max(0, accuracies.Min() - room),
                Math.Min(1, accuracies.Max() + room),
                Show.Tick
            )
        )
            .Line(Frontier.Select(it => (it.MeanSystemTimeSeconds, it.MeanAccuracy)), "curve")
            .Point(plan.MeanSystemTimeSeconds!.Value, plan.MeanAccuracy.Value, null, "now");
        return (now is null ? plot : plot.Point(now.MeanSystemTimeSeconds, now.MeanAccuracy, null, "then")).Draw();
    }

    /// <summary>Reads the address through the same door as the API's body.</summary>
    private bool TryReadQuestion(out WhatIf whatIf)
    {
        var (body, faults) = (new JsonObject(), new List<InputError>());
        foreach (var name in Asked)
        {
            if (Request.Query[name].ToString().Trim() is not { Length: > 0 } text)
                continue;
            if (name == Dispatch)
                body[name] = text;
            else if (TryReadNumber(text, out var number))
                body[name] = Number(number);
            else
                faults.Add(new InputError($"/{name}", "must be a number"));
        }

        if (IsSharing)
            ReadSharing(body, faults);

        (Body, whatIf) = (body.ToJsonString(), new WhatIf());
        if (faults.Count > 0)
            return !Refuse(faults);
        if (StrictJson.TryRead<WhatIf>(Encoding.UTF8.GetBytes(Body), out var read, out var fault))
        {
            whatIf = read;
            return true;
        }

        return !Refuse([fault]);
    }

    private void ReadSharing(JsonObject body, List<InputError> faults)
    {
        var sharing = new JsonObject();
        foreach (var name in AskedOfSharing)
        {
            var text = Request.Query[name].ToString().Trim();
            if (TryReadNumber(text, out var number))
                sharing[name] = Number(number);
            else if (text.Length > 0)
                faults.Add(new InputError($"/sharing/{name}", "must be a number"));
        }

        if (sharing.Count > 0)
            body["sharing"] = sharing;
    }

    private static JsonNode Number(double number)
    {
        var isWhole = number == Math.Floor(number) && Math.Abs(number) < 1e15;
        return isWhole ? (long)number : number;
    }

    private static bool TryReadNumber(string text, out double number) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);

    private bool Refuse(IReadOnlyList<InputError> faults)
    {
        Faults = faults;
        return true;
    }
}
