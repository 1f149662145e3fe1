using Platform.Domain.Snapshots;

namespace Platform.Domain.Tests.Snapshots;

public sealed class SnapshotCsvTests
{
    [Fact]
    public void A_version_has_a_line_for_each_task_type()
    {
        var document = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Snapshots", "snapshot-example.json"));
        Assert.True(ComparableSnapshot.TryRead(document, out var snapshot, out _));
        Assert.Equal(
            "2,the-hash,2026-11-23T10:00:00.25Z,10.6,0.71,4.1,0.3333333333333333,math,812,0.74,812,\r\n"
                + "2,the-hash,2026-11-23T10:00:00.25Z,10.6,0.71,4.1,0.3333333333333333,chat,96,0.61,96,\r\n",
            SnapshotCsv.Lines("the-hash", snapshot)
        );
        Assert.Equal(
            SnapshotCsv.Header.Count(c => c == ','),
            SnapshotCsv.Lines("h", snapshot).Split("\r\n")[0].Count(c => c == ',')
        );
    }

    [Theory]
    [InlineData("math", "math")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("say \"x\"", "\"say \"\"x\"\"\"")]
    [InlineData("two\nlines", "\"two\nlines\"")]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+1", "'+1")]
    [InlineData("-1", "'-1")]
    [InlineData("@a,b", "\"'@a,b\"")]
    public void Text_is_quoted_and_no_formula(string text, string field) => Assert.Equal(field, SnapshotCsv.Text(text));
}
