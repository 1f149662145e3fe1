using System.Security.Cryptography;
using FsCheck.Xunit;
using Platform.Api.Authentication;

namespace Platform.Api.Tests.Authentication;

public class PepperProtectionTests
{
    private static readonly PepperProtection Root = new("a pepper of some length"u8.ToArray());

    [Property(MaxTest = 100)]
    public bool What_was_sealed_is_opened_by_whoever_has_the_pepper(byte[] bytes)
    {
        var other = new PepperProtection("a pepper of some length"u8.ToArray());
        return other
            .CreateProtector("session")
            .Unprotect(Root.CreateProtector("session").Protect(bytes))
            .AsSpan()
            .SequenceEqual(bytes);
    }

    [Fact]
    public void It_is_opened_for_its_purpose_alone()
    {
        var sealedBytes = Root.CreateProtector("a").CreateProtector("b").Protect([1, 2, 3]);
        Assert.Equal([1, 2, 3], Root.CreateProtector("a").CreateProtector("b").Unprotect(sealedBytes));
        Assert.ThrowsAny<CryptographicException>(() => Root.CreateProtector("a").Unprotect(sealedBytes));
        Assert.ThrowsAny<CryptographicException>(() =>
            Root.CreateProtector("b").CreateProtector("a").Unprotect(sealedBytes)
        );
        Assert.ThrowsAny<CryptographicException>(() => Root.CreateProtector("ab").Unprotect(sealedBytes));
        Assert.ThrowsAny<CryptographicException>(() =>
            new PepperProtection("another pepper"u8.ToArray(), "a", "b").Unprotect(sealedBytes)
        );
    }

    [Fact]
    public void Any_bit_that_is_changed_or_missing_is_noticed()
    {
        var sealedBytes = Root.Protect([1, 2, 3]);
        for (var i = 0; i < sealedBytes.Length; i++)
        {
            var changed = (byte[])sealedBytes.Clone();
            changed[i] ^= 1;
            Assert.ThrowsAny<CryptographicException>(() => Root.Unprotect(changed));
            Assert.ThrowsAny<CryptographicException>(() => Root.Unprotect(sealedBytes[..i]));
        }
    }

    [Fact]
    public void The_same_bytes_are_sealed_otherwise_each_time() =>
        Assert.NotEqual(Root.Protect([1]), Root.Protect([1]));
}
