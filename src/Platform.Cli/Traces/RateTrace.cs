using System.Globalization;

namespace Platform.Cli.Traces;

/// <summary>
/// Reads traces in CSV that tell rates and variations over spans of time, as ServeGen's do, and makes requests of them:
/// a renewal process of gamma-distributed intervals for each client, whose rate and coefficient of variation are those
/// of the row. The same seed makes the same.
/// </summary>
internal static class RateTrace
{
    /// <summary>More would fill the memory.</summary>
    private const double MostRequests = 20_000_000;

    private const double MostRate = 1e6;
    private const double MostVariation = 1e3;
    private const double MostSeconds = 1e9;

    /// <summary>ServeGen's spans last so long; the rows of a client tell it where there are two.</summary>
    private const double UsualSpanSeconds = 600;

    /// <summary>Reads the rows, and makes the requests.</summary>
    /// <exception cref="TraceFormatException">Names the line, the column and what is wrong.</exception>
    public static RequestTrace Read(
        CsvHeader header,
        TraceLines lines,
        string? typeColumn,
        int seed,
        TraceFaults faults
    )
    {
        var rates = ReadRates(header, lines, typeColumn is null ? -1 : header.Named(typeColumn), faults);
        var random = new Random(seed);
        var requests = new List<TraceRequest>();
        foreach (var client in rates.GroupBy(it => it.Client, StringComparer.Ordinal))
            requests.AddRange(RequestsOf([.. client.OrderBy(it => it.Start)], random, faults));
        if (requests.Count == 0)
            throw faults.Of("its rates make no request");
        var note = string.Create(
            CultureInfo.InvariantCulture,
            $"it tells rates instead of requests: {requests.Count} requests were generated with gamma-distributed "
                + $"intervals of each row's rate and variation (seed {seed}), "
                + $"with prompts and answers as long as in the Azure conversation trace"
        );
        return RequestTrace.Of("ServeGen", [.. requests.OrderBy(it => it.At)]) with { Note = note };
    }

    private static List<ClientRate> ReadRates(CsvHeader header, TraceLines lines, int kind, TraceFaults faults)
    {
        var start = header.IndexOf("windowstarts");
        var rate = header.IndexOf("raterps");
        var variation = header.IndexOf("cv");
        var client = header.IndexOf("client", "clientid");
        var rates = new List<ClientRate>();
        while (lines.Next(CsvTrace.MaxLineLength) is { } line)
        {
            if (line.Length == 0)
                continue;
            var row = new CsvRow(header, lines.Number, line, faults);
            rates.Add(
                new ClientRate(
                    client < 0 ? "" : row.Text(client),
                    row.Number(start, MostSeconds) ?? 0,
                    row.Number(rate, MostRate) ?? 0,
                    variation < 0 ? 1 : row.Number(variation, MostVariation) ?? 1,
                    kind < 0 ? null : row.Text(kind)
                )
            );
        }

        return rates.Count > 0 ? rates : throw faults.Of(lines.Number, "the header is followed by no row");
    }

    /// <summary>The intervals are drawn in units of the mean one, and laid over time by the rate that holds.</summary>
    private static List<TraceRequest> RequestsOf(ClientRate[] rates, Random random, TraceFaults faults)
    {
        var requests = new List<TraceRequest>();
        // The first request is somewhere within its interval, as if the client had been there before.
        var left = random.NextDouble() * Draws.Gamma(random, rates[0].Variation);
        for (var i = 0; i < rates.Length; i++)
        {
            var rate = rates[i];
            var at = rate.Start;
            var end = at + SpanSeconds(rates, i);
            if (rate.PerSecond * (end - at) > MostRequests - requests.Count)
                throw faults.Of($"its rates make more than {MostRequests:0} requests");
            for (; rate.PerSecond > 0 && at + (left / rate.PerSecond) < end; left = Draws.Gamma(random, rate.Variation))
            {
                at += left / rate.PerSecond;
                var context = TraceTokens.DrawContext(random);
                var generated = TraceTokens.DrawGenerated(random);
                requests.Add(new TraceRequest(TimeSpan.FromSeconds(at), context, generated) { Kind = rate.Kind });
            }

            left -= (end - at) * rate.PerSecond;
        }

        return requests;
    }

    private static double SpanSeconds(ClientRate[] rates, int index)
    {
        if (index + 1 < rates.Length)
            return rates[index + 1].Start - rates[index].Start;
        return index > 0 ? rates[index].Start - rates[index - 1].Start : UsualSpanSeconds;
    }

    private sealed record ClientRate(string Client, double Start, double PerSecond, double Variation, string? Kind);
}
