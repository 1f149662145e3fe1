using System.Security.Claims;
using Microsoft.Extensions.Options;
using Platform.Api.Authentication;
using Platform.Api.Errors;
using Platform.Api.Paging;
using Platform.Domain.Contracts;
using Platform.Domain.Tenants;
using Platform.Domain.Webhooks;
using Platform.Persistence.Webhooks;

namespace Platform.Api.Webhooks;

/// <summary>A webhook to register.</summary>
/// <param name="Url">Where it is told, by POST: a public address, over TLS.</param>
/// <param name="Fleets">The fleets that it is told of; null for all.</param>
internal sealed record WebhookRequest(string Url, IReadOnlyList<string>? Fleets = null);

/// <summary>A webhook, as Standard Webhooks has it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Secret">What its messages are signed with, shown this once; null where it was there before.</param>
internal sealed record WebhookAnswer(string Name, string? Secret);

/// <summary>The tenants' calls about their webhooks.</summary>
internal sealed class WebhookEndpoints(WebhookRegistry webhooks, IOptions<ApiOptions> options, TimeProvider time)
{
    private const int MaxBodyBytes = 64 * 1024;
    private const int MaxFleets = 1_000;

    /// <summary>How long the secret before counts too: time to put the new one everywhere.</summary>
    private static readonly TimeSpan Overlap = TimeSpan.FromHours(24);

    public async Task<IResult> PutAsync(
        string webhook,
        HttpRequest request,
        ClaimsPrincipal caller,
        CancellationToken cancel
    )
    {
        if (options.Value.WebhookKey.Length == 0)
            return Problems.Problem(
                StatusCodes.Status409Conflict,
                "conflict",
                "The command contradicts the state.",
                "webhooks are not set up on this platform"
            );
        if (
            (await RequestBody.ReadAsync<WebhookRequest>(request, MaxBodyBytes, cancel)).IsFaulty(
                out var fault,
                out var wanted
            )
        )
            return fault;
        var errors = Check(webhook, wanted);
        if (errors.Count > 0)
            return Problems.BadInput(errors);
        var put = new WebhookPut
        {
            At = time.GetUtcNow(),
            Webhook = webhook,
            Receiver = new Uri(wanted.Url).GetLeftPart(UriPartial.Authority),
            Fleets = wanted.Fleets,
            By = caller.KeyName(),
        };
        var outcome = await webhooks.PutAsync(caller.Tenant(), put, wanted.Url, cancel);
        if (outcome.Seed is not { } seed)
            return Problems.Refused(outcome.Decision);
        return seed.IsNew
            ? TypedResults.Created($"/v1/webhooks/{webhook}", new WebhookAnswer(webhook, SecretOf(caller, seed)))
            : TypedResults.Ok(new WebhookAnswer(webhook, null));
    }

    public async Task<IResult> ReplaceSecretAsync(string webhook, ClaimsPrincipal caller, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var replaced = new WebhookSecretReplaced
        {
            At = now,
            Webhook = webhook,
            By = caller.KeyName(),
        };
        var outcome = await webhooks.ReplaceSecretAsync(caller.Tenant(), replaced, now + Overlap, cancel);
        return outcome.Seed is { } seed
            ? TypedResults.Ok(new WebhookAnswer(webhook, SecretOf(caller, seed)))
            : Problems.Refused(outcome.Decision);
    }

    public async Task<IResult> RemoveAsync(string webhook, ClaimsPrincipal caller, CancellationToken cancel)
    {
        var decision = await webhooks.RemoveAsync(
            caller.Tenant(),
            new WebhookRemoved
            {
                At = time.GetUtcNow(),
                Webhook = webhook,
                By = caller.KeyName(),
            },
            cancel
        );
        return decision.IsRefused ? Problems.Refused(decision) : TypedResults.NoContent();
    }

    public async Task<IResult> ListAsync(ClaimsPrincipal caller, CancellationToken cancel) =>
        TypedResults.Ok(new Page<WebhookSummary>(await webhooks.ListAsync(caller.Tenant(), null, cancel), null));

    public async Task<IResult> FindAsync(string webhook, ClaimsPrincipal caller, CancellationToken cancel) =>
        (await webhooks.ListAsync(caller.Tenant(), webhook, cancel)).SingleOrDefault() is { } found
            ? TypedResults.Ok(found)
            : Problems.NotFound("webhook");

    private List<InputError> Check(string webhook, WebhookRequest wanted)
    {
        var errors = new List<InputError>();
        if (!Identifiers.IsFleet(webhook))
            errors.Add(new InputError("", $"the webhook's name must match {Identifiers.FleetPattern}"));
        if (WebhookTargets.Parse(options.Value.WebhookNetworks).Check(wanted.Url) is { } fault)
            errors.Add(new InputError("/url", fault));
        if (
            wanted.Fleets is { } fleets
            && (fleets.Count is 0 or > MaxFleets || fleets.Distinct().Count() != fleets.Count)
        )
            errors.Add(
                new InputError("/fleets", $"must name 1 to {MaxFleets} fleets, and each once; leave it out for all")
            );
        foreach (var (i, _) in (wanted.Fleets ?? []).Index().Where(fleet => !Identifiers.IsFleet(fleet.Item)))
            errors.Add(new InputError($"/fleets/{i}", $"must match {Identifiers.FleetPattern}"));
        return errors;
    }

    private string SecretOf(ClaimsPrincipal caller, WebhookSeed seed) =>
        WebhookSecret
            .Derive(Convert.FromHexString(options.Value.WebhookKey), caller.Tenant(), seed.Id, seed.Generation)
            .Text;
}

/// <summary>Routes of these calls.</summary>
internal static class WebhookRoutes
{
    public static void MapWebhooks(this IEndpointRouteBuilder v1)
    {
        var webhooks = v1.MapGroup("/webhooks")
            .WithTags("Webhooks")
            .RequireAuthorization(Scopes.Manage)
            .ProducesProblem(401)
            .ProducesProblem(403);
        webhooks
            .MapGet(
                "/",
                (WebhookEndpoints it, ClaimsPrincipal caller, CancellationToken cancel) => it.ListAsync(caller, cancel)
            )
            .Produces<Page<WebhookSummary>>()
            .WithSummary("List the webhooks, with what each is still to be told");
        var one = webhooks.MapGroup("/{webhook}").ProducesProblem(404);
        one.MapPut(
                "",
                (
                    WebhookEndpoints it,
                    string webhook,
                    HttpRequest request,
                    ClaimsPrincipal caller,
                    CancellationToken cancel
                ) => it.PutAsync(webhook, request, caller, cancel)
            )
            .Accepts<WebhookRequest>("application/json")
            .Produces<WebhookAnswer>()
            .Produces<WebhookAnswer>(201)
            .ProducesProblem(400)
            .ProducesProblem(409)
            .ProducesProblem(429)
            .WithSummary("Register a webhook, change it, or enable it again; its secret is shown when it is new");
        one.MapGet(
                "",
                (WebhookEndpoints it, string webhook, ClaimsPrincipal caller, CancellationToken cancel) =>
                    it.FindAsync(webhook, caller, cancel)
            )
            .Produces<WebhookSummary>()
            .WithSummary("A webhook, and how it fares");
        one.MapPost(
                "/secret",
                (WebhookEndpoints it, string webhook, ClaimsPrincipal caller, CancellationToken cancel) =>
                    it.ReplaceSecretAsync(webhook, caller, cancel)
            )
            .Produces<WebhookAnswer>()
            .WithSummary("Give a webhook a new secret; messages are signed with the one before, too, for another day");
        one.MapDelete(
                "",
                (WebhookEndpoints it, string webhook, ClaimsPrincipal caller, CancellationToken cancel) =>
                    it.RemoveAsync(webhook, caller, cancel)
            )
            .Produces(204)
            .WithSummary("Remove a webhook; what it was not yet told it never is");
    }
}
