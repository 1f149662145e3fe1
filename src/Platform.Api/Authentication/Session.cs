using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Platform.Domain.Tenants;

namespace Platform.Api.Authentication;

/// <summary>
/// Who has signed in to the dashboard. The cookie names the key and does not hold it; what the key may do is asked anew
/// for each request, so that a session ends with its key. A session opens the dashboard alone: nothing under /v1 takes
/// a cookie.
/// </summary>
internal static class Session
{
    public const string Scheme = "Session";

    /// <summary>Policy for pages that anybody who has signed in may see.</summary>
    public const string Policy = "session";

    /// <summary>Policy for operators' pages.</summary>
    public const string OperatorPolicy = "session-operator";

    /// <summary>Policy for pages that show what a tenant's readers see.</summary>
    public const string ReadPolicy = "session-read";

    /// <summary>Policy for what changes a tenant's fleets.</summary>
    public const string ManagePolicy = "session-manage";

    /// <summary>Policy for the audit log.</summary>
    public const string AuditPolicy = "session-audit";

    private const string OperatorDigestClaim = "operator-digest";

    private static readonly TimeSpan Length = TimeSpan.FromHours(12);

    public static void AddSession(this AuthenticationBuilder authentication) =>
        authentication.AddCookie(
            Scheme,
            session =>
            {
                session.Cookie.Name = "allocation-session";
                session.Cookie.HttpOnly = true;
                session.Cookie.SameSite = SameSiteMode.Strict;
                session.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
                session.ExpireTimeSpan = Length;
                session.SlidingExpiration = false;
                session.LoginPath = "/sign-in";
                session.Events.OnValidatePrincipal = ValidateAsync;
                session.Events.OnRedirectToAccessDenied = denied =>
                {
                    denied.Response.StatusCode = StatusCodes.Status403Forbidden;
                    return Task.CompletedTask;
                };
            }
        );

    public static void AddSessionPolicies(this AuthorizationBuilder policies)
    {
        Add(Policy, policy => policy.RequireAuthenticatedUser());
        Add(OperatorPolicy, policy => policy.RequireClaim(Caller.OperatorClaim));
        Add(ReadPolicy, policy => Caller.RequireScope(policy, Scopes.Read, Scopes.Audit));
        Add(ManagePolicy, policy => Caller.RequireScope(policy, Scopes.Manage));
        Add(AuditPolicy, policy => Caller.RequireScope(policy, Scopes.Audit));

        void Add(string name, Action<AuthorizationPolicyBuilder> require) =>
            policies.AddPolicy(name, policy => require(policy.AddAuthenticationSchemes(Scheme)));
    }

    /// <summary>Signs in whoever has proven a key.</summary>
    public static Task SignInAsync(HttpContext http, ClaimsPrincipal proven)
    {
        Claim[] who = proven.HasClaim(claim => claim.Type == Caller.OperatorClaim)
            ? [new Claim(OperatorDigestClaim, OperatorDigest(http))]
            : [new Claim(Caller.KeyIdClaim, proven.KeyId())];
        return http.SignInAsync(Scheme, new ClaimsPrincipal(new ClaimsIdentity(who, Scheme)));
    }

    private static async Task ValidateAsync(CookieValidatePrincipalContext session)
    {
        if (await FindAsync(session.HttpContext, session.Principal!) is { } proven)
            session.ReplacePrincipal(new ClaimsPrincipal(new ClaimsIdentity(proven, Scheme)));
        else
            session.RejectPrincipal();
    }

    /// <summary>What the session's key proves now; null when it proves nothing any more.</summary>
    private static async Task<IEnumerable<Claim>?> FindAsync(HttpContext http, ClaimsPrincipal session)
    {
        if (session.FindFirstValue(Caller.KeyIdClaim) is not { } keyId)
            return session.FindFirstValue(OperatorDigestClaim) == OperatorDigest(http)
                ? [new Claim(Caller.OperatorClaim, "true")]
                : null;
        return
            await http.RequestServices.GetRequiredService<KeyCache>().FindAsync(keyId, http.RequestAborted) is { } key
            && !key.IsExpired(http.RequestServices.GetRequiredService<TimeProvider>())
            ? key.Success.Principal!.Claims
            : null;
    }

    private static string OperatorDigest(HttpContext http) =>
        Convert.ToHexStringLower(http.RequestServices.GetRequiredService<KeyCache>().OperatorDigest);
}
