using Platform.Domain.Transparency;

namespace Platform.Domain.Tests.Transparency;

public sealed class CheckpointTests
{
    // The example of the reference implementation of signed notes.
    private const string Verifier = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    private static readonly byte[] Root = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly Checkpoint Example = new("allocation-platform/acme", 1234, Root);

    [Fact]
    public void The_text_is_the_one_of_the_specification() =>
        Assert.Equal("allocation-platform/acme\n1234\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", Example.Text);

    [Fact]
    public void What_is_written_is_read_and_further_lines_are_left_alone()
    {
        foreach (var text in (string[])[Example.Text, Example.Text + "extension\n"])
        {
            Assert.True(Checkpoint.TryParse(text, out var read));
            Assert.Equal((Example.Origin, Example.Size, Example.Text), (read.Origin, read.Size, read.Text));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("name\n12\n")]
    [InlineData("\n12\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")]
    [InlineData("name\n-12\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")]
    [InlineData("name\n12\nAAEC\n")]
    [InlineData("name\n12\nno base64\n")]
    public void What_is_no_checkpoint_is_not_read(string text) => Assert.False(Checkpoint.TryParse(text, out _));

    [Fact]
    public void A_note_is_read_with_its_signatures()
    {
        var note = new SignedNote(
            Example.Text,
            [new NoteSignature("a", [1, 2, 3, 4], [5, 6]), new NoteSignature("b", [7, 8, 9, 10], [11])]
        );
        Assert.Equal($"{Example.Text}\n— a AQIDBAUG\n— b BwgJCgs=\n", note.ToString());
        Assert.True(SignedNote.TryParse(note.ToString(), out var read));
        Assert.Equal(note.ToString(), read.ToString());
        Assert.Equal(Example.Text, read.Text);
    }

    [Theory]
    [InlineData("text\n")]
    [InlineData("text\n\nno dash\n")]
    [InlineData("text\n\n— a AQIDBA==\n")]
    [InlineData("text\n\n— a AQIDBAUG")]
    [InlineData("text\n\n— a b AQIDBAUG\n")]
    public void What_is_no_note_is_not_read(string note) => Assert.False(SignedNote.TryParse(note, out _));

    [Fact]
    public void The_id_of_a_key_is_the_one_of_the_specification()
    {
        Assert.True(NoteVerifier.TryParse(Verifier, out var read));
        Assert.Equal(Verifier, read.ToString());
        Assert.False(NoteVerifier.TryParse(Verifier.Replace("c74f", "c74e", StringComparison.Ordinal), out _));
        Assert.False(NoteVerifier.TryParse("nonsense", out _));
    }
}
