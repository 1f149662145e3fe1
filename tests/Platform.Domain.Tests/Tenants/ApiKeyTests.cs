using System.Security.Cryptography;
using System.Text;
using Platform.Domain.Tenants;

namespace Platform.Domain.Tests.Tenants;

public sealed class ApiKeyTests
{
    private static readonly byte[] Pepper = Encoding.UTF8.GetBytes("a pepper");
    private static readonly ApiKey Key = ApiKey.FromEntropy([
        .. Enumerable.Range(0, ApiKey.EntropyBytes).Select(i => (byte)i),
    ]);

    [Fact]
    public void A_key_from_known_bytes_is_known() =>
        Assert.Equal(
            ("AAECAwQFBgcICQoL", "alloc_AAECAwQFBgcICQoL_DA0ODxAREhMUFRYXGBkaGxwdHh8gISIj"),
            (Key.Id, Key.Text[..^6])
        );

    [Fact]
    public void A_key_is_made_of_letters_digits_and_two_separators()
    {
        foreach (var key in Keys(1_000))
            Assert.Matches(@"\Aalloc_[A-Za-z0-9]{16}_[A-Za-z0-9]{38}\z", key.Text);
    }

    [Fact]
    public void A_key_is_read_back()
    {
        foreach (var key in Keys(1_000))
        {
            Assert.True(ApiKey.TryParse(key.Text, out var read));
            Assert.Equal(key, read);
        }
    }

    [Fact]
    public void Keys_and_their_public_parts_are_unique()
    {
        var keys = Keys(100_000).ToList();
        Assert.Equal(keys.Count, keys.Select(key => key.Id).Distinct().Count());
        Assert.Equal(keys.Count, keys.Select(key => key.Text).Distinct().Count());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(35)]
    [InlineData(37)]
    public void A_key_is_made_from_36_bytes_and_no_other_number(int bytes) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ApiKey.FromEntropy(new byte[bytes]));

    /// <summary>
    /// One character changed, at each place in turn: prefix, public part, separators, secret and checksum.
    /// </summary>
    [Fact]
    public void One_wrong_character_anywhere_makes_it_no_key()
    {
        for (var i = 0; i < Key.Text.Length; i++)
        {
            var wrong = Key.Text.ToCharArray();
            wrong[i] = wrong[i] == 'x' ? 'y' : 'x';
            Assert.False(ApiKey.TryParse(new string(wrong), out var key));
            Assert.Null(key);
        }
    }

    [Fact]
    public void A_key_too_short_or_too_long_is_none()
    {
        for (var length = 0; length < Key.Text.Length; length++)
            Assert.False(ApiKey.TryParse(Key.Text[..length], out _));
        Assert.False(ApiKey.TryParse(Key.Text + "x", out _));
        Assert.False(ApiKey.TryParse(" " + Key.Text, out _));
    }

    /// <summary>
    /// The checksum is no secret, so anybody can put it on any text; what is looked up must still have the form of a
    /// public part.
    /// </summary>
    [Theory]
    [InlineData("alloc_AAECAwQFBgcIC\0oL_DA0ODxAREhMUFRYXGBkaGxwdHh8gISIj")]
    [InlineData("alloc_AAECAwQFBgcICéoL_DA0ODxAREhMUFRYXGBkaGxwdHh8gISIj")]
    [InlineData("alloc_AAECAwQFBgcIC-oL_DA0ODxAREhMUFRYXGBkaGxwdHh8gISIj")]
    [InlineData("alloc_AAECAwQFBgcICQoLxDA0ODxAREhMUFRYXGBkaGxwdHh8gISIj")]
    [InlineData("alloc_AAECAwQFBgcICQoL_DA0ODxAREhMUFRYXGBkaGxwdHh8gISI_")]
    [InlineData("ALLOC_AAECAwQFBgcICQoL_DA0ODxAREhMUFRYXGBkaGxwdHh8gISIj")]
    public void A_text_of_another_form_is_no_key_though_its_checksum_is_right(string body)
    {
        var checksum = Convert
            .ToBase64String(SHA256.HashData(Encoding.ASCII.GetBytes(body)))
            .Replace('+', 'p')
            .Replace('/', 's')[..6];
        Assert.False(ApiKey.TryParse(body + checksum, out _));
    }

    [Fact]
    public void A_key_matches_its_own_code_under_the_same_pepper_only()
    {
        var stored = Key.Mac(Pepper);
        Assert.Equal(HMACSHA256.HashData(Pepper, Encoding.ASCII.GetBytes(Key.Text)), stored);
        Assert.True(Key.Matches(stored, Pepper));
        Assert.False(Key.Matches(stored, Encoding.UTF8.GetBytes("another pepper")));
        Assert.False(Key.Matches(stored.AsSpan(1), Pepper));
        Assert.False(Key.Matches([], Pepper));
    }

    [Fact]
    public void A_key_with_the_same_public_part_and_another_secret_does_not_match()
    {
        var other = ApiKey.FromEntropy([
            .. Enumerable.Range(0, ApiKey.EntropyBytes).Select(i => (byte)(i < 35 ? i : 0)),
        ]);
        Assert.Equal(Key.Id, other.Id);
        Assert.False(other.Matches(Key.Mac(Pepper), Pepper));
    }

    [Fact]
    public void A_key_in_a_log_shows_no_secret()
    {
        var secret = Key.Text[("alloc_".Length + 16 + 1)..];
        Assert.Equal($"alloc_{Key.Id}_…", Key.ToString());
        Assert.DoesNotContain(secret[..8], $"{Key}", StringComparison.Ordinal);
    }

    private static IEnumerable<ApiKey> Keys(int count)
    {
        var random = new Random(3);
        var entropy = new byte[ApiKey.EntropyBytes];
        for (var i = 0; i < count; i++)
        {
            random.NextBytes(entropy);
            yield return ApiKey.FromEntropy(entropy);
        }
    }
}
