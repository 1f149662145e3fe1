namespace Platform.Architecture.Tests;

/// <summary>One place for versions, and locks that make every restore the same.</summary>
public sealed class PackageTests
{
    [Fact]
    public void Versions_of_packages_are_said_in_one_place()
    {
        var references = Repository.Projects.SelectMany(project =>
            project.Items("PackageReference").Select(it => (Project: project.Name, Item: it))
        );
        Assert.NotEmpty(references);
        Assert.Empty(
            references.Where(it => it.Item.Attributes().Concat<object>(it.Item.Elements()).Any(IsVersion)).ToList()
        );
        Assert.Empty(Repository.Projects.SelectMany(project => project.Items("PackageVersion")));
    }

    [Fact]
    public void Every_project_locks_its_packages() =>
        Assert.Empty(
            Repository
                .Projects.Where(project => !File.Exists(Path.Combine(project.Folder, "packages.lock.json")))
                .ToList()
        );

    [Fact]
    public void Every_project_is_part_of_the_solution()
    {
        var solution = File.ReadAllText(Path.Combine(Repository.Root, "Platform.sln"));
        Assert.Empty(
            Repository
                .Projects.Where(project => !solution.Contains($"\\{project.Name}.csproj\"", StringComparison.Ordinal))
                .ToList()
        );
    }

    private static bool IsVersion(object part) =>
        part switch
        {
            System.Xml.Linq.XAttribute attribute => attribute.Name.LocalName.StartsWith(
                "Version",
                StringComparison.Ordinal
            ),
            System.Xml.Linq.XElement element => element.Name.LocalName.StartsWith("Version", StringComparison.Ordinal),
            _ => false,
        };
}
