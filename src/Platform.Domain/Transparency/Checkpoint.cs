using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Platform.Domain.Transparency;

/// <summary>
/// What a log says of itself: so many entries, with this root. In the form of C2SP tlog-checkpoint, whose text is
/// signed as C2SP signed-note.
/// </summary>
/// <param name="Origin">Name of the log.</param>
/// <param name="Size">Entries.</param>
/// <param name="Root">Root of their tree.</param>
public sealed record Checkpoint(string Origin, long Size, byte[] Root)
{
    /// <summary>The text that is signed.</summary>
    public string Text =>
        string.Create(CultureInfo.InvariantCulture, $"{Origin}\n{Size}\n{Convert.ToBase64String(Root)}\n");

    /// <summary>Name of the log of a tenant.</summary>
    public static string OriginOf(string tenant) => $"allocation-platform/{tenant}";

    /// <summary>Reads the text of a checkpoint; further lines, which others may add, are left alone.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Checkpoint? checkpoint)
    {
        checkpoint = null;
        var lines = text.Split('\n');
        var root = new byte[MerkleTree.HashLength];
        if (
            lines.Length < 4
            || lines[0].Length == 0
            || !long.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            || !Convert.TryFromBase64String(lines[2], root, out var length)
            || length != root.Length
        )
            return false;
        checkpoint = new Checkpoint(lines[0], size, root);
        return true;
    }
}

/// <summary>A text and who has signed it (C2SP signed-note).</summary>
/// <param name="Text">The text, with its last line feed.</param>
/// <param name="Signatures">The signatures.</param>
public sealed record SignedNote(string Text, IReadOnlyList<NoteSignature> Signatures)
{
    /// <summary>The note as it is handed out.</summary>
    public override string ToString() => $"{Text}\n{string.Concat(Signatures.Select(signature => $"{signature}\n"))}";

    /// <summary>Reads a note.</summary>
    public static bool TryParse(string note, [NotNullWhen(true)] out SignedNote? parsed)
    {
        parsed = null;
        var end = note.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (end < 0 || !note.EndsWith('\n'))
            return false;
        var signatures = new List<NoteSignature>();
        foreach (var line in note[(end + 2)..^1].Split('\n'))
        {
            if (!NoteSignature.TryParse(line, out var signature))
                return false;
            signatures.Add(signature);
        }

        parsed = new SignedNote(note[..(end + 1)], signatures);
        return true;
    }
}

/// <summary>A line of signature under a note.</summary>
/// <param name="Key">Name of the key.</param>
/// <param name="KeyId">The first 4 bytes of the key's hash.</param>
/// <param name="Signature">The signature.</param>
public sealed record NoteSignature(string Key, byte[] KeyId, byte[] Signature)
{
    private const string Dash = "— ";
    private const int KeyIdLength = 4;

    /// <inheritdoc/>
    public override string ToString() => $"{Dash}{Key} {Convert.ToBase64String([.. KeyId, .. Signature])}";

    internal static bool TryParse(string line, [NotNullWhen(true)] out NoteSignature? signature)
    {
        signature = null;
        var parts = line.StartsWith(Dash, StringComparison.Ordinal) ? line[Dash.Length..].Split(' ') : [];
        if (parts.Length != 2)
            return false;
        var bytes = new byte[parts[1].Length];
        if (!Convert.TryFromBase64String(parts[1], bytes, out var length) || length <= KeyIdLength)
            return false;
        signature = new NoteSignature(parts[0], bytes[..KeyIdLength], bytes[KeyIdLength..length]);
        return true;
    }
}

/// <summary>
/// The public part of a key that signs notes with Ed25519, in the form that C2SP signed-note gives it:
/// <c>name+id+key</c>.
/// </summary>
/// <param name="Name">Name of the key.</param>
/// <param name="PublicKey">32 bytes.</param>
public sealed record NoteVerifier(string Name, byte[] PublicKey)
{
    private const byte Ed25519 = 1;
    private const int PublicKeyLength = 32;

    /// <summary>The first 4 bytes of the key's hash.</summary>
    public byte[] KeyId => SHA256.HashData([.. Encoding.UTF8.GetBytes(Name), (byte)'\n', Ed25519, .. PublicKey])[..4];

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Name}+{Convert.ToHexStringLower(KeyId)}+{Convert.ToBase64String([Ed25519, .. PublicKey])}";

    /// <summary>Reads the form that <see cref="ToString"/> gives; false also when the id is not the key's.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out NoteVerifier? verifier)
    {
        verifier = null;
        var parts = text.Trim().Split('+', 3);
        var key = new byte[PublicKeyLength + 1];
        if (
            parts.Length != 3
            || !Convert.TryFromBase64String(parts[2], key, out var length)
            || length != key.Length
            || key[0] != Ed25519
        )
            return false;
        var read = new NoteVerifier(parts[0], key[1..]);
        if (Convert.ToHexStringLower(read.KeyId) != parts[1])
            return false;
        verifier = read;
        return true;
    }
}
