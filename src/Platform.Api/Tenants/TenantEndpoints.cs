using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Platform.Api.Authentication;
using Platform.Api.Documentation;
using Platform.Api.Errors;
using Platform.Api.Paging;
using Platform.Domain.Contracts;
using Platform.Domain.Tenants;
using Platform.Persistence.Tenants;

namespace Platform.Api.Tenants;

/// <summary>A tenant to take on.</summary>
/// <param name="Id">Its id.</param>
/// <param name="DisplayName">Name for people.</param>
internal sealed record NewTenant(string Id, string DisplayName);

/// <summary>A key to make.</summary>
/// <param name="Name">Name for people, 1 to 100 characters.</param>
/// <param name="Scopes">What it may do: some of <c>ingest</c>, <c>read</c>, <c>manage</c>, <c>audit</c>.</param>
/// <param name="ExpiresAt">When it ceases to work, or null.</param>
internal sealed record NewApiKey(string Name, IReadOnlyList<string> Scopes, DateTimeOffset? ExpiresAt = null);

/// <summary>How a tenant reaches the broker. The password is shown this once.</summary>
/// <param name="VirtualHost">The virtual host.</param>
/// <param name="Exchange">Where it publishes windows, under the routing key <c>tenant.fleet</c>.</param>
/// <param name="UserName">Its user, which is its id.</param>
/// <param name="Password">Its password.</param>
/// <param name="Queue">Where it is told, as CloudEvents, what comes into force.</param>
internal sealed record BrokerAccess(
    string VirtualHost,
    string Exchange,
    string UserName,
    string Password,
    string Queue
);

/// <summary>A tenant taken on, with its secrets, shown this once.</summary>
internal sealed record CreatedTenant(string Id, string ApiKey, BrokerAccess Broker);

/// <summary>A key made, shown this once.</summary>
internal sealed record CreatedApiKey(string Id, string ApiKey);

/// <summary>The operators' calls: tenants and their keys.</summary>
internal sealed class TenantEndpoints(
    TenantRegistry tenants,
    BrokerManagement broker,
    KeyCache keys,
    IOptions<ApiOptions> options,
    TimeProvider time
)
{
    private const int MaxBodyBytes = 16 * 1024;
    private const int MaxNameLength = 200;

    public async Task<IResult> CreateAsync(HttpRequest request, CancellationToken cancel)
    {
        if (
            (await RequestBody.ReadAsync<NewTenant>(request, MaxBodyBytes, cancel)).IsFaulty(
                out var fault,
                out var tenant
            )
        )
            return fault;
        var errors = new List<InputError>();
        if (!Identifiers.IsTenant(tenant.Id))
            errors.Add(new InputError("/id", $"must match {Identifiers.TenantPattern}"));
        CheckName(tenant.DisplayName, "/displayName", errors);
        if (errors.Count > 0)
            return Problems.BadInput(errors);
        if (await broker.IsTakenAsync(tenant.Id, cancel))
            return Problems.Problem(
                StatusCodes.Status409Conflict,
                "conflict",
                "The command contradicts the state.",
                "the id is taken"
            );
        var (key, issued) = MakeKey("default", Scopes.All, null);
        var access = MakeAccess(tenant.Id);
        var decision = await tenants.RegisterAsync(
            tenant.Id,
            tenant.DisplayName,
            issued,
            Mac(key),
            cancel => broker.ProvisionAsync(tenant.Id, access.Password, cancel),
            issued.At,
            cancel
        );
        return decision.IsRefused
            ? Problems.Refused(decision)
            : TypedResults.Created($"/v1/tenants/{tenant.Id}", new CreatedTenant(tenant.Id, key.Text, access));
    }

    public async Task<IResult> ListAsync(HttpRequest request, CancellationToken cancel) =>
        PageRequest.TryRead(request, out var page, out var fault)
            ? TypedResults.Ok(
                page.Cut(await tenants.ListAsync(page.After, page.Limit + 1, cancel), tenant => tenant.Id)
            )
            : fault;

    public async Task<IResult> SuspendAsync(string tenant, CancellationToken cancel)
    {
        var decision = await tenants.SuspendAsync(
            tenant,
            cancel => broker.WithdrawAsync(tenant, cancel),
            time.GetUtcNow(),
            cancel
        );
        keys.Clear();
        return decision.IsRefused ? Problems.Refused(decision) : TypedResults.NoContent();
    }

    public async Task<IResult> IssueBrokerPasswordAsync(string tenant, CancellationToken cancel)
    {
        var access = MakeAccess(tenant);
        var decision = await tenants.IssueBrokerPasswordAsync(
            tenant,
            cancel => broker.ReplacePasswordAsync(tenant, access.Password, cancel),
            time.GetUtcNow(),
            cancel
        );
        return decision.IsRefused ? Problems.Refused(decision) : TypedResults.Ok(access);
    }

    public async Task<IResult> IssueKeyAsync(string tenant, HttpRequest request, CancellationToken cancel)
    {
        if (
            (await RequestBody.ReadAsync<NewApiKey>(request, MaxBodyBytes, cancel)).IsFaulty(
                out var fault,
                out var wanted
            )
        )
            return fault;
        var errors = new List<InputError>();
        CheckName(wanted.Name, "/name", errors);
        if (wanted.Scopes.Count == 0 || wanted.Scopes.Distinct().Count() != wanted.Scopes.Count)
            errors.Add(new InputError("/scopes", "must name at least one scope, and each once"));
        foreach (var (i, scope) in wanted.Scopes.Index().Where(scope => !Scopes.All.Contains(scope.Item)))
            errors.Add(new InputError($"/scopes/{i}", $"must be one of {string.Join(", ", Scopes.All)}"));
        if (wanted.ExpiresAt <= time.GetUtcNow())
            errors.Add(new InputError("/expiresAt", "must be in the future"));
        if (errors.Count > 0)
            return Problems.BadInput(errors);
        var (key, issued) = MakeKey(wanted.Name, wanted.Scopes, wanted.ExpiresAt);
        var decision = await tenants.IssueKeyAsync(tenant, issued, Mac(key), cancel);
        return decision.IsRefused
            ? Problems.Refused(decision)
            : TypedResults.Created($"/v1/tenants/{tenant}/keys/{key.Id}", new CreatedApiKey(key.Id, key.Text));
    }

    public async Task<IResult> ListKeysAsync(string tenant, CancellationToken cancel) =>
        await tenants.ListKeysAsync(tenant, cancel) is { } all
            ? TypedResults.Ok(new Page<ApiKeySummary>(all, null))
            : Problems.NotFound("tenant");

    public async Task<IResult> RevokeKeyAsync(string tenant, string key, CancellationToken cancel)
    {
        var decision = await tenants.RevokeKeyAsync(tenant, key, time.GetUtcNow(), cancel);
        keys.Clear();
        return decision.IsRefused ? Problems.Refused(decision) : TypedResults.NoContent();
    }

    private (ApiKey Key, ApiKeyIssued Issued) MakeKey(
        string name,
        IReadOnlyList<string> scopes,
        DateTimeOffset? expiresAt
    )
    {
        var key = ApiKey.FromEntropy(RandomNumberGenerator.GetBytes(ApiKey.EntropyBytes));
        return (
            key,
            new ApiKeyIssued
            {
                At = time.GetUtcNow(),
                KeyId = key.Id,
                Name = name,
                Scopes = scopes,
                ExpiresAt = expiresAt?.ToUniversalTime(),
            }
        );
    }

    private BrokerAccess MakeAccess(string tenant) =>
        new(
            options.Value.IngressVirtualHost,
            IngressNames.Exchange,
            tenant,
            Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24)),
            IngressNames.AllocationsOf(tenant)
        );

    private byte[] Mac(ApiKey key) => key.Mac(Encoding.UTF8.GetBytes(options.Value.KeyPepper));

    private static void CheckName(string name, string pointer, List<InputError> errors)
    {
        if (string.IsNullOrWhiteSpace(name) || name.Length > MaxNameLength || name.Any(char.IsControl))
            errors.Add(
                new InputError(pointer, $"must have 1 to {MaxNameLength} characters, none of them control characters")
            );
    }
}

/// <summary>Routes of the operators' calls.</summary>
internal static class TenantRoutes
{
    public static void MapTenants(this IEndpointRouteBuilder v1)
    {
        var tenants = v1.MapGroup("/tenants")
            .WithTags("Tenants")
            .RequireAuthorization(Caller.OperatorPolicy)
            .ProducesProblem(400)
            .ProducesProblem(401)
            .ProducesProblem(403)
            .ProducesProblem(404)
            .ProducesProblem(409);
        tenants
            .MapPost(
                "/",
                (TenantEndpoints it, HttpRequest request, CancellationToken cancel) => it.CreateAsync(request, cancel)
            )
            .Accepts<NewTenant>("application/json")
            .Produces<CreatedTenant>(201)
            .WithSummary("Take a tenant on");
        tenants
            .MapGet(
                "/",
                (TenantEndpoints it, HttpRequest request, CancellationToken cancel) => it.ListAsync(request, cancel)
            )
            .Produces<Page<TenantSummary>>()
            .IsPaged()
            .WithSummary("List tenants");
        tenants
            .MapDelete(
                "/{tenant}",
                (TenantEndpoints it, string tenant, CancellationToken cancel) => it.SuspendAsync(tenant, cancel)
            )
            .Produces(204)
            .WithSummary("Suspend a tenant; its data stay");
        tenants
            .MapPost(
                "/{tenant}/broker-password",
                (TenantEndpoints it, string tenant, CancellationToken cancel) =>
                    it.IssueBrokerPasswordAsync(tenant, cancel)
            )
            .Produces<BrokerAccess>()
            .WithSummary(
                "Give a tenant's broker user a new password; the old one ceases to work, and its connections are closed"
            );
        tenants
            .MapPost(
                "/{tenant}/keys",
                (TenantEndpoints it, string tenant, HttpRequest request, CancellationToken cancel) =>
                    it.IssueKeyAsync(tenant, request, cancel)
            )
            .Accepts<NewApiKey>("application/json")
            .Produces<CreatedApiKey>(201)
            .WithSummary("Make a key");
        tenants
            .MapGet(
                "/{tenant}/keys",
                (TenantEndpoints it, string tenant, CancellationToken cancel) => it.ListKeysAsync(tenant, cancel)
            )
            .Produces<Page<ApiKeySummary>>()
            .WithSummary("List a tenant's keys, without secrets");
        tenants
            .MapDelete(
                "/{tenant}/keys/{key}",
                (TenantEndpoints it, string tenant, string key, CancellationToken cancel) =>
                    it.RevokeKeyAsync(tenant, key, cancel)
            )
            .Produces(204)
            .WithSummary("Revoke a key");
    }
}
