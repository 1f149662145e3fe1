using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Platform.Api.Errors;
using Platform.Domain.Contracts;

namespace Platform.Api.Paging;

/// <summary>A part of a list.</summary>
/// <param name="Items">The items.</param>
/// <param name="NextCursor">What to ask the next part with, or null at the end.</param>
internal sealed record Page<T>(IReadOnlyList<T> Items, string? NextCursor);

/// <summary>What a client asks of a list: <c>?limit=&amp;cursor=</c>.</summary>
/// <param name="Limit">Most items wanted, 1 to 1,000.</param>
/// <param name="After">Key of the last item that the client has; empty at the start.</param>
internal sealed record PageRequest(int Limit, string After)
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1_000;

    /// <summary>Reads <c>?limit=&amp;cursor=</c>.</summary>
    public static bool TryRead(HttpRequest request, [NotNullWhen(true)] out PageRequest? page, [NotNullWhen(false)] out IResult? fault)
    {
        page = null;
        fault = null;
        var limit = DefaultLimit;
        var after = "";
        if (request.Query["limit"].ToString() is { Length: > 0 } asked
            && (!int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > MaxLimit))
            fault = Problems.BadInput(new InputError("/limit", $"must be 1 to {MaxLimit}"));
        else if (request.Query["cursor"].ToString() is { Length: > 0 } cursor && !TryDecode(cursor, out after))
            fault = Problems.BadInput(new InputError("/cursor", "must be a nextCursor of this list"));
        else
            page = new PageRequest(limit, after);
        return page is not null;
    }

    /// <summary>Cuts a list that was read one item longer than asked into the page.</summary>
    public Page<T> Cut<T>(IReadOnlyList<T> oneMore, Func<T, string> key) => oneMore.Count <= Limit
        ? new Page<T>(oneMore, null)
        : new Page<T>([.. oneMore.Take(Limit)], WebEncoders.Base64UrlEncode(Encoding.UTF8.GetBytes(key(oneMore[Limit - 1]))));

    private static bool TryDecode(string cursor, out string after)
    {
        try
        {
            after = Encoding.UTF8.GetString(WebEncoders.Base64UrlDecode(cursor));
            return true;
        }
        catch (FormatException)
        {
            after = "";
            return false;
        }
    }
}
