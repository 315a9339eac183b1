using FastListener.Cli;
using Xunit;

namespace FastListener.Tests.Cli;

public class TerminalTextTests
{
    [Theory]
    [InlineData("plain ~text", "plain ~text")]
    [InlineData("Größe 日本語 🙂", "Größe 日本語 🙂")]
    [InlineData("\u001b[31mred", "\\x1b[31mred")]
    [InlineData("a\r\nb\tc\0", "a\\r\\nb\\tc\\x00")]
    [InlineData("\u009b2J\u007f", "\\x9b2J\\x7f")]
    [InlineData("abc\u202Etxt.exe\u2066", "abc\\u202etxt.exe\\u2066")]
    [InlineData("one\u2028two\u200B", "one\\u2028two\\u200b")]
    [InlineData("", "")]
    public void Nothing_reaches_a_terminal_that_it_would_obey(string text, string escaped) => Assert.Equal(escaped, TerminalText.Escape(text));

    [Fact]
    public void Half_a_character_is_escaped() => Assert.Equal("half \\ud83d!", TerminalText.Escape("half \ud83d!"));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.0 KiB")]
    [InlineData(1024 * 1024 - 1, "1.0 MiB")]
    [InlineData(3L << 40, "3.0 TiB")]
    [InlineData(long.MaxValue, "8192.0 PiB")]
    public void Sizes_read_as_people_say_them(long bytes, string text) => Assert.Equal(text, TerminalText.Size(bytes));

    [Theory]
    [InlineData("abcdef", 6, "abcdef")]
    [InlineData("abcdefg", 6, "abcde…")]
    [InlineData("abcd🙂xyz", 6, "abcd…")]
    public void A_cut_never_leaves_half_a_character(string text, int length, string cut) => Assert.Equal(cut, TerminalText.Shorten(text, length));
}
