using System.Text;
using FastListener.Cli;
using Xunit;

namespace FastListener.Tests.Cli;

public class SafeFileNamesTests
{
    [Theory]
    [InlineData("log.txt", "log.txt")]
    [InlineData("../../etc/passwd", "passwd")]
    [InlineData("/etc/shadow", "shadow")]
    [InlineData("C:\\Users\\me\\app.log", "app.log")]
    [InlineData("..", null)]
    [InlineData(".", null)]
    [InlineData("", null)]
    [InlineData("a/..", null)]
    [InlineData("a/", null)]
    [InlineData("...hidden", "___hidden")]
    [InlineData(".bashrc", "_bashrc")]
    [InlineData("-rf", "_rf")]
    [InlineData("~root", "_root")]
    [InlineData("a\0b\nc\u001b[2J", "a_b_c_[2J")]
    [InlineData("gpj.\u202Eexe", "gpj._exe")]
    [InlineData("a:b*c?d\"e<f>g|h$i`j'k;l&m", "a_b_c_d_e_f_g_h_i_j_k_l_m")]
    [InlineData("NUL", "_NUL")]
    [InlineData("com1.txt", "_com1.txt")]
    [InlineData("console.log", "console.log")]
    [InlineData("ends with dots...", "ends with dots")]
    [InlineData("Größe 日本.dmp", "Größe 日本.dmp")]
    public void A_name_from_the_wire_becomes_a_harmless_last_component(string sent, string? clean) =>
        Assert.Equal(clean, SafeFileNames.Clean(sent));

    [Fact]
    public void Half_a_character_becomes_an_underscore() => Assert.Equal("half_", SafeFileNames.Clean("half\ud83d"));

    [Fact]
    public void Names_that_collide_get_a_number_and_nameless_parts_their_index()
    {
        var names = new SafeFileNames();

        Assert.Equal("x.log", names.Next("x.log", "attachment_x", 1));
        Assert.Equal("x-2.log", names.Next("/tmp/x.log", "attachment_x", 2));
        Assert.Equal("X-3.log", names.Next("X.log", "attachment_x", 3));
        Assert.Equal("x-2-2.log", names.Next("x-2.log", "", 4));
        Assert.Equal("attachment_y", names.Next("", "attachment_y", 5));
        Assert.Equal("attachment_y-2", names.Next("..", "attachment_y", 6));
        Assert.Equal("part-7", names.Next("", "", 7));
    }

    [Fact]
    public void A_long_name_is_cut_between_characters_and_keeps_its_extension()
    {
        var clean = SafeFileNames.Clean(new string('é', 4_000) + ".dmp")!;

        Assert.EndsWith("é.dmp", clean, StringComparison.Ordinal);
        Assert.InRange(Encoding.UTF8.GetByteCount(clean), 100, 120);
        Assert.InRange(Encoding.UTF8.GetByteCount(SafeFileNames.Clean("x." + new string('y', 4_000))!), 100, 120);
    }

    [Fact]
    public void No_name_however_odd_leaves_its_directory()
    {
        var pieces = new[] { "..", "/", "\\", ".", "a", "\0", "%2f", " ", "~", "-", "\u2044", "CON", "\n" };
        var random = new Random(7);
        for (var i = 0; i < 5_000; i++)
        {
            var sent = string.Concat(Enumerable.Range(0, random.Next(8)).Select(_ => pieces[random.Next(pieces.Length)]));
            var name = new SafeFileNames().Next(sent, "", 1);
            Assert.Equal($"/base/{name}", Path.GetFullPath(Path.Combine("/base", name)));
            Assert.NotEqual("/base", Path.GetFullPath(Path.Combine("/base", name)));
            Assert.False(name.StartsWith('.'), name);
        }
    }
}
