using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Platform.Api.Snapshots;

/// <summary>Whether a client has already what it asks for.</summary>
internal static class EntityTags
{
    /// <summary>
    /// Whether <c>If-None-Match</c> names the tag, or any: then the answer is 304. RFC 9110 compares weakly here: W/"x"
    /// is "x".
    /// </summary>
    /// <param name="request">What the client sent.</param>
    /// <param name="entityTag">The header <c>ETag</c> of the answer.</param>
    public static bool IsHeld(HttpRequest request, string entityTag)
    {
        StringValues sent = request.Headers.IfNoneMatch;
        if (sent.Count == 1 && sent[0] == entityTag)
            return true;
        var tag = EntityTagHeaderValue.Parse(entityTag);
        return sent.Count > 0
            && EntityTagHeaderValue.TryParseList([.. sent!], out var held)
            && held.Any(it => it.Tag == "*" || it.Compare(tag, useStrongComparison: false));
    }
}
