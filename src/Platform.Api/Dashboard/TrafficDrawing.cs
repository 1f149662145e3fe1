using Microsoft.AspNetCore.Html;
using Platform.Domain.Estimation;
using Platform.Persistence.Snapshots;

namespace Platform.Api.Dashboard;

/// <summary>The arrival rate of a fleet: as it was seen, as it is now, and as it is expected.</summary>
internal sealed class TrafficDrawing
{
    /// <summary>Room to the right of now where nothing is forecast, as part of what was seen.</summary>
    private const double RoomAfterNow = 0.04;

    private static readonly TimeSpan LeastPast = TimeSpan.FromMinutes(10);

    private TrafficDrawing(FleetEstimate estimate, TrafficEstimate traffic, WorkloadObservations observations)
    {
        Estimate = estimate;
        Traffic = traffic;
        Seen = [.. observations.Stretches.Where(stretch => stretch.CoveredSeconds > 0)];
        Stretch = TimeSpan.FromSeconds(observations.StretchSeconds);
    }

    /// <summary>The estimate; its instant is <em>now</em>.</summary>
    public FleetEstimate Estimate { get; }

    /// <summary>The estimate's traffic.</summary>
    public TrafficEstimate Traffic { get; }

    /// <summary>The stretches of time that some window covers, oldest first.</summary>
    public IReadOnlyList<ObservedStretch> Seen { get; }

    private DateTimeOffset Now => Estimate.AsOf;

    private TimeSpan Stretch { get; }

    /// <summary>The drawing of an estimate; null where the estimate knows no traffic as of now.</summary>
    /// <param name="known">The estimate with what it rests on.</param>
    public static TrafficDrawing? Find(EstimateWithObservations? known) =>
        known?.Estimate.Traffic is { } traffic ? new TrafficDrawing(known.Estimate, traffic, known.Observations) : null;

    /// <summary>Arrivals a second that were seen in a stretch of time.</summary>
    public static double RateOf(ObservedStretch stretch) => stretch.Arrivals / stretch.CoveredSeconds;

    /// <summary>
    /// The rate that was seen as steps; over it the interval of the rate as of now and the rate that allocations are
    /// made for, across all of the picture to compare; the forecast after now.
    /// </summary>
    public IHtmlContent Draw()
    {
        var time = TimeAxis();
        var plot = new Plot(
            "Arrival rate: seen, now and expected",
            time,
            Axis.FromZero("arrivals a second", Rates(), Show.Tick)
        );
        AddNow(plot, time);
        AddSeen(plot);
        if (Traffic.Forecast is { } forecast)
            AddForecast(plot, forecast);
        plot.Line([(time.From, Traffic.UpperRate), (time.To, Traffic.UpperRate)], "upper-rate");
        return plot.Mark(Now.ToUnixTimeSeconds(), "now").Draw();
    }

    private Axis TimeAxis()
    {
        var latestBegin = Now - LeastPast;
        var begin = Seen.Count > 0 && Seen[0].From < latestBegin ? Seen[0].From : latestBegin;
        var end = Now + ((Now - begin) * RoomAfterNow);
        return Axis.OfTime(begin, Traffic.Forecast is { } forecast && forecast.Until > end ? forecast.Until : end);
    }

    private IEnumerable<double> Rates()
    {
        var known = new[] { Estimate.ArrivalRate.Upper, Traffic.UpperRate, Traffic.Forecast?.Rate.Upper ?? 0 };
        return Seen.Select(RateOf).Concat(known);
    }

    private void AddNow(Plot plot, Axis time)
    {
        var rate = Estimate.ArrivalRate;
        var end = Traffic.Forecast is null ? time.To : Now.ToUnixTimeSeconds();
        plot.Band([(time.From, rate.Lower, rate.Upper), (end, rate.Lower, rate.Upper)], "band");
        plot.Line([(time.From, rate.Value), (end, rate.Value)], "curve");
    }

    /// <summary>One step for each run of stretches without a gap between them.</summary>
    private void AddSeen(Plot plot)
    {
        var run = new List<(double X, double Y)>();
        var end = double.NaN;
        foreach (var stretch in Seen)
        {
            double from = stretch.From.ToUnixTimeSeconds();
            if (from != end)
            {
                AddRun(plot, run);
                run.Clear();
            }

            end = (stretch.From + Stretch).ToUnixTimeSeconds();
            var rate = RateOf(stretch);
            run.Add((from, rate));
            run.Add((Math.Min(end, Now.ToUnixTimeSeconds()), rate));
        }

        AddRun(plot, run);
    }

    private static void AddRun(Plot plot, List<(double X, double Y)> run)
    {
        if (run.Count > 0)
            plot.Line(run, "seen-rate");
    }

    private void AddForecast(Plot plot, TrafficForecast forecast)
    {
        double from = Now.ToUnixTimeSeconds();
        double to = forecast.Until.ToUnixTimeSeconds();
        var rate = forecast.Rate;
        plot.Band([(from, rate.Lower, rate.Upper), (to, rate.Lower, rate.Upper)], "forecast-band");
        plot.Line([(from, rate.Value), (to, rate.Value)], "forecast");
    }
}
