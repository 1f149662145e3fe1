using System.Reflection;

namespace Platform.Architecture.Tests;

/// <summary>Domain knows nobody, Persistence knows Domain, the hosts know both and never each other.</summary>
public sealed class LayerTests
{
    private static readonly Dictionary<string, string[]> MayKnow = new()
    {
        ["Platform.Domain"] = [],
        ["Platform.Persistence"] = ["Platform.Domain"],
        ["Platform.Api"] = ["Platform.Domain", "Platform.Persistence"],
        ["Platform.Workers"] = ["Platform.Domain", "Platform.Persistence"],
        ["Platform.Client"] = ["Platform.Domain"],
        ["Platform.Cli"] = ["Platform.Client", "Platform.Domain", "Platform.Persistence"],
        ["Platform.Solver"] = ["Platform.Domain"],
    };

    private static readonly string[] StorageAndMessaging =
    [
        "Marten.",
        "JasperFx.",
        "Weasel.",
        "Microsoft.EntityFrameworkCore.",
        "MassTransit.",
    ];

    public static TheoryData<string> Projects => [.. MayKnow.Keys];

    [Fact]
    public void Every_project_has_its_place() =>
        Assert.Equal(
            MayKnow.Keys.Order(StringComparer.Ordinal),
            Repository.SourceProjects.Select(project => project.Name).Order(StringComparer.Ordinal)
        );

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_refers_to_those_beneath_it_and_no_others(string name)
    {
        var project = Repository.SourceProjects.Single(project => project.Name == name);
        Assert.Equal(MayKnow[name], project.ProjectReferences.Order(StringComparer.Ordinal));
    }

    /// <summary>
    /// A reference may come by way of another project, or of a file; what the code uses is in the assembly.
    /// </summary>
    [Theory]
    [MemberData(nameof(Projects))]
    public void An_assembly_uses_those_beneath_it_and_no_others(string name)
    {
        var used = Assembly
            .Load(name)
            .GetReferencedAssemblies()
            .Select(it => it.Name!)
            .Where(it => it.StartsWith("Platform.", StringComparison.Ordinal));
        Assert.Subset(MayKnow[name].ToHashSet(), used.ToHashSet());
    }

    [Fact]
    public void Domain_refers_to_no_package_and_no_framework_but_the_base()
    {
        var domain = Repository.SourceProjects.Single(project => project.Name == "Platform.Domain");
        Assert.Empty(
            domain
                .Items("PackageReference")
                .Concat(domain.Items("FrameworkReference"))
                .Concat(domain.Items("Reference"))
        );
        Assert.Equal("Microsoft.NET.Sdk", domain.Items("Project").Single().Attribute("Sdk")!.Value);
        Assert.All(
            Assembly.Load("Platform.Domain").GetReferencedAssemblies(),
            it => Assert.StartsWith("System.", it.Name, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Domain_neither_waits_nor_logs_nor_reads_clocks_or_files()
    {
        var domain = CompiledAssembly.Read("Platform.Domain");
        string[] forbidden =
        [
            "System.Threading.",
            "System.IO.",
            "System.Net.",
            "Microsoft.",
            "System.TimeProvider",
            "System.Console",
            "System.Diagnostics.Stopwatch",
            "System.Diagnostics.Process",
            "System.Security.Cryptography.RandomNumberGenerator",
            "System.Runtime.CompilerServices.AsyncTaskMethodBuilder",
            "System.Runtime.CompilerServices.AsyncValueTaskMethodBuilder",
        ];
        // Addresses are values like numbers; what connects to them is not.
        string[] values = ["System.Net.IPAddress", "System.Net.IPNetwork", "System.Net.Sockets.AddressFamily"];
        Assert.Empty(domain.Types.Except(values).Where(type => StartsWithAny(type, forbidden)).ToList());
        Assert.Empty(
            domain
                .Members.Where(member => member is "System.Guid.NewGuid" || IsWallClock(member) || IsMachine(member))
                .ToList()
        );
    }

    /// <summary>Time comes in as a parameter: only hosts have a clock.</summary>
    [Fact]
    public void Persistence_has_no_clock()
    {
        var persistence = CompiledAssembly.Read("Platform.Persistence");
        Assert.DoesNotContain("System.TimeProvider", persistence.Types);
        Assert.Empty(persistence.Members.Where(IsWallClock).ToList());
    }

    /// <summary>
    /// Hosts work through the tenant-bound stores: with a document store or a context at hand, a query without a tenant
    /// is near.
    /// </summary>
    [Theory]
    [InlineData("Platform.Domain")]
    [InlineData("Platform.Api")]
    [InlineData("Platform.Cli")]
    [InlineData("Platform.Solver")]
    public void Marten_EF_Core_and_MassTransit_stay_out_of_domain_and_endpoints(string name) =>
        Assert.Empty(StorageAndMessagingIn(name));

    [Fact]
    public void Workers_use_MassTransit_but_neither_Marten_nor_EF_Core() =>
        Assert.Empty(StorageAndMessagingIn("Platform.Workers", except: "MassTransit."));

    [Fact]
    public void Persistence_shows_no_Marten_and_no_EF_Core_to_others()
    {
        var shown = Assembly
            .Load("Platform.Persistence")
            .GetExportedTypes()
            // Migrations are public because EF Core's generator makes them so.
            .Where(type => type.Namespace != "Platform.Persistence.Migrations")
            .SelectMany(type => Signature(type).Select(it => (Type: type.FullName, Shows: it.FullName ?? it.Name)));
        Assert.Empty(shown.Where(it => StartsWithAny(it.Shows, StorageAndMessaging)).ToList());
    }

    private static IEnumerable<Type> Signature(Type type)
    {
        const BindingFlags Own =
            BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        IEnumerable<Type?> types =
        [
            type.BaseType,
            .. type.GetInterfaces(),
            .. type.GetFields(Own).Select(field => field.FieldType),
            .. type.GetConstructors(Own)
                .Cast<MethodBase>()
                .Concat(type.GetMethods(Own))
                .SelectMany(it => it.GetParameters())
                .Select(it => it.ParameterType),
            .. type.GetMethods(Own).Select(method => method.ReturnType),
        ];
        return types.OfType<Type>().SelectMany(Unwrap);
    }

    private static IEnumerable<Type> Unwrap(Type type) =>
        type.HasElementType
            ? Unwrap(type.GetElementType()!)
            : type.GetGenericArguments().SelectMany(Unwrap).Prepend(type);

    private static bool IsWallClock(string member) =>
        member.StartsWith("System.DateTime", StringComparison.Ordinal)
        && (
            member.EndsWith(".get_Now", StringComparison.Ordinal)
            || member.EndsWith(".get_UtcNow", StringComparison.Ordinal)
        );

    // The compiler's iterators ask for their thread.
    private static bool IsMachine(string member) =>
        member.StartsWith("System.Environment.", StringComparison.Ordinal)
        && member != "System.Environment.get_CurrentManagedThreadId";

    private static IEnumerable<string> StorageAndMessagingIn(string assembly, params string[] except) =>
        // JasperFx's source generator, which comes along with Marten, marks every assembly that it has looked at.
        CompiledAssembly
            .Read(assembly)
            .Types.Where(type =>
                StartsWithAny(type, StorageAndMessaging.Except(except))
                && !type.StartsWith("JasperFx.Events.Aggregation.JasperFxSourceGenerat", StringComparison.Ordinal)
            );

    private static bool StartsWithAny(string name, IEnumerable<string> prefixes) =>
        prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));
}
