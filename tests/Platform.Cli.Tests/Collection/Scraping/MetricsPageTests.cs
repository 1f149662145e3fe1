using Platform.Cli.Collection.Scraping;

namespace Platform.Cli.Tests.Collection.Scraping;

public sealed class MetricsPageTests
{
    [Theory]
    [InlineData("up 1", 1)]
    [InlineData("up 1.5e+03", 1_500)]
    [InlineData("up -0.25", -0.25)]
    [InlineData("up\t  7  ", 7)]
    [InlineData("up{} 2", 2)]
    [InlineData("up{a=\"b\"} 3", 3)]
    [InlineData("up { a = \"b\" , c = \"d\" , } 4", 4)]
    [InlineData("up{a=\"} 9\"} 5", 5)]
    [InlineData("up 6 1710000000000", 6)]
    [InlineData("up 6 1710000000.123", 6)]
    [InlineData("up{le=\"1\"} 8 # {trace_id=\"a\"} 0.67 1710000000.123", 8)]
    [InlineData("up 8 1710000000.123 # {trace_id=\"a\"} 0.67", 8)]
    [InlineData("up +Inf", double.PositiveInfinity)]
    [InlineData("up -Inf", double.NegativeInfinity)]
    [InlineData("up NaN", double.NaN)]
    public void A_line_tells_a_number(string line, double value) => Assert.Equal(value, Single(line).Value);

    [Fact]
    public void Labels_are_told_whatever_signs_are_in_them()
    {
        var sample = Single("""vllm:up{path="C:\\new \"x\"\n",model_name="größe, {8}",_a1=""} 1""");
        Assert.Equal("vllm:up", sample.Name);
        Assert.Equal("C:\\new \"x\"\n", sample.Labels["path"]);
        Assert.Equal("größe, {8}", sample.Labels["model_name"]);
        Assert.Equal("", sample.Labels["_a1"]);
    }

    [Fact]
    public void A_backslash_before_any_other_sign_stays() =>
        Assert.Equal("\\d", Single("""up{a="\d"} 1""").Labels["a"]);

    [Fact]
    public void The_order_of_labels_is_of_no_importance() =>
        Assert.Equal(Single("up{a=\"1\",b=\"2\"} 1").LabelKey, Single("up{b=\"2\",a=\"1\"} 1").LabelKey);

    [Fact]
    public void Samples_of_a_name_are_those_of_that_name_alone()
    {
        const string Text = "# TYPE up counter\r\nup{a=\"1\"} 1\r\n\r\nup{a=\"2\"} 2\r\nup_total 9\r\n# EOF\r\n";
        var page = MetricsPage.Parse(Text);
        Assert.Equal([1.0, 2.0], page.Samples("up").Select(sample => sample.Value));
        Assert.Empty(page.Samples("UP"));
    }

    [Theory]
    [InlineData("<!DOCTYPE html>")]
    [InlineData("{\"detail\":\"Not Found\"}")]
    [InlineData("Not Found")]
    [InlineData("up")]
    [InlineData("up one")]
    [InlineData("up 1 2 3")]
    [InlineData("up 1e999")]
    [InlineData("up 0x10")]
    [InlineData("up{ 1")]
    [InlineData("up{a} 1")]
    [InlineData("up{a=b} 1")]
    [InlineData("up{a=\"b\" c=\"d\"} 1")]
    [InlineData("up{a=\"b} 1")]
    [InlineData("up{a=\"b\\")]
    [InlineData("up{a=\"1\",a=\"2\"} 1")]
    [InlineData("1up 1")]
    public void What_is_no_metrics_page_is_refused_with_its_line(string line)
    {
        var fault = Assert.Throws<FormatException>(() => MetricsPage.Parse($"# HELP up\nup 1\n{line}\n"));
        Assert.Equal($"line 3 is none of a metrics page: {line}", fault.Message);
    }

    [Fact]
    public void A_long_line_is_quoted_in_part()
    {
        var fault = Assert.Throws<FormatException>(() => MetricsPage.Parse(new string('-', 5_000)));
        Assert.InRange(fault.Message.Length, 60, 120);
    }

    /// <summary>Reading a part of a page ends with an answer or with a fault of the format.</summary>
    [Fact]
    public void A_page_that_is_cut_anywhere_is_read_or_refused()
    {
        var page = RecordedPage.Text("vllm-0.6.3.txt")[..4_000];
        for (var length = 0; length < page.Length; length++)
        {
            var part = page[..length];
            if (Record.Exception(() => MetricsPage.Parse(part)) is { } fault)
                Assert.IsType<FormatException>(fault);
        }
    }

    private static MetricSample Single(string line)
    {
        Assert.True(MetricLine.TryRead(line.Trim(), out var sample));
        return sample;
    }
}
