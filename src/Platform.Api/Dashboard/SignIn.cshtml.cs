using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Platform.Api.Authentication;
using Platform.Domain.Tenants;

namespace Platform.Api.Dashboard;

/// <summary>Where a key becomes a session, and a session ends.</summary>
internal sealed class SignInModel(PresentedKeys keys) : PageModel
{
    [BindProperty]
    public string? Key { get; set; }

    [BindProperty(SupportsGet = true)]
    public string? ReturnUrl { get; set; }

    public string? Fault { get; private set; }

    public async Task<IActionResult> OnPostAsync(CancellationToken cancel)
    {
        var proven = await keys.ProveAsync(Key?.Trim() ?? "", cancel);
        if (proven.Principal is not { } who)
            return Refuse("This key opens nothing: it is mistyped, revoked or expired, or its tenant is suspended.");
        if (
            !who.HasClaim(claim =>
                claim.Type == Caller.OperatorClaim
                || claim is { Type: Caller.ScopeClaim, Value: Scopes.Read or Scopes.Audit }
            )
        )
            return Refuse("This key may not read. The dashboard wants one with the scope read or audit.");
        await Session.SignInAsync(HttpContext, who);
        return LocalRedirect(Url.IsLocalUrl(ReturnUrl) ? ReturnUrl : "/");
    }

    public async Task<IActionResult> OnPostOutAsync()
    {
        await HttpContext.SignOutAsync(Session.Scheme);
        return LocalRedirect("/sign-in");
    }

    private PageResult Refuse(string fault)
    {
        (Fault, Response.StatusCode) = (fault, StatusCodes.Status401Unauthorized);
        return Page();
    }
}
