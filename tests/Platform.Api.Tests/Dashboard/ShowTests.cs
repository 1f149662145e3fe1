using Platform.Api.Dashboard;

namespace Platform.Api.Tests.Dashboard;

public class ShowTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, "0")]
    [InlineData(0.00012345, "0.000123")]
    [InlineData(0.000012345, "1.23E-5")]
    [InlineData(0.5, "0.500")]
    [InlineData(1.2345, "1.23")]
    [InlineData(12.345, "12.3")]
    [InlineData(123.45, "123")]
    [InlineData(12_345, "12\u202f345")]
    [InlineData(1_234_567, "1.23E+6")]
    [InlineData(-1.2345, "-1.23")]
    public void Numbers_have_three_digits(double value, string shown) => Assert.Equal(shown, Show.Number(value));

    [Theory]
    [InlineData(null, "–")]
    [InlineData(0.0, "0\u202fs")]
    [InlineData(0.0456, "45.6\u202fms")]
    [InlineData(1.58, "1.58\u202fs")]
    public void Seconds_below_one_are_milliseconds(double? value, string shown) =>
        Assert.Equal(shown, Show.Seconds(value));

    [Theory]
    [InlineData(2, "+2")]
    [InlineData(0, "0")]
    [InlineData(-2, "−2")]
    public void A_difference_has_its_sign(double value, string shown) =>
        Assert.Equal(shown, Show.Signed(value, Show.Count));

    [Theory]
    [InlineData(0, "now")]
    [InlineData(89, "89\u202fs ago")]
    [InlineData(90, "1\u202fmin ago")]
    [InlineData(89 * 60, "89\u202fmin ago")]
    [InlineData(90 * 60, "1\u202fh ago")]
    [InlineData(48 * 3600, "2\u202fdays ago")]
    public void Ages_are_rough(int seconds, string shown) =>
        Assert.Equal(shown, Show.Ago(Now.AddSeconds(-seconds), Now));

    [Fact]
    public void What_never_was_is_never() => Assert.Equal("never", Show.Ago(null, Now));
}
