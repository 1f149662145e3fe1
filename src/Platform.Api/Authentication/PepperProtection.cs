using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;

namespace Platform.Api.Authentication;

/// <summary>
/// Seals what the framework hands to browsers, sessions and antiforgery tokens, under the pepper: every API process
/// opens what another has sealed, also after a restart, and there are no keys to keep in files. AES-256-GCM under a key
/// for each purpose, by HKDF-SHA256.
/// </summary>
internal sealed class PepperProtection : IDataProtector
{
    private const int KeyLength = 32;

    private static readonly int NonceLength = AesGcm.NonceByteSizes.MaxSize;
    private static readonly int TagLength = AesGcm.TagByteSizes.MaxSize;

    private readonly byte[] _pepper;
    private readonly string[] _purposes;
    private readonly byte[] _key;

    /// <param name="pepper">The secret of all API processes.</param>
    /// <param name="purposes">What is sealed for one purpose is not opened for another.</param>
    public PepperProtection(byte[] pepper, params string[] purposes)
    {
        (_pepper, _purposes) = (pepper, purposes);
        _key = HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            pepper,
            KeyLength,
            info: JsonSerializer.SerializeToUtf8Bytes<string[]>(["protection", .. purposes])
        );
    }

    public IDataProtector CreateProtector(string purpose) => new PepperProtection(_pepper, [.. _purposes, purpose]);

    public byte[] Protect(byte[] plaintext)
    {
        var sealedBytes = new byte[NonceLength + plaintext.Length + TagLength];
        var nonce = sealedBytes.AsSpan(0, NonceLength);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_key, TagLength);
        aes.Encrypt(
            nonce,
            plaintext,
            sealedBytes.AsSpan(NonceLength, plaintext.Length),
            sealedBytes.AsSpan(NonceLength + plaintext.Length)
        );
        return sealedBytes;
    }

    /// <exception cref="CryptographicException">The bytes were not sealed for this purpose.</exception>
    public byte[] Unprotect(byte[] protectedData)
    {
        if (protectedData.Length < NonceLength + TagLength)
            throw new CryptographicException("The bytes are too few.");
        var plaintext = new byte[protectedData.Length - NonceLength - TagLength];
        using var aes = new AesGcm(_key, TagLength);
        aes.Decrypt(
            protectedData.AsSpan(0, NonceLength),
            protectedData.AsSpan(NonceLength, plaintext.Length),
            protectedData.AsSpan(NonceLength + plaintext.Length),
            plaintext
        );
        return plaintext;
    }
}
