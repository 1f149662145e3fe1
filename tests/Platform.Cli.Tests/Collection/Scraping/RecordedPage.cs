using Platform.Cli.Collection.Scraping;

namespace Platform.Cli.Tests.Collection.Scraping;

/// <summary>The pages in the folder Pages, of which SOURCE.md there says where they come from.</summary>
internal static class RecordedPage
{
    public static string Text(string file) =>
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Collection", "Scraping", "Pages", file));

    public static PageReading Read(string file) => PageReading.Of(MetricsPage.Parse(Text(file)));
}
