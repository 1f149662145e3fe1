using System.Security.Cryptography;

namespace Platform.Domain.Transparency;

/// <summary>
/// A node of the tree whose leaves are all there: it covers leaves <c>Index · 2^Level</c> up to the next of its level.
/// </summary>
/// <param name="Level">0 for a leaf.</param>
/// <param name="Index">Counts the nodes of the level, from 0.</param>
public readonly record struct MerkleNode(int Level, long Index);

/// <summary>
/// The Merkle tree of a transparency log (RFC 6962, section 2.1): what is added changes nothing of what was there,
/// which a root and a few hashes prove. The hashes of complete subtrees never change; every root and every proof is
/// made of at most 64 of them for each part.
/// </summary>
public static class MerkleTree
{
    /// <summary>Bytes of a hash.</summary>
    public const int HashLength = 32;

    /// <summary>Root of the tree without a leaf.</summary>
    public static byte[] EmptyRoot => SHA256.HashData([]);

    /// <summary>Hash of a leaf.</summary>
    public static byte[] LeafHash(ReadOnlySpan<byte> data) => SHA256.HashData([0, .. data]);

    /// <summary>Hash of an inner node.</summary>
    public static byte[] NodeHash(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) =>
        SHA256.HashData([1, .. left, .. right]);

    /// <summary>
    /// The complete nodes that make up leaves <paramref name="from"/> up to, without it, <paramref name="to"/>, from
    /// the left.
    /// </summary>
    public static IEnumerable<MerkleNode> NodesOf(long from, long to)
    {
        while (from < to)
        {
            var level = from == 0 ? 62 : long.TrailingZeroCount(from);
            while (from + (1L << (int)level) > to)
                level--;
            yield return new MerkleNode((int)level, from >> (int)level);
            from += 1L << (int)level;
        }
    }

    /// <summary>Hash of the subtree over some leaves: the root, for all of them.</summary>
    /// <param name="from">The first leaf.</param>
    /// <param name="to">The leaf after the last.</param>
    /// <param name="hashOf">Hash of a complete node.</param>
    public static byte[] RangeHash(long from, long to, Func<MerkleNode, byte[]> hashOf)
    {
        byte[]? hash = null;
        foreach (var node in NodesOf(from, to).Reverse())
            hash = hash is null ? hashOf(node) : NodeHash(hashOf(node), hash);
        return hash ?? EmptyRoot;
    }

    /// <summary>The nodes that a new leaf completes, itself first.</summary>
    /// <param name="index">The leaf's index: the tree's size before.</param>
    /// <param name="leafHash">The leaf's hash.</param>
    /// <param name="hashOf">Hash of a complete node that was there before, or that this has given.</param>
    public static IEnumerable<(MerkleNode Node, byte[] Hash)> Completed(
        long index,
        byte[] leafHash,
        Func<MerkleNode, byte[]> hashOf
    )
    {
        var (node, hash) = (new MerkleNode(0, index), leafHash);
        yield return (node, hash);
        while (node.Index % 2 == 1)
        {
            hash = NodeHash(hashOf(node with { Index = node.Index - 1 }), hash);
            node = new MerkleNode(node.Level + 1, node.Index / 2);
            yield return (node, hash);
        }
    }

    /// <summary>
    /// The ranges of leaves whose hashes prove that a leaf is in a tree, from the leaf upwards (RFC 6962, 2.1.1).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The tree has no such leaf.</exception>
    public static IReadOnlyList<(long From, long To)> InclusionProof(long index, long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        var path = new List<(long, long)>();
        for (var (from, to) = (0L, size); to - from > 1; )
        {
            var middle = from + Split(to - from);
            (var sibling, (from, to)) =
                index < middle ? ((middle, to), (from, middle)) : ((from, middle), (middle, to));
            path.Add(sibling);
        }

        path.Reverse();
        return path;
    }

    /// <summary>
    /// The ranges of leaves whose hashes prove that a tree is the beginning of another (RFC 6962, 2.1.2).
    /// </summary>
    /// <param name="earlier">Size of the smaller tree, at least 1.</param>
    /// <param name="size">Size of the larger one.</param>
    /// <exception cref="ArgumentOutOfRangeException">The sizes are not in order.</exception>
    public static IReadOnlyList<(long From, long To)> ConsistencyProof(long earlier, long size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(earlier, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(earlier, size);
        var path = new List<(long, long)>();
        var (from, to) = (0L, size);
        while (to != earlier)
        {
            var middle = from + Split(to - from);
            (var sibling, (from, to)) =
                earlier <= middle ? ((middle, to), (from, middle)) : ((from, middle), (middle, to));
            path.Add(sibling);
        }

        // Who has the smaller tree has its root; where that is no node of the larger one, its last part begins the
        // proof.
        if (from > 0)
            path.Add((from, to));
        path.Reverse();
        return path;
    }

    /// <summary>The largest power of two below a number of leaves: where RFC 6962 parts them.</summary>
    private static long Split(long leaves) => 1L << (63 - (int)long.LeadingZeroCount(leaves - 1));
}
