namespace Platform.Domain.Allocation;

/// <summary>
/// Root of a decreasing function by false position with the Illinois weight (Dowell and Jarratt, BIT 11 (1971) 168) and
/// bisection.
/// </summary>
internal static class MonotoneRoot
{
    /// <summary>
    /// Brackets the root by growing steps from a guess, then closes in on it; the function is last called at the
    /// answer.
    /// </summary>
    /// <param name="function">A decreasing, continuous function.</param>
    /// <param name="least">A point with a positive value.</param>
    /// <param name="guess">Where to begin, between the ends.</param>
    /// <param name="step">First step from there.</param>
    /// <param name="most">A point where the value is at most 0, but for rounding.</param>
    /// <param name="tolerance">A value in [−tolerance, 0] is near enough.</param>
    /// <returns>A point where the value is at most 0: the side that keeps a limit.</returns>
    public static double Find(
        Func<double, double> function,
        (double X, double Value) least,
        double guess,
        double step,
        double most,
        double tolerance
    )
    {
        var x = Math.Clamp(guess, least.X, most);
        var value = function(x);
        if (value <= 0 && value >= -tolerance)
            return x;
        var (left, right) = value > 0 ? ((x, value), (most, double.NaN)) : (least, (x, value));
        while (double.IsNaN(right.Item2) && x < most)
        {
            x = Math.Min(x + step, most);
            value = function(x);
            step *= 3;
            (left, right) = value > 0 ? ((x, value), right) : (left, (x, value));
        }

        while (left == least && x > least.X)
        {
            x -= step;
            if (x <= least.X)
                break;
            value = function(x);
            step *= 3;
            (left, right) = value > 0 ? ((x, value), right) : (left, (x, value));
        }

        var answer = double.IsNaN(right.Item2) ? most : Decreasing(function, left, right, tolerance);
        function(answer);
        return answer;
    }

    /// <summary>Finds where a decreasing, continuous function reaches 0 from above.</summary>
    /// <param name="function">The function.</param>
    /// <param name="left">A point with a positive value.</param>
    /// <param name="right">A point to its right with a value of at most 0.</param>
    /// <param name="tolerance">A value in [−tolerance, 0] is near enough.</param>
    /// <returns>The right end of the last bracket, where the value is at most 0: the side that keeps a limit.</returns>
    public static double Decreasing(
        Func<double, double> function,
        (double X, double Value) left,
        (double X, double Value) right,
        double tolerance
    )
    {
        // The two weights are the values of the bracket's ends, halved for an end that stays.
        var (leftWeight, rightWeight) = (left.Value, right.Value);
        var value = right.Value;
        for (var step = 1; step <= 200 && value < -tolerance; step++)
        {
            var middle = left.X + ((right.X - left.X) / 2);
            if (
                right.X - left.X <= 4 * double.BitIncrement(Math.Abs(middle)) * 1.2e-16
                || middle <= left.X
                || middle >= right.X
            )
                break;
            var x = left.X + ((right.X - left.X) * (leftWeight / (leftWeight - rightWeight)));
            if (step % 3 == 0 || !(x > left.X && x < right.X))
                x = middle;
            var found = function(x);
            if (found > 0)
            {
                rightWeight = left.X == x ? rightWeight : rightWeight / 2;
                left = (x, found);
                leftWeight = found;
            }
            else
            {
                leftWeight /= 2;
                right = (x, found);
                (rightWeight, value) = (found, found);
            }
        }

        return right.X;
    }
}
