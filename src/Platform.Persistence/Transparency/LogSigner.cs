using System.Text;
using NSec.Cryptography;
using Platform.Domain.Transparency;

namespace Platform.Persistence.Transparency;

/// <summary>Signs what the log says of itself, with Ed25519.</summary>
/// <param name="seed">The private key, 32 bytes.</param>
public sealed class LogSigner(byte[] seed) : IDisposable
{
    private readonly Key _key = Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey);

    /// <summary>The public key under the name of a log.</summary>
    public NoteVerifier VerifierOf(string origin) => new(origin, _key.PublicKey.Export(KeyBlobFormat.RawPublicKey));

    /// <summary>Signs a checkpoint under the name of its log.</summary>
    public SignedNote Sign(Checkpoint checkpoint)
    {
        var verifier = VerifierOf(checkpoint.Origin);
        var signature = SignatureAlgorithm.Ed25519.Sign(_key, Encoding.UTF8.GetBytes(checkpoint.Text));
        return new SignedNote(checkpoint.Text, [new NoteSignature(verifier.Name, verifier.KeyId, signature)]);
    }

    /// <summary>Whether a key has signed a note.</summary>
    public static bool HasSigned(NoteVerifier verifier, SignedNote note) =>
        note.Signatures.Any(it =>
            it.Key == verifier.Name
            && it.KeyId.AsSpan().SequenceEqual(verifier.KeyId)
            && SignatureAlgorithm.Ed25519.Verify(
                PublicKey.Import(SignatureAlgorithm.Ed25519, verifier.PublicKey, KeyBlobFormat.RawPublicKey),
                Encoding.UTF8.GetBytes(note.Text),
                it.Signature
            )
        );

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();
}
