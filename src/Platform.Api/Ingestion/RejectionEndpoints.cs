using System.Globalization;
using System.Security.Claims;
using System.Text;
using Platform.Api.Authentication;
using Platform.Api.Documentation;
using Platform.Api.Errors;
using Platform.Api.Paging;
using Platform.Persistence.Ingestion;

namespace Platform.Api.Ingestion;

/// <summary>A message that was set aside, with its body.</summary>
/// <param name="Id">Its id.</param>
/// <param name="At">When it was set aside, the last time.</param>
/// <param name="Fleet">The fleet that its routing key names, or null.</param>
/// <param name="MessageId">Its message-id, unchecked, or null.</param>
/// <param name="Reason">Why it was set aside.</param>
/// <param name="Bytes">Length of its body.</param>
/// <param name="Decision">What an operator has decided about it since, or null.</param>
/// <param name="Body">
/// Its body where that is text in UTF-8; null where it is not, or is longer than a window may be.
/// </param>
/// <param name="BodyBase64">Its body where that is no text.</param>
internal sealed record RejectionAnswer(
    string Id,
    DateTimeOffset At,
    string? Fleet,
    string? MessageId,
    string Reason,
    int Bytes,
    RejectionDecisionView? Decision,
    string? Body,
    string? BodyBase64
);

/// <summary>What could not be taken of a tenant's messages, for the tenant itself.</summary>
internal static class RejectionEndpoints
{
    private static readonly UTF8Encoding StrictUtf8 = new(
        encoderShouldEmitUTF8Identifier: false,
        throwOnInvalidBytes: true
    );

    public static void MapRejections(this IEndpointRouteBuilder v1)
    {
        var rejections = v1.MapGroup("/rejections")
            .WithTags("Statistics")
            .RequireAuthorization(Caller.PublisherOrReaderPolicy)
            .ProducesProblem(400)
            .ProducesProblem(401)
            .ProducesProblem(403);
        rejections
            .MapGet("/", ListAsync)
            .Produces<Page<RejectionView>>()
            .IsPaged()
            .TakesFleet()
            .WithSummary("Messages of the tenant that were set aside, the newest first: the latest 1,000");
        rejections
            .MapGet("/{rejection}", GetAsync)
            .Produces<RejectionAnswer>()
            .ProducesProblem(404)
            .WithSummary("One message that was set aside, with its body");
    }

    private static async Task<IResult> ListAsync(
        HttpRequest request,
        ClaimsPrincipal caller,
        Rejections rejections,
        CancellationToken cancel
    )
    {
        if (!PageRequest.TryRead(request, out var page, out var fault))
            return fault;
        var fleet = request.Query["fleet"].ToString() is { Length: > 0 } named ? named : null;
        var messages = await rejections.ListAsync(
            caller.Tenant(),
            fleet,
            PlaceAfter(page.After),
            page.Limit + 1,
            cancel
        );
        return TypedResults.Ok(page.Cut(messages, KeyOf));
    }

    private static async Task<IResult> GetAsync(
        string rejection,
        ClaimsPrincipal caller,
        Rejections rejections,
        CancellationToken cancel
    )
    {
        if (await rejections.FindAsync(caller.Tenant(), rejection, cancel) is not { } found)
            return Problems.NotFound("rejection");
        var (message, body) = found;
        var text = TextOf(body);
        var base64 = body is not null && text is null ? Convert.ToBase64String(body) : null;
        return TypedResults.Ok(
            new RejectionAnswer(
                message.Id,
                message.At,
                message.Fleet,
                message.MessageId,
                message.Reason,
                message.Bytes,
                message.Decision,
                text,
                base64
            )
        );
    }

    private static string KeyOf(RejectionView message) =>
        string.Create(CultureInfo.InvariantCulture, $"{message.At.UtcTicks}_{message.Id}");

    private static RejectionPlace? PlaceAfter(string key)
    {
        if (key.Length == 0)
            return null;
        var parts = key.Split('_', 2);
        return new RejectionPlace(
            new DateTimeOffset(long.Parse(parts[0], CultureInfo.InvariantCulture), TimeSpan.Zero),
            parts[1]
        );
    }

    private static string? TextOf(byte[]? body)
    {
        if (body is null)
            return null;
        try
        {
            return StrictUtf8.GetString(body);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
