using Platform.Domain.Allocation;

namespace Platform.Domain.Tests.Allocation;

public sealed class ElementaryTests
{
    private static readonly double[] Arguments = [.. Make()];

    [Fact]
    public void Logarithms_are_within_two_units_in_the_last_place() =>
        Assert.All(Arguments, x => Near(Math.Log(Math.Abs(x)), Elementary.Log(Math.Abs(x)), 2));

    [Fact]
    public void Exponentials_are_within_two_units_in_the_last_place() =>
        Assert.All(Arguments.Where(x => x is > -708 and < 709), x => Near(Math.Exp(x), Elementary.Exp(x), 2));

    [Fact]
    public void Small_arguments_lose_nothing_to_cancellation()
    {
        // Two terms more than the last bit needs.
        foreach (var x in Arguments.Where(x => Math.Abs(x) < 1e-4))
        {
            Near(x * (1 + (x / 2 * (1 + (x / 3 * (1 + (x / 4)))))), Elementary.ExpMinusOne(x), 3);
            Near(x * (1 - (x * (0.5 - (x * ((1 / 3.0) - (x / 4)))))), Elementary.LogOnePlus(x), 4);
        }
    }

    [Fact]
    public void Ends_of_the_range_are_those_of_the_functions()
    {
        Assert.Equal((0, 1, 0), (Elementary.Log(1), Elementary.Exp(0), Elementary.ExpMinusOne(0)));
        Assert.Equal(
            (double.NegativeInfinity, double.PositiveInfinity),
            (Elementary.Log(0), Elementary.Log(double.PositiveInfinity))
        );
        Assert.Equal((0, double.PositiveInfinity), (Elementary.Exp(double.NegativeInfinity), Elementary.Exp(1e4)));
        Assert.True(double.IsFinite(Elementary.Exp(709.39)) && double.IsPositiveInfinity(Elementary.Exp(709.41)));
        Assert.Equal(-1, Elementary.ExpMinusOne(double.NegativeInfinity));
        Assert.Equal(Math.Log(5e-324), Elementary.Log(5e-324), 1e-13);
    }

    private static IEnumerable<double> Make()
    {
        var random = new Random(7);
        for (var i = 0; i < 20_000; i++)
        {
            var size = Math.Pow(10, (random.NextDouble() * 20) - 16);
            yield return i % 2 == 0 ? size : -size;
            yield return 0.5 + (i / 10_000.0);
        }
    }

    private static void Near(double expected, double actual, int units) =>
        Assert.True(
            Math.Abs(expected - actual) <= units * (Math.BitIncrement(Math.Abs(expected)) - Math.Abs(expected)),
            $"{expected:R} {actual:R}"
        );
}
