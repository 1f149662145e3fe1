using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Platform.Domain.Tenants;

namespace Platform.Api.Authentication;

/// <summary>
/// Who is asking, as <c>Authorization: Bearer</c> proves it: an operator, or a tenant through one of its keys.
/// </summary>
internal sealed class ApiKeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> schemeOptions,
    ILoggerFactory logger,
    UrlEncoder encoder,
    PresentedKeys keys
) : AuthenticationHandler<AuthenticationSchemeOptions>(schemeOptions, logger, encoder)
{
    public const string SchemeName = "Bearer";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        return header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
            ? await keys.ProveAsync(header["Bearer ".Length..].Trim(), Context.RequestAborted)
            : AuthenticateResult.NoResult();
    }

    internal static AuthenticateResult Success(IEnumerable<Claim> claims) =>
        AuthenticateResult.Success(
            new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity(claims, SchemeName)), SchemeName)
        );
}

/// <summary>What a key proves, wherever it was presented.</summary>
internal sealed class PresentedKeys(KeyCache keys, FailedAuthentications failures, TimeProvider time)
{
    private static readonly AuthenticateResult Operator = ApiKeyAuthentication.Success([
        new Claim(Caller.OperatorClaim, "true"),
    ]);
    private static readonly AuthenticateResult NotValid = AuthenticateResult.Fail("The key is not valid.");

    /// <summary>Proves an operator or a tenant; a refusal is recorded.</summary>
    public async Task<AuthenticateResult> ProveAsync(string presented, CancellationToken cancel)
    {
        // Digests have one length, so that the comparison's time says nothing about the key's.
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(presented));
        if (CryptographicOperations.FixedTimeEquals(digest, keys.OperatorDigest))
            return Operator;
        if (keys.FindProven(digest) is { } proven)
            return proven.IsExpired(time) ? NotValid : proven.Success;
        if (!ApiKey.TryParse(presented, out var key))
            return NotValid;
        var known = await keys.FindAsync(key.Id, cancel);
        if (known is not null && key.Matches(known.Stored.Mac, keys.Pepper) && !known.IsExpired(time))
        {
            keys.KeepProven(digest, known);
            return known.Success;
        }

        await failures.NoteAsync(key, known?.Stored, cancel);
        return NotValid;
    }
}

/// <summary>What the endpoints want to know of who is asking.</summary>
internal static class Caller
{
    public const string OperatorClaim = "operator";
    public const string TenantClaim = "tenant";
    public const string KeyIdClaim = "key-id";
    public const string KeyNameClaim = "key";
    public const string ScopeClaim = "scope";

    /// <summary>Policy for operators' calls.</summary>
    public const string OperatorPolicy = "operator";

    /// <summary>Policy for what publishers, readers and auditors may see of the tenant.</summary>
    public const string PublisherOrReaderPolicy = "ingest, read or audit";

    /// <summary>The tenant that the key proves. There is no other source of it.</summary>
    public static string Tenant(this ClaimsPrincipal caller) =>
        caller.FindFirstValue(TenantClaim)
        ?? throw new InvalidOperationException("The endpoint lacks a tenant's policy.");

    /// <summary>The key's name, for the record of who decided something.</summary>
    public static string KeyName(this ClaimsPrincipal caller) =>
        caller.FindFirstValue(KeyNameClaim)
        ?? throw new InvalidOperationException("The endpoint lacks a tenant's policy.");

    /// <summary>The key's public part.</summary>
    public static string KeyId(this ClaimsPrincipal caller) =>
        caller.FindFirstValue(KeyIdClaim)
        ?? throw new InvalidOperationException("The endpoint lacks a tenant's policy.");

    public static void AddApiKeys(this IServiceCollection services)
    {
        services.AddSingleton<KeyCache>();
        services.AddSingleton<FailedAuthentications>();
        services.AddSingleton<PresentedKeys>();
        // Nothing that the API hands out is sealed with the framework's keys: there is no need to keep them in a file.
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        services.Replace(
            ServiceDescriptor.Singleton<IDataProtectionProvider>(provider => new PepperProtection(
                provider.GetRequiredService<KeyCache>().Pepper
            ))
        );
        services
            .AddAuthentication(ApiKeyAuthentication.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyAuthentication>(ApiKeyAuthentication.SchemeName, null)
            .AddSession();
        var policies = services
            .AddAuthorizationBuilder()
            .AddPolicy(OperatorPolicy, policy => policy.RequireClaim(OperatorClaim));
        policies.AddPolicy(Scopes.Ingest, policy => RequireScope(policy, Scopes.Ingest));
        policies.AddPolicy(Scopes.Manage, policy => RequireScope(policy, Scopes.Manage));
        policies.AddPolicy(Scopes.Audit, policy => RequireScope(policy, Scopes.Audit));
        // An auditor reads all that a reader reads.
        policies.AddPolicy(Scopes.Read, policy => RequireScope(policy, Scopes.Read, Scopes.Audit));
        policies.AddPolicy(
            PublisherOrReaderPolicy,
            policy => RequireScope(policy, Scopes.Ingest, Scopes.Read, Scopes.Audit)
        );
        policies.AddSessionPolicies();
    }

    internal static void RequireScope(AuthorizationPolicyBuilder policy, params string[] anyOf) =>
        policy.RequireClaim(TenantClaim).RequireClaim(ScopeClaim, anyOf);
}
