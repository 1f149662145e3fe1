using System.Security.Cryptography;
using System.Text;
using Platform.Domain.Transparency;

namespace Platform.Domain.Tests.Transparency;

/// <summary>
/// Roots and proofs, held against the recursive definitions of RFC 6962 and verified by the few lines of RFC 9162.
/// </summary>
public sealed class MerkleTreeTests
{
    private const int Most = 70;

    private static readonly byte[][] Leaves =
    [
        .. Enumerable.Range(0, Most).Select(i => MerkleTree.LeafHash(Encoding.ASCII.GetBytes($"leaf {i}"))),
    ];
    private static readonly Dictionary<MerkleNode, byte[]> Nodes = Build();

    [Fact]
    public void Known_hashes_are_those_of_certificate_transparency()
    {
        // The test vectors of the reference implementation of RFC 6962: the empty tree, one empty leaf, and eight
        // leaves.
        Assert.Equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Hex(MerkleTree.EmptyRoot));
        byte[][] data =
        [
            [],
            [0x00],
            [0x10],
            [0x20, 0x21],
            [0x30, 0x31],
            [0x40, 0x41, 0x42, 0x43],
            [0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            [0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
        ];
        Assert.Equal(
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            Hex(MerkleTree.LeafHash(data[0]))
        );
        Assert.Equal(
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
            Hex(Root([.. data.Select(it => MerkleTree.LeafHash(it))]))
        );
    }

    [Fact]
    public void Every_range_hashes_to_what_its_definition_says()
    {
        for (var to = 0; to <= Most; to++)
            Assert.Equal(Root(Leaves[..to]), MerkleTree.RangeHash(0, to, node => Nodes[node]));
    }

    [Fact]
    public void A_leaf_completes_each_node_once()
    {
        Assert.Equal(Nodes.Count, Enumerable.Range(0, 7).Sum(level => Most >> level));
        Assert.All(
            Nodes,
            it =>
                Assert.Equal(
                    Root(Leaves[(int)(it.Key.Index << it.Key.Level)..(int)((it.Key.Index + 1) << it.Key.Level)]),
                    it.Value
                )
        );
    }

    [Fact]
    public void Every_leaf_is_proven_in_every_tree_and_no_other_is()
    {
        for (var size = 1; size <= Most; size++)
        {
            for (var index = 0; index < size; index++)
            {
                var proof = Hashes(MerkleTree.InclusionProof(index, size));
                Assert.Equal(Root(Leaves[..size]), RootByInclusion(Leaves[index], index, size, proof));
                Assert.NotEqual(Root(Leaves[..size]), RootByInclusion(Leaves[(index + 1) % Most], index, size, proof));
            }
        }
    }

    [Fact]
    public void Every_tree_is_proven_to_begin_every_later_one()
    {
        for (var size = 1; size <= Most; size++)
        {
            for (var earlier = 1; earlier <= size; earlier++)
            {
                var proof = Hashes(MerkleTree.ConsistencyProof(earlier, size));
                Assert.Equal(
                    (Hex(Root(Leaves[..earlier])), Hex(Root(Leaves[..size]))),
                    RootsByConsistency(earlier, size, Root(Leaves[..earlier]), proof)
                );
            }
        }
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(1, 1)]
    [InlineData(0, 0)]
    public void A_leaf_that_is_not_there_cannot_be_proven(long index, long size) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => MerkleTree.InclusionProof(index, size));

    [Theory]
    [InlineData(0, 1)]
    [InlineData(2, 1)]
    public void Sizes_out_of_order_cannot_be_proven(long earlier, long size) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => MerkleTree.ConsistencyProof(earlier, size));

    /// <summary>MTH of RFC 6962, word for word.</summary>
    private static byte[] Root(byte[][] leaves)
    {
        if (leaves.Length <= 1)
            return leaves.Length == 0 ? SHA256.HashData([]) : leaves[0];
        var k = 1;
        while (k * 2 < leaves.Length)
            k *= 2;
        return SHA256.HashData([1, .. Root(leaves[..k]), .. Root(leaves[k..])]);
    }

    private static Dictionary<MerkleNode, byte[]> Build()
    {
        var nodes = new Dictionary<MerkleNode, byte[]>();
        foreach (var (index, leaf) in Leaves.Index())
        {
            foreach (var (node, hash) in MerkleTree.Completed(index, leaf, it => nodes[it]).ToList())
                nodes.Add(node, hash);
        }

        return nodes;
    }

    private static byte[][] Hashes(IReadOnlyList<(long From, long To)> ranges) =>
        [.. ranges.Select(range => MerkleTree.RangeHash(range.From, range.To, node => Nodes[node]))];

    /// <summary>RFC 9162, 2.1.3.2.</summary>
    private static byte[] RootByInclusion(byte[] hash, long fn, long size, byte[][] proof)
    {
        var sn = size - 1;
        foreach (var p in proof)
        {
            Assert.NotEqual(0, sn);
            var isRight = fn % 2 == 1 || fn == sn;
            hash = isRight ? SHA256.HashData([1, .. p, .. hash]) : SHA256.HashData([1, .. hash, .. p]);
            while (isRight && fn % 2 == 0 && fn != 0)
                (fn, sn) = (fn >> 1, sn >> 1);
            (fn, sn) = (fn >> 1, sn >> 1);
        }

        Assert.Equal(0, sn);
        return hash;
    }

    /// <summary>RFC 9162, 2.1.4.2: the two roots that the proof gives.</summary>
    private static (string Earlier, string Later) RootsByConsistency(
        long earlier,
        long size,
        byte[] earlierRoot,
        byte[][] proof
    )
    {
        if (earlier == size)
            return (Hex(earlierRoot), Hex(earlierRoot));
        var path = (earlier & (earlier - 1)) == 0 ? [earlierRoot, .. proof] : proof;
        var (fn, sn) = (earlier - 1, size - 1);
        while (fn % 2 == 1)
            (fn, sn) = (fn >> 1, sn >> 1);
        var (fr, sr) = (path[0], path[0]);
        foreach (var c in path[1..])
        {
            Assert.NotEqual(0, sn);
            if (fn % 2 == 1 || fn == sn)
            {
                (fr, sr) = (SHA256.HashData([1, .. c, .. fr]), SHA256.HashData([1, .. c, .. sr]));
                while (fn % 2 == 0 && fn != 0)
                    (fn, sn) = (fn >> 1, sn >> 1);
            }
            else
            {
                sr = SHA256.HashData([1, .. sr, .. c]);
            }

            (fn, sn) = (fn >> 1, sn >> 1);
        }

        return (Hex(fr), Hex(sr));
    }

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
