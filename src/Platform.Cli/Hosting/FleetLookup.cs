using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Platform.Cli.Hosting;

/// <summary>Asks whether a fleet is there before anything is sent to it.</summary>
internal static class FleetLookup
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>The ids of the fleet's task types; null where the key may not read them.</summary>
    /// <exception cref="CommandFailure">There is no such fleet of the key's tenant, or the platform cannot be
    /// asked.</exception>
    public static async Task<IReadOnlyList<string>?> TaskTypesAsync(
        PlatformAccess access,
        string fleet,
        CancellationToken cancel
    )
    {
        using var http = new HttpClient { BaseAddress = access.Api, Timeout = Patience };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", access.Key);
        try
        {
            using var answer = await http.GetAsync(
                new Uri($"/v1/fleets/{Uri.EscapeDataString(fleet)}", UriKind.Relative),
                cancel
            );
            return answer.StatusCode switch
            {
                HttpStatusCode.OK => ReadTaskTypes(await answer.Content.ReadAsByteArrayAsync(cancel)),
                HttpStatusCode.Forbidden => null,
                HttpStatusCode.NotFound => throw Failure($"the key's tenant has no fleet {fleet}"),
                HttpStatusCode.Unauthorized => throw Failure($"the key is not valid at {access.Api}"),
                _ => throw Failure($"{access.Api} answered {(int)answer.StatusCode} when asked for the fleet {fleet}"),
            };
        }
        catch (HttpRequestException fault)
        {
            throw Failure($"{access.Api} cannot be reached: {fault.Message}");
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw Failure($"{access.Api} has not answered within {Patience.TotalSeconds:0} s");
        }
    }

    private static List<string>? ReadTaskTypes(byte[] answer)
    {
        using var json = JsonDocument.Parse(answer);
        if (!json.RootElement.TryGetProperty("definition", out var definition))
            return null;
        if (!definition.TryGetProperty("taskTypes", out var types))
            return null;
        return [.. types.EnumerateArray().Select(it => it.GetProperty("id").GetString()!)];
    }

    private static CommandFailure Failure(string message) => new(message, CommandFailure.BadUsage);
}
