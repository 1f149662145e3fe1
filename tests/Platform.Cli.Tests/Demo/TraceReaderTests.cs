using Platform.Cli.Demo;

namespace Platform.Cli.Tests.Demo;

public sealed class TraceReaderTests
{
    private const string Header = "TIMESTAMP,ContextTokens,GeneratedTokens\n";

    [Fact]
    public void Requests_are_read_with_times_since_the_first()
    {
        var requests = Read(Header + "2023-11-16 18:15:46.6805900,374,44\r\n2023-11-16 18:15:50.9951690,396,109");

        Assert.Equal([new TraceRequest(TimeSpan.Zero, 374, 44), new TraceRequest(TimeSpan.FromTicks(43_145_790), 396, 109)], requests);
    }

    [Theory]
    [InlineData("2024-05-10 00:00:00.009930+00:00,1,2\n2024-05-10 00:00:01+00:00,1,2\n", 9_900_700)]
    [InlineData("2023-11-16 18:15:46,1,2\n\n2023-11-16 18:15:46.5,1,2\n\n", 5_000_000)]
    public void A_time_may_have_an_offset_and_any_number_of_decimals(string rows, long ticks) =>
        Assert.Equal(ticks, Read(Header + rows)[1].At.Ticks);

    [Theory]
    [InlineData("", "line 1: must be the header TIMESTAMP,ContextTokens,GeneratedTokens")]
    [InlineData("time,context,generated\n", "line 1: must be the header TIMESTAMP,ContextTokens,GeneratedTokens")]
    [InlineData(Header, "line 1: the header is followed by no request")]
    [InlineData(Header + "2023-11-16 18:15:46,374\n", "line 2: must have 3 fields, not 2")]
    [InlineData(Header + "2023-11-16 18:15:46,374,44\n2023-11-16 18:15:46,1,2,3\n", "line 3: must have 3 fields, not 4")]
    [InlineData(Header + "yesterday,374,44\n", "line 2: column TIMESTAMP: must be a time such as 2023-11-16 18:15:46.6805900, not 'yesterday'")]
    [InlineData(
        Header + "2023-11-16 18:15:46,374,44\n2023-11-16 18:15:45,1,2\n",
        "line 3: column TIMESTAMP: must not be before the time of the request before it, not '2023-11-16 18:15:45'")]
    [InlineData(Header + "2023-11-16 18:15:46,-1,44\n", "line 2: column ContextTokens: must be a whole number from 0 to 10000000, not '-1'")]
    [InlineData(Header + "2023-11-16 18:15:46,1e3,44\n", "line 2: column ContextTokens: must be a whole number from 0 to 10000000, not '1e3'")]
    [InlineData(Header + "2023-11-16 18:15:46,1,\n", "line 2: column GeneratedTokens: must be a whole number from 0 to 10000000, not ''")]
    [InlineData(
        Header + "2023-11-16 18:15:46,1,10000001\n", "line 2: column GeneratedTokens: must be a whole number from 0 to 10000000, not '10000001'")]
    [InlineData(Header + "2023-11-16 18:15:46,1,\u0007\u001b[1m\n", "line 2: column GeneratedTokens: must be a whole number from 0 to 10000000, not '??[1m'")]
    public void A_fault_names_its_line_and_column(string text, string fault) =>
        Assert.Equal("trace.csv, " + fault, Assert.Throws<TraceFormatException>(() => Read(text)).Message);

    [Fact]
    public void A_file_without_line_ends_is_given_up_early()
    {
        using var endless = new StringReader(Header + new string('7', 100_000));

        var fault = Assert.Throws<TraceFormatException>(() => new TraceReader(endless, "trace.csv").ReadAll().Count());

        Assert.Equal("trace.csv, line 2: is longer than 1000 characters", fault.Message);
        Assert.True(endless.ReadToEnd().Length > 98_000);
    }

    [Fact]
    public void A_fault_shows_only_the_beginning_of_a_long_field() => Assert.EndsWith(
        $"not '{new string('x', 40)}…'",
        Assert.Throws<TraceFormatException>(() => Read(Header + $"{new string('x', 500)},1,2\n")).Message);

    private static TraceRequest[] Read(string text)
    {
        using var reader = new StringReader(text);
        return [.. new TraceReader(reader, "trace.csv").ReadAll()];
    }
}
