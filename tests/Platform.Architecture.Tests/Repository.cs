using System.Xml.Linq;

namespace Platform.Architecture.Tests;

/// <summary>A project file and what it says.</summary>
public sealed record Project(string Path)
{
    private readonly XDocument _file = XDocument.Load(Path);

    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path);

    public string Folder => System.IO.Path.GetDirectoryName(Path)!;

    public IEnumerable<XElement> Items(string name) => _file.Descendants(name);

    /// <summary>Names of the projects that it refers to.</summary>
    public IEnumerable<string> ProjectReferences =>
        Items("ProjectReference")
            .Select(it =>
                System.IO.Path.GetFileNameWithoutExtension(it.Attribute("Include")!.Value.Replace('\\', '/'))
            );

    public override string ToString() => Name;
}

/// <summary>The working tree that these tests were built from.</summary>
internal static class Repository
{
    private static readonly string[] Built = ["bin", "obj", "node_modules"];

    public static string Root { get; } = FindRoot();

    public static IReadOnlyList<Project> Projects { get; } =
    [.. Files(Root, "*.csproj").Select(path => new Project(path))];

    public static IReadOnlyList<Project> SourceProjects { get; } =
    [.. Projects.Where(project => IsBelow(project.Path, "src"))];

    public static IReadOnlyList<Project> TestProjects { get; } =
    [.. Projects.Where(project => IsBelow(project.Path, "tests"))];

    /// <summary>Files and folders that somebody wrote: nothing built, nothing hidden.</summary>
    public static IEnumerable<string> Files(string folder, string pattern) =>
        Directory
            .EnumerateFiles(folder, pattern)
            .Concat(Folders(folder).SelectMany(below => Directory.EnumerateFiles(below, pattern)));

    public static IEnumerable<string> Folders(string folder) =>
        Directory
            .EnumerateDirectories(folder)
            .Where(below =>
                Path.GetFileName(below) is var name
                && !name.StartsWith('.')
                && !Built.Contains(name, StringComparer.Ordinal)
            )
            .SelectMany(below => Folders(below).Prepend(below));

    private static bool IsBelow(string path, string folder) =>
        path.StartsWith(Path.Combine(Root, folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Platform.sln")))
            folder = folder.Parent;
        return folder?.FullName
            ?? throw new InvalidOperationException(
                "These tests read the working tree: there is no Platform.sln above them."
            );
    }
}
