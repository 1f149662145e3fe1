using System.Globalization;
using System.Text.Encodings.Web;
using System.Xml.Linq;
using FsCheck.Xunit;
using Platform.Api.Dashboard;

namespace Platform.Api.Tests.Dashboard;

public class PlotTests
{
    [Theory]
    [InlineData(0, 1, "0 0.2 0.4 0.6 0.8 1")]
    [InlineData(0, 640, "0 200 400 600")]
    [InlineData(0.5, 0.74, "0.5 0.55 0.6 0.65 0.7")]
    public void Ticks_are_round_numbers(double from, double to, string ticks) =>
        Assert.Equal(ticks, string.Join(' ', new Axis("", from, to, Show.Tick).Ticks().Select(Show.Tick)));

    [Theory]
    [InlineData(10, "00:02 00:04 00:06 00:08 00:10")]
    [InlineData(7 * 60, "02:00 04:00 06:00")]
    [InlineData(3 * 24 * 60, "2 Dec 3 Dec 4 Dec")]
    public void Ticks_of_time_are_round_times_in_UTC(int minutes, string ticks)
    {
        var begin = new DateTimeOffset(2026, 12, 1, 0, 0, 1, TimeSpan.Zero);
        var axis = Axis.OfTime(begin, begin.AddMinutes(minutes));
        Assert.Equal(ticks, string.Join(' ', axis.Ticks().Select(axis.Show)));
    }

    [Property(MaxTest = 200)]
    public bool An_axis_has_some_ticks_and_not_too_many_all_within(int seed)
    {
        var random = new Random(seed);
        var from = random.NextDouble() * Math.Pow(10, random.Next(-6, 6));
        var to = from + (random.NextDouble() * Math.Pow(10, random.Next(-3, 6))) + 1e-6;
        double[] ticks = [.. new Axis("", from, to, Show.Tick).Ticks()];
        return ticks.Length is >= 1 and <= 7
            && ticks.All(tick => tick >= from - (1e-9 * to) && tick <= to * (1 + 1e-8));
    }

    [Fact]
    public void A_drawing_is_well_formed_and_what_names_say_is_text()
    {
        var plot = new Plot("<script>\"&", new Axis("<x>", 0, 10, Show.Tick), new Axis("&y", 0, 1, Show.Tick))
            .Line([(0, 0), (5, 0.5), (20, 3)], "curve")
            .Band([(0, 0.1, 0.2), (10, 0.4, 0.6)], "band")
            .Point(5, 0.5, (0.4, 0.6), "seen")
            .Mark(9, "<granted>");
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        plot.Draw().WriteTo(text, HtmlEncoder.Default);

        var svg = XDocument.Parse(text.ToString()).Root!;
        Assert.Equal("<script>\"&", svg.Attribute("aria-label")!.Value);
        Assert.Contains(svg.Elements("text"), it => it.Value == "<granted> ");
        Assert.Equal(2, svg.Elements("polyline").Count());
        // What is beyond an axis is drawn at its end.
        var last = svg.Elements("polyline").First().Attribute("points")!.Value.Split(' ')[^1];
        Assert.Equal("400,10", last);
    }

    [Theory]
    [InlineData(5, 10, "50 25 more")]
    [InlineData(-10, 10, "0 50 less")]
    [InlineData(0, 0, "50 0 more")]
    public void A_change_goes_to_its_side_of_the_middle(double value, double largest, string drawn)
    {
        var bar = XDocument.Parse(Bars.Change(value, largest).ToString()!).Root!.Elements("rect").ElementAt(1);
        Assert.Equal(
            drawn,
            $"{bar.Attribute("x")!.Value} {bar.Attribute("width")!.Value} {bar.Attribute("class")!.Value}"
        );
    }
}
