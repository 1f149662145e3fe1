using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Platform.Architecture.Tests;

/// <summary>
/// What a compiled assembly refers to: everything that its code touches, in signatures and in the bodies of methods.
/// </summary>
internal sealed class CompiledAssembly
{
    private CompiledAssembly(IReadOnlyList<string> types, IReadOnlyList<string> members) =>
        (Types, Members) = (types, members);

    /// <summary>Full names of types of other assemblies.</summary>
    public IReadOnlyList<string> Types { get; }

    /// <summary>Members of types of other assemblies, as <c>Namespace.Type.Member</c>.</summary>
    public IReadOnlyList<string> Members { get; }

    public static CompiledAssembly Read(string name)
    {
        using var file = new PEReader(File.OpenRead(Assembly.Load(name).Location));
        var metadata = file.GetMetadataReader();
        var members = metadata
            .MemberReferences.Select(metadata.GetMemberReference)
            .Where(member => member.Parent.Kind == HandleKind.TypeReference)
            .Select(member =>
                $"{FullName(metadata, (TypeReferenceHandle)member.Parent)}.{metadata.GetString(member.Name)}"
            );
        return new CompiledAssembly(
            [.. metadata.TypeReferences.Select(type => FullName(metadata, type))],
            [.. members]
        );
    }

    private static string FullName(MetadataReader metadata, TypeReferenceHandle handle)
    {
        var type = metadata.GetTypeReference(handle);
        return type.ResolutionScope.Kind == HandleKind.TypeReference
            ? $"{FullName(metadata, (TypeReferenceHandle)type.ResolutionScope)}.{metadata.GetString(type.Name)}"
            : $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}";
    }
}
