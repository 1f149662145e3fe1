using System.Text.RegularExpressions;

namespace Platform.Architecture.Tests;

/// <summary>The folder tree alone tells a stranger what the platform does.</summary>
public sealed partial class FolderTests
{
    private static readonly string[] SayNothing = ["Common", "Utils", "Helpers", "Services", "Managers"];

    [Fact]
    public void No_folder_has_a_name_that_says_nothing() =>
        Assert.Empty(
            Repository
                .Folders(Repository.Root)
                .Where(folder => SayNothing.Contains(Path.GetFileName(folder), StringComparer.OrdinalIgnoreCase))
                .ToList()
        );

    [Fact]
    public void No_namespace_has_a_name_that_says_nothing() =>
        Assert.Empty(
            Sources()
                .Where(source =>
                    source.Namespace.Split('.').Intersect(SayNothing, StringComparer.OrdinalIgnoreCase).Any()
                )
                .ToList()
        );

    /// <summary>
    /// So that one feature word greps the whole slice. It also keeps the contracts in their one, permanent namespace.
    /// </summary>
    [Fact]
    public void The_namespace_of_a_file_is_its_folder()
    {
        var sources = Sources().ToList();
        Assert.NotEmpty(sources);
        Assert.All(
            sources,
            source =>
                Assert.True(
                    source.Namespace == source.Expected,
                    $"{source.Path}: {source.Namespace}, not {source.Expected}"
                )
        );
    }

    /// <summary>
    /// The namespace is in the name of every message type: a contract that moves is another contract.
    /// </summary>
    [Fact]
    public void Contracts_are_flat_and_their_namespace_is_permanent()
    {
        var contracts = typeof(Domain.Contracts.WorkloadWindow)
            .Assembly.GetExportedTypes()
            .Where(type => type.Namespace!.Split('.').Contains("Contracts"));
        Assert.All(contracts, type => Assert.Equal("Platform.Domain.Contracts", type.Namespace));
        var folder = Path.Combine(Repository.Root, "src", "Platform.Domain", "Contracts");
        Assert.Empty(Repository.Folders(folder));
        Assert.Equal(
            [folder],
            Repository.Folders(Path.Combine(Repository.Root, "src")).Where(it => Path.GetFileName(it) == "Contracts")
        );
    }

    [Fact]
    public void Every_project_of_the_platform_has_a_test_project_of_its_name() =>
        Assert.Empty(
            Repository
                .SourceProjects.Select(project => $"{project.Name}.Tests")
                .Except(Repository.TestProjects.Select(project => project.Name))
        );

    private static IEnumerable<(string Path, string Namespace, string Expected)> Sources() =>
        from project in Repository.Projects
        from path in Repository.Files(project.Folder, "*.cs")
        let declared = Declaration().Match(File.ReadAllText(path))
        where declared.Success
        let folder = Path.GetRelativePath(project.Folder, Path.GetDirectoryName(path)!)
        let expected = folder == "."
            ? project.Name
            : $"{project.Name}.{folder.Replace(Path.DirectorySeparatorChar, '.')}"
        select (Path.GetRelativePath(Repository.Root, path), declared.Groups[1].Value, expected);

    [GeneratedRegex(@"^namespace ([\w.]+)", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Declaration();
}
