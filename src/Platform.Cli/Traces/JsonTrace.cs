using System.Globalization;
using System.Text.Json;

namespace Platform.Cli.Traces;

/// <summary>
/// Reads traces in JSON: Mooncake's, with a request a line, and results of vLLM's benchmark, with a list for each
/// figure.
/// </summary>
internal static class JsonTrace
{
    /// <summary>Longest line of Mooncake's: it lists the blocks of a prompt.</summary>
    private const int MaxLineLength = 10_000_000;

    private const double MostMilliseconds = 1e14;
    private const double MostSeconds = 1e11;

    /// <summary>Reads the trace.</summary>
    /// <param name="firstLine">Its first line, which begins with a brace.</param>
    /// <param name="lines">The lines after it.</param>
    /// <param name="typeColumn">The member that tells task types apart; null for none.</param>
    /// <param name="faults">Says what is wrong.</param>
    /// <exception cref="TraceFormatException">Names the line, the member and what is wrong.</exception>
    public static RequestTrace Read(string firstLine, TraceLines lines, string? typeColumn, TraceFaults faults)
    {
        if (TryParse(firstLine) is { } first && first.TryGetProperty("timestamp", out _))
            return ReadLines(firstLine, lines, typeColumn, faults);
        var whole =
            TryParse(firstLine + "\n" + lines.Rest())
            ?? throw faults.Of(
                1,
                "is neither a request in JSON (Mooncake) nor the beginning of a result of vLLM's benchmark, "
                    + $"but '{TraceFaults.Printable(firstLine)}'"
            );
        return ReadBenchmark(whole, typeColumn, faults);
    }

    private static RequestTrace ReadLines(string firstLine, TraceLines lines, string? typeColumn, TraceFaults faults)
    {
        var requests = new List<TraceRequest>();
        for (var line = firstLine; line is not null; line = lines.Next(MaxLineLength))
        {
            if (line.Length > 0)
                requests.Add(ReadLine(line, lines.Number, typeColumn, faults));
        }

        return RequestTrace.Of("Mooncake", requests);
    }

    private static TraceRequest ReadLine(string line, int number, string? typeColumn, TraceFaults faults)
    {
        var request =
            TryParse(line)
            ?? throw faults.Of(number, $"must be an object in JSON, not '{TraceFaults.Printable(line)}'");
        var milliseconds =
            Number(request, "timestamp", -MostMilliseconds, MostMilliseconds)
            ?? throw Fault(request, "timestamp", "must be a number of milliseconds");
        var at = TimeSpan.FromTicks((long)(milliseconds * TimeSpan.TicksPerMillisecond));
        return new TraceRequest(at, Tokens("input_length"), Tokens("output_length"))
        {
            Kind = typeColumn is null
                ? null
                : KindOf(request, typeColumn) ?? throw Fault(request, typeColumn, "must be a text or a number"),
        };

        int Tokens(string name) => WholeTokens(request, name) ?? throw Fault(request, name, TraceTokens.Expected);

        TraceFormatException Fault(JsonElement of, string name, string expected) =>
            of.TryGetProperty(name, out var found)
                ? faults.Of(number, name, expected, found.GetRawText())
                : faults.Of(number, $"column {name}: is missing");
    }

    private static RequestTrace ReadBenchmark(JsonElement result, string? typeColumn, TraceFaults faults)
    {
        var starts = Numbers(result, "start_times", MostSeconds, faults);
        var inputs = Numbers(result, "input_lens", TraceTokens.Most, faults);
        var outputs = Numbers(result, "output_lens", TraceTokens.Most, faults);
        if (inputs.Length != starts.Length || outputs.Length != starts.Length)
        {
            throw faults.Of(
                $"start_times has {starts.Length} values, input_lens {inputs.Length} and output_lens {outputs.Length}: "
                    + "they must be as many"
            );
        }

        if (starts.Length == 0)
            throw faults.Of("start_times is empty: the benchmark has sent no request");
        var kind = typeColumn is null ? null : KindOf(result, typeColumn);
        if (typeColumn is not null && kind is null)
            throw faults.Of($"there is no '{TraceFaults.Printable(typeColumn)}' that is a text or a number");
        var requests = starts.Select(
            (start, i) =>
                RequestAt(start, (int)inputs[i], (int)outputs[i]) with
                {
                    Duration = DurationOf(result, i, outputs[i]),
                    Kind = kind,
                }
        );
        return RequestTrace.Of("vLLM benchmark", [.. requests]);
    }

    private static TraceRequest RequestAt(double seconds, int context, int generated) =>
        new(TimeSpan.FromTicks((long)(seconds * TimeSpan.TicksPerSecond)), context, generated);

    /// <summary>
    /// To the first token, and from each to the next. Null where a part is not told, or the request failed.
    /// </summary>
    private static TimeSpan? DurationOf(JsonElement result, int index, double outputs)
    {
        const double Longest = 86_400;
        if (At(result, "ttfts", index) is not { ValueKind: JsonValueKind.Number } first || outputs < 1)
            return null;
        var seconds = first.GetDouble();
        if (outputs > 1)
            seconds += GapSeconds(result, index) ?? double.NaN;
        return seconds > 0 && seconds <= Longest ? TimeSpan.FromSeconds(seconds) : null;
    }

    private static double? GapSeconds(JsonElement result, int index)
    {
        if (At(result, "itls", index) is not { ValueKind: JsonValueKind.Array } gaps)
            return null;
        return gaps.EnumerateArray().All(it => it.ValueKind == JsonValueKind.Number)
            ? gaps.EnumerateArray().Sum(it => it.GetDouble())
            : null;
    }

    private static JsonElement? At(JsonElement result, string name, int index)
    {
        var isThere =
            result.TryGetProperty(name, out var list)
            && list.ValueKind == JsonValueKind.Array
            && index < list.GetArrayLength();
        return isThere ? list[index] : null;
    }

    private static double[] Numbers(JsonElement result, string name, double most, TraceFaults faults)
    {
        if (!result.TryGetProperty(name, out var list))
        {
            throw faults.Of(
                $"has no {name}: vllm bench serve writes start_times, input_lens and output_lens "
                    + "with --save-result --save-detailed"
            );
        }

        if (list.ValueKind != JsonValueKind.Array)
            throw faults.Of($"{name} must be a list of numbers, not '{TraceFaults.Printable(list.GetRawText())}'");
        return [.. list.EnumerateArray().Select((item, i) => InRange(item, 0, most) ?? throw Fault(item, i))];

        TraceFormatException Fault(JsonElement item, int index)
        {
            var found = TraceFaults.Printable(item.GetRawText());
            return faults.Of(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name}[{index}] must be a number from 0 to {most:0}, not '{found}'"
                )
            );
        }
    }

    private static string? KindOf(JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var kind))
            return null;
        return kind.ValueKind switch
        {
            JsonValueKind.String => kind.GetString(),
            JsonValueKind.Number => kind.GetRawText(),
            _ => null,
        };
    }

    private static int? WholeTokens(JsonElement element, string name)
    {
        var isWhole =
            element.TryGetProperty(name, out var found)
            && found.ValueKind == JsonValueKind.Number
            && found.TryGetInt32(out _);
        return isWhole && found.GetInt32() is >= 0 and <= TraceTokens.Most and var tokens ? tokens : null;
    }

    private static double? Number(JsonElement element, string name, double least, double most) =>
        element.TryGetProperty(name, out var found) ? InRange(found, least, most) : null;

    private static double? InRange(JsonElement found, double least, double most)
    {
        if (found.ValueKind != JsonValueKind.Number || !found.TryGetDouble(out var number))
            return null;
        return number >= least && number <= most ? number : null;
    }

    private static JsonElement? TryParse(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return json.RootElement.ValueKind == JsonValueKind.Object ? json.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
