using System.Text;
using FastListener.Tokens;
using Xunit;

namespace FastListener.Tests.Tokens;

public class TokenFileTests
{
    [Fact]
    public void Editors_at_once_lose_no_edit()
    {
        using var data = new DataDirectory();
        const int editors = 8, edits = 10;
        var threads = Enumerable.Range(0, editors).Select(editor => new Thread(() =>
        {
            for (var edit = 0; edit < edits; edit++)
            {
                var value = $"token-of-editor-{editor}-number-{edit}";
                TokenFile.Edit(data.Path, document => document.With(new(new(value), "local", $"p{editor}", Capabilities.ErrorPost)));
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());

        var read = TokenFile.Read(data.Path);
        Assert.Equal(editors * edits, read.Tokens.Select(token => token.Token.Reveal()).Distinct().Count());
        Assert.Equal(editors, read.Projects.Length);
    }

    [Fact]
    public void A_reader_never_sees_half_a_file()
    {
        using var data = new DataDirectory();
        TokenFile.Edit(data.Path, document => document.With(new(TokenSecret.CreateRandom(), "local", "p", Capabilities.ErrorPost)));
        var writer = new Thread(() =>
        {
            for (var i = 0; i < 40; i++)
            {
                TokenFile.Edit(data.Path, document => document.With(new(TokenSecret.CreateRandom(), "local", "p", Capabilities.ErrorPost)));
            }
        });
        writer.Start();
        var seen = 1;
        while (seen < 41)
        {
            var count = TokenFile.Read(data.Path).Tokens.Length; // throws when it is not a whole document
            Assert.True(count >= seen);
            seen = count;
            Assert.True(writer.IsAlive || TokenFile.Read(data.Path).Tokens.Length == 41);
        }

        writer.Join();
    }

    [Fact]
    public void Only_the_owner_may_read_the_file_and_nothing_is_left_beside_it()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no Unix file modes.");
            return;
        }

        using var data = new DataDirectory();
        var inside = data.File("new/data");
        TokenFile.Edit(inside, document => document.With(new(TokenSecret.CreateRandom(), "local", "p", Capabilities.ErrorPost)));

        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(ownerOnly, File.GetUnixFileMode(TokenFile.PathIn(inside)));
        Assert.Equal(ownerOnly | UnixFileMode.UserExecute, File.GetUnixFileMode(inside));
        Assert.Equal(["tokens.json", "tokens.lock"], Directory.GetFileSystemEntries(inside).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void A_file_with_faults_is_neither_read_nor_edited()
    {
        using var data = new DataDirectory();
        data.WriteTokens("""{"tokens":[{"token":"0123456789abcdef","universe":"u"}]}""");

        var fault = Assert.Throws<TokenFileException>(() => TokenFile.Edit(data.Path, document =>
            document.With(new(TokenSecret.CreateRandom(), "local", "p", Capabilities.ErrorPost))));

        Assert.Equal(["tokens[0] (0123…ef): \"project\" is missing or not a string"], fault.Faults);
        Assert.Equal("""{"tokens":[{"token":"0123456789abcdef","universe":"u"}]}""", File.ReadAllText(data.TokensJson));
    }

    [Fact]
    public void An_edit_that_could_not_be_read_again_is_not_written()
    {
        using var data = new DataDirectory();
        var twice = new TokenEntry(new("the same token twice"), "local", "p", Capabilities.ErrorPost);

        Assert.Throws<TokenFileException>(() => TokenFile.Edit(data.Path, document => document.With(twice).With(twice)));
        Assert.False(File.Exists(data.TokensJson));
    }

    [Fact]
    public void An_edit_cut_short_earlier_does_not_stand_in_the_way()
    {
        using var data = new DataDirectory();
        File.WriteAllText(data.TokensJson + ".tmp", "half a docu");

        TokenFile.Edit(data.Path, document => document.With(new(new("token"), "local", "p", Capabilities.ErrorPost)));
        Assert.Single(TokenFile.Read(data.Path).Tokens);
    }

    [Fact]
    public void The_first_start_makes_one_token_and_the_second_none()
    {
        using var data = new DataDirectory();
        var made = FirstStart.EnsureToken(data.Path, TimeProvider.System);

        Assert.NotNull(made);
        Assert.Null(FirstStart.EnsureToken(data.Path, TimeProvider.System));
        var table = new TokenTable(TokenFile.Read(data.Path).Tokens);
        Assert.True(table.TryFind(Encoding.UTF8.GetBytes(made.Reveal()), out var grant));
        Assert.Equal(("local", "crashes"), (grant.Universe, grant.Project));
        Assert.Equal(Capabilities.ErrorPost | Capabilities.SymbolPost | Capabilities.SyncPost, grant.Capabilities);
        Assert.Equal(1, table.Count);
    }

    [Fact]
    public void The_first_start_leaves_tokens_alone_that_were_added_before_it()
    {
        using var data = new DataDirectory();
        TokenFile.Edit(data.Path, document => document.With(new(new("mine"), "local", "p", Capabilities.ErrorPost)));

        Assert.Null(FirstStart.EnsureToken(data.Path, TimeProvider.System));
        Assert.Single(TokenFile.Read(data.Path).Tokens);
    }
}
