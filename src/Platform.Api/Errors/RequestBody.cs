using System.Diagnostics.CodeAnalysis;
using Platform.Domain.Contracts;

namespace Platform.Api.Errors;

/// <summary>Reads bodies by the contract's strict rules.</summary>
internal static class RequestBody
{
    /// <summary>The whole body.</summary>
    /// <exception cref="BadHttpRequestException">Its type is not JSON, or it is too large.</exception>
    public static async Task<byte[]> ReadAsync(HttpRequest request, int limit, CancellationToken cancel)
    {
        if (!request.HasJsonContentType())
            throw new BadHttpRequestException(
                "The content type must be application/json.",
                StatusCodes.Status415UnsupportedMediaType
            );
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        for (int read; (read = await request.Body.ReadAsync(buffer, cancel)) > 0; )
        {
            if (body.Length + read > limit)
                throw new BadHttpRequestException(
                    $"The body must have at most {limit} bytes.",
                    StatusCodes.Status413PayloadTooLarge
                );
            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }

    /// <summary>The body as a value; every fault of shape becomes a problem with its pointer.</summary>
    public static async Task<Parsed<T>> ReadAsync<T>(HttpRequest request, int limit, CancellationToken cancel)
        where T : class =>
        StrictJson.TryRead<T>(await ReadAsync(request, limit, cancel), out var value, out var error)
            ? new Parsed<T>(value, null)
            : new Parsed<T>(null, Problems.BadInput(error));

    /// <summary>A value, or the answer that says why there is none.</summary>
    public readonly record struct Parsed<T>(T? Value, IResult? Fault)
        where T : class
    {
        public bool IsFaulty([NotNullWhen(true)] out IResult? fault, [NotNullWhen(false)] out T? value)
        {
            (fault, value) = (Fault, Value);
            return fault is not null;
        }
    }
}
