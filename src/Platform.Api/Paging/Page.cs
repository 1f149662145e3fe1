using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Platform.Api.Errors;
using Platform.Domain.Contracts;

namespace Platform.Api.Paging;

/// <summary>A part of a list.</summary>
/// <param name="Items">The items.</param>
/// <param name="NextCursor">What to ask the next part with, or null at the end.</param>
internal sealed record Page<T>(IReadOnlyList<T> Items, string? NextCursor);

/// <summary>What a client asks of a list: <c>?limit=&amp;cursor=</c>.</summary>
internal sealed class PageRequest
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1_000;

    private readonly CursorSeal _seal;

    private PageRequest(CursorSeal seal, int limit, string after) => (_seal, Limit, After) = (seal, limit, after);

    /// <summary>Most items wanted, 1 to 1,000.</summary>
    public int Limit { get; }

    /// <summary>Key of the last item that the client has; empty at the start.</summary>
    public string After { get; }

    /// <summary>
    /// Reads <c>?limit=&amp;cursor=</c>. A cursor goes on with the list that gave it: the same path, filters and
    /// tenant.
    /// </summary>
    public static bool TryRead(
        HttpRequest request,
        [NotNullWhen(true)] out PageRequest? page,
        [NotNullWhen(false)] out IResult? fault
    )
    {
        page = null;
        fault = null;
        var (seal, limit, after) = (CursorSeal.Of(request), DefaultLimit, "");
        if (
            request.Query["limit"].ToString() is { Length: > 0 } asked
            && (
                !int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out limit)
                || limit is < 1 or > MaxLimit
            )
        )
            fault = Problems.BadInput(new InputError("/limit", $"must be 1 to {MaxLimit}"));
        else if (request.Query["cursor"].ToString() is { Length: > 0 } cursor && !seal.TryOpen(cursor, out after))
            fault = Problems.BadInput(
                new InputError("/cursor", "must be a nextCursor of this list with the same filters")
            );
        else
            page = new PageRequest(seal, limit, after);
        return page is not null;
    }

    /// <summary>Cuts a list that was read one item longer than asked into the page.</summary>
    public Page<T> Cut<T>(IReadOnlyList<T> oneMore, Func<T, string> key) =>
        oneMore.Count <= Limit
            ? new Page<T>(oneMore, null)
            : new Page<T>([.. oneMore.Take(Limit)], _seal.Seal(key(oneMore[Limit - 1])));
}
