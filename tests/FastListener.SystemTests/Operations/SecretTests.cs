using System.Buffers;
using System.Net;
using System.Text;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Operations;

/// <summary>Tokens, right ones and wrong ones, are in nothing that the program says or keeps, in no spelling, at any level of its log.</summary>
public sealed class SecretTests
{
    private static readonly string[] s_tokens = [Tokens.New(), Tokens.New(), "pass word+/=&é\"<x>{}-" + Tokens.New()];
    private static readonly string[] s_wrong = [Tokens.New(), Tokens.New(), "wrong\u001b[31m\"pass\\word-" + Tokens.New()];

    [Fact]
    public async Task No_token_is_in_any_log_reply_figure_verb_or_stored_byte()
    {
        using var data = new DataDirectory();
        foreach (var token in s_tokens)
        {
            await data.GrantAsync("game", token, "error:post");
        }

        await data.SetLimitsAsync(s_tokens[1], "degrade=without_attachments", "maxAttachmentBytes=100");
        await using var listener = await ListenerProcess.StartProgramAsync(Repository.Program, data.Location, new()
        {
            ["FASTLISTENER_Logging__LogLevel__Default"] = "Trace",
            ["FASTLISTENER_Logging__LogLevel__Microsoft"] = "Trace",
            ["FASTLISTENER_Logging__LogLevel__System"] = "Trace",
        });
        var said = new List<(string Where, string Text)>();
        var stored = 0;
        var sender = 0;
        foreach (var token in s_tokens.Concat(s_wrong))
        {
            foreach (var (name, request) in Requests(token))
            {
                foreach (var secure in new[] { false, true })
                {
                    var from = new IPAddress([127, 1, (byte)(sender / 200), (byte)(1 + (sender++ % 200))]); // no sender guesses often enough to be held back
                    using var client = secure ? RawClient.ConnectTls(listener.HttpsPort, from) : RawClient.Connect(listener.HttpPort, from);
                    client.Send(request);
                    client.FinishSending();
                    var reply = client.ReadToEnd();
                    stored += reply.StartsWith("HTTP/1.1 200", StringComparison.Ordinal) ? 1 : 0;
                    said.Add(($"the reply to {name}", reply));
                }
            }

            using var under = RawClient.Connect(listener.HttpPort);
            under.Send($"POST /post?format=minidump&token={Uri.EscapeDataString(token)} HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nMDMP");
            said.AddRange(new[] { "/metrics", "/requests", "/readyz", "/" + Uri.EscapeDataString(token) }.Select(path => (path, AdminClient.Get(listener.AdminPort, path).ToString())));
        }

        Assert.True(stored >= s_tokens.Length * 6, $"Only {stored} requests were good: the test tests little.");
        Assert.Contains(said, item => item.Text.Contains("FastListener-Degraded", StringComparison.Ordinal));
        await SayOfVerbsAsync(data, listener, said);

        var good = await File.ReadAllTextAsync(Path.Combine(data.Location, "tokens.json"), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(data.Location, "tokens.json"), good.Replace("error:post", "error:psot", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => listener.StandardError.Contains("psot", StringComparison.Ordinal), "the log complains of the file");
        said.Add(("a verb that reads a bad file", Both(await Command.FastListenerAsync("token", "list", "--data", data.Location))));
        await File.WriteAllTextAsync(Path.Combine(data.Location, "tokens.json"), good[..(good.IndexOf(s_tokens[0], StringComparison.Ordinal) + 70)], TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => listener.StandardError.Split("cannot be used").Length > 2, "the log complains again");
        said.Add(("a verb that reads a broken file", Both(await Command.FastListenerAsync("token", "list", "--data", data.Location))));
        Assert.Equal(0, await listener.StopAsync());

        Assert.Contains("Refused invalid_token", listener.StandardError, StringComparison.Ordinal); // the log was as talkative as it can be
        await AssertFreeOfTokensAsync(said, listener, data);
    }

    [Theory]
    [InlineData(6)] // SIGABRT: what a defect of the runtime ends in
    [InlineData(11)] // SIGSEGV
    [InlineData(9)]
    public async Task No_token_is_in_what_a_listener_leaves_that_dies_with_uploads_under_way(int signal)
    {
        using var data = new DataDirectory();
        foreach (var token in s_tokens)
        {
            await data.GrantAsync("game", token, "error:post");
        }

        await using var listener = await ListenerProcess.StartWithinAsync(
            [
                "env", "FASTLISTENER_Logging__LogLevel__Default=Trace", "FASTLISTENER_Deadlines__HeadSeconds=3600", "FASTLISTENER_Deadlines__BodyGraceSeconds=3600",
                "bash", "-c", "ulimit -c 0; exec \"$@\"", "bash",
            ],
            Repository.Program, data.Location);
        var dump = Submit.MadeDump(1, 3_000_000);
        var under = new List<RawClient>();
        var sender = 0;
        foreach (var token in s_tokens.Concat(s_wrong))
        {
            var quoted = Uri.EscapeDataString(token);
            foreach (var bytes in new[]
            {
                Post($"/post?format=minidump&token={quoted}", dump)[..^10],
                Post($"/acme/{quoted}/minidump", Submit.MadeDump(2, 1000))[..^10],
                Submit.FormRequest(quoted, dump, "a.log", new byte[500])[..^600],
                Form(token, Submit.MadeDump(3, 1000), "--b\r\nContent-Disposition: form-data; name=\"later\"\r\n\r\n")[..^2],
                Form(token, Submit.MadeDump(4, 1000), "")[..^4],
                Encoding.UTF8.GetBytes($"POST /post?format=minidump&token={quoted} HTTP/1.1\r\nX-Token: {quoted}"),
            })
            {
                under.Add(RawClient.Connect(listener.HttpPort, new IPAddress([127, 2, 0, (byte)(1 + sender++)])));
                under[^1].Send(bytes);
            }
        }

        await Eventually.TrueAsync(() => data.StagedFiles().Length >= s_tokens.Length, "large uploads are on their way to disk", TimeSpan.FromSeconds(90)); // whole parts have left staging/
        await Eventually.TrueAsync(
            () => AdminClient.Json(listener.AdminPort, "/requests").EnumerateArray().Count(upload => upload.GetProperty("key").GetString() != "") >= s_tokens.Length * 4,
            "uploads with valid tokens are under way", TimeSpan.FromSeconds(90));
        await Eventually.TrueAsync(
            () =>
            {
                listener.Signal(signal); // more than once: the runtime's handler of a signal that another process sent says what it has to say, and goes on
                return listener.HasExited;
            },
            "the process is dead");
        Assert.Equal(128 + signal, await listener.WaitForExitAsync());
        under.ForEach(client => client.Dispose());
        Assert.Contains("Refused invalid_token", listener.StandardError, StringComparison.Ordinal); // the log was as talkative as it can be
        await AssertFreeOfTokensAsync([], listener, data);

        await using var again = await ListenerProcess.StartAsync(data.Location); // and recovers
        await again.StopAsync();
        await AssertFreeOfTokensAsync([], again, data);
    }

    /// <summary>Neither what was said, nor what the process wrote, nor any file but the one that is there for it, holds a token.</summary>
    private static async Task AssertFreeOfTokensAsync(List<(string Where, string Text)> said, ListenerProcess listener, DataDirectory data)
    {
        said.Add(("the log", listener.StandardError));
        said.Add(("the banner", string.Join('\n', listener.Banner)));
        foreach (var file in Directory.EnumerateFiles(data.Location, "*", SearchOption.AllDirectories))
        {
            if (!file.EndsWith("tokens.json", StringComparison.Ordinal) && !file.EndsWith(".sock", StringComparison.Ordinal))
            {
                said.Add((file, Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken))));
            }
        }

        var spellings = s_tokens.Concat(s_wrong).SelectMany(Spellings).Distinct().ToArray();
        var any = SearchValues.Create(spellings, StringComparison.OrdinalIgnoreCase); // one pass over each text instead of fifty
        var found = from item in said
                    where item.Text.AsSpan().ContainsAny(any)
                    from spelling in spellings
                    where item.Text.Contains(spelling, StringComparison.OrdinalIgnoreCase)
                    select $"{item.Where}: {spelling}";
        Assert.Empty(found.Distinct());
    }

    [Fact]
    public async Task Control_characters_of_names_and_targets_never_reach_log_reply_or_terminal()
    {
        const string Hostile = "%1b%5b31mred%07%0d%0aX-Evil%3a%201%c2%9b%e2%80%ae";
        await using var server = await TunedListener.StartAsync([("Logging__LogLevel__Default", "Trace")]);
        var raw = Uri.UnescapeDataString(Hostile).Replace("\r\n", "", StringComparison.Ordinal);
        var dump = Submit.MadeDump(1, 1000);
        var replies = new List<string>
        {
            Submit.Dump(server.Port, server.Token, dump, $"&{Hostile}={Hostile}").ToString(),
            Submit.Dump(server.Port, Hostile, dump).ToString(),
            AdminClient.Ask(server.Port, $"POST /{Hostile}/{Hostile}/minidump HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n").ToString(),
            AdminClient.Ask(server.Port, $"POST /post?format={Hostile}&token={server.Token} HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n").ToString(),
            AdminClient.Ask(server.AdminPort, $"GET /{Hostile} HTTP/1.1\r\nHost: test\r\n\r\n").ToString(),
            AdminClient.Ask(server.Port, Encoding.Latin1.GetString(Submit.FormRequest(server.Token, dump, raw, "x"u8))).ToString(),
        };
        var id = replies[0].Contains("\"_rxid\"", StringComparison.Ordinal) ? "1" : throw new InvalidDataException(replies[0]);
        var late = AdminClient.Ask(server.Port, $"POST /post?token={server.Token}&object={id}&attachment_name={Hostile} HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\nx");
        replies.Add(late.ToString());
        string[][] verbs =
        [
            ["list"], ["show", "1"], ["show", "2"], ["export", "2", "--to", server.Data.Scratch("out")], ["export", "1", "--part", raw], ["list", "--attribute", $"{raw}={raw}"],
            ["show", raw], ["token", "disable", raw], ["verify"], ["audit"],
        ];
        foreach (var verb in verbs)
        {
            var run = await Command.FastListenerAsync([.. verb, "--data", server.Data.Location]);
            AssertClean(string.Join(' ', verb), run.Output);
            AssertClean(string.Join(' ', verb), run.Error);
        }

        replies.ForEach(reply => AssertClean("a reply", reply.Replace("\u202e", "", StringComparison.Ordinal))); // no terminal, and JSON
        Assert.DoesNotContain(replies, reply => reply.Contains("\nX-Evil", StringComparison.Ordinal));
        await server.Process.StopAsync();
        AssertClean("the log", server.Process.StandardError);
        Assert.DoesNotContain("\nX-Evil", server.Process.StandardError, StringComparison.Ordinal);
        Assert.All(
            Directory.EnumerateFileSystemEntries(server.Data.Scratch("out"), "*", SearchOption.AllDirectories),
            path => Assert.DoesNotContain(path, char.IsControl));
    }

    private static void AssertClean(string where, string text)
    {
        var bad = text.Where(c => (char.IsControl(c) && c is not ('\n' or '\t' or '\r')) || c is '\u202e' or '\u009b').Distinct().Select(c => $"U+{(int)c:x4}").ToList();
        Assert.True(bad.Count == 0, $"{where}: {string.Join(' ', bad)}");
        Assert.DoesNotContain('\r', text.Replace("\r\n", "\n", StringComparison.Ordinal));
    }

    /// <summary>What verbs say that are not asked to print a token.</summary>
    private static async Task SayOfVerbsAsync(DataDirectory data, ListenerProcess listener, List<(string Where, string Text)> said)
    {
        var dump = data.Scratch("a.dmp");
        await File.WriteAllBytesAsync(dump, Submit.MadeDump(1, 1000));
        string Url(string token) => $"http://127.0.0.1:{listener.HttpPort}/post?format=minidump&token={Uri.EscapeDataString(token)}";
        string[][] verbs =
        [
            ["token", "list"], ["token", "list", "--json"], ["token", "add", "--universe", "acme", "--project", "game", "--token", s_tokens[0]],
            ["token", "set", s_tokens[0], "--limit", "maxUploads=9"], ["token", "disable", s_tokens[0]], ["token", "enable", s_tokens[0]], ["token", "disable", s_wrong[0]],
            ["list"], ["list", "--json"], ["list", "--attribute", $"a={s_wrong[0]}"], ["show", "1"], ["show", "1", "--json"],
            ["export", "--all", "--to", data.Scratch("all")], ["verify"], ["audit"], ["backup", "--to", data.Scratch("backup")],
        ];
        foreach (var verb in verbs)
        {
            said.Add(($"the verb {verb[0]} {verb[1..].FirstOrDefault()}", Both(await Command.FastListenerAsync([.. verb, "--data", data.Location]))));
        }

        foreach (var token in new[] { s_tokens[1], s_wrong[0], s_tokens[2] })
        {
            said.Add(("the verb send", Both(await Command.FastListenerAsync("send", dump, "--url", Url(token)))));
        }

        said.Add(("the verb send to nobody", Both(await Command.FastListenerAsync("send", dump, "--url", $"http://127.0.0.1:1/post?format=minidump&token={s_tokens[1]}"))));
        said.Add(("the verb send to no URL", Both(await Command.FastListenerAsync("send", dump, "--url", $"ftp://127.0.0.1/post?token={s_tokens[1]}"))));
    }

    private static string Both(CommandResult run) => run.Output + run.Error;

    /// <summary>The token in every place where a client may, or may not, put one.</summary>
    private static IEnumerable<(string Name, byte[] Bytes)> Requests(string token)
    {
        var dump = Submit.MadeDump(1, 1000);
        var quoted = Uri.EscapeDataString(token);
        yield return ("a good one", Post($"/post?format=minidump&token={quoted}", dump));
        yield return ("a token in the path", Post($"/acme/{quoted}/minidump", dump));
        yield return ("a token percent-encoded whole", Post($"/post?format=minidump&token={string.Concat(Encoding.UTF8.GetBytes(token).Select(b => $"%{b:X2}"))}", dump));
        yield return ("another format", Post($"/post?format=json&token={quoted}", dump));
        yield return ("an unknown format", Post($"/post?format=nonsense&token={quoted}", dump));
        yield return ("an empty body", Post($"/post?format=minidump&token={quoted}", []));
        yield return ("two tokens", Post($"/acme/{quoted}/minidump?token={quoted}x", dump));
        yield return ("one twice", Post($"/post?format=minidump&token={quoted}&token={quoted}", dump));
        yield return ("an object that is none", Post($"/post?token={quoted}&object=ffffffff&attachment_name=a", dump));
        yield return ("no such path", Post($"/nowhere/{quoted}", dump));
        yield return ("a console request", Post($"/api/query?token={quoted}", dump));
        yield return ("GET", Encoding.UTF8.GetBytes($"GET /post?format=minidump&token={quoted} HTTP/1.1\r\nHost: test\r\n\r\n"));
        yield return ("OPTIONS", Encoding.UTF8.GetBytes($"OPTIONS /post?token={quoted} HTTP/1.1\r\nHost: test\r\n\r\n"));
        yield return ("fields", Post("/post?format=minidump", dump, $"Authorization: Bearer {quoted}\r\nCookie: token={quoted}\r\nX-Token: {quoted}\r\n"));
        yield return ("a host", Encoding.UTF8.GetBytes($"POST /post HTTP/1.1\r\nHost: {quoted[..16]}{quoted}\r\nContent-Length: 0\r\n\r\n"));
        yield return ("a malformed line", Encoding.UTF8.GetBytes($"POST /post?token={token} and more HTTP/1.1\r\nHost: test\r\n\r\n"));
        yield return ("a malformed field", Encoding.UTF8.GetBytes($"POST /post?token={quoted} HTTP/1.1\r\nHost : {quoted}\r\n\r\n"));
        yield return ("a method", Encoding.UTF8.GetBytes($"{quoted} / HTTP/1.1\r\nHost: test\r\n\r\n"));
        yield return ("a version", Encoding.UTF8.GetBytes($"POST / {quoted}\r\nHost: test\r\n\r\n"));
        yield return ("a long target", Post($"/post?format=minidump&token={quoted}&x={new string('x', 9000)}", dump));
        yield return ("bad chunks", Encoding.UTF8.GetBytes($"POST /post?format=minidump&token={quoted} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n{quoted}\r\n"));
        yield return ("bad gzip", Post($"/post?format=minidump&token={quoted}", dump, "Content-Encoding: gzip\r\n"));
        yield return ("a truncated body", Post($"/post?format=minidump&token={quoted}", dump)[..^10]);
        yield return ("a form", Submit.FormRequest(quoted, dump, "a.log", new byte[500]));
        yield return ("a form with its token last", Form(token, dump, "--b--\r\n"));
        yield return ("a form cut within its token", Form(token, dump, "")[..^4]);
        yield return ("a form without an end", Form(token, dump, "--b\r\n"));
    }

    private static byte[] Post(string target, byte[] body, string fields = "") =>
        [.. Encoding.UTF8.GetBytes($"POST {target} HTTP/1.1\r\nHost: test\r\n{fields}Content-Length: {body.Length}\r\n\r\n"), .. body];

    private static byte[] Form(string token, byte[] dump, string end) => Post(
        "/post?format=minidump",
        [
            .. "--b\r\nContent-Disposition: form-data; name=\"upload_file\"; filename=\"a.dmp\"\r\n\r\n"u8, .. dump,
            .. Encoding.UTF8.GetBytes($"\r\n--b\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n{token}\r\n{end}"),
        ],
        "Content-Type: multipart/form-data; boundary=b\r\n");

    /// <summary>The token as it is, as URLs, JSON and base64 spell it (at each offset within three bytes), and in hex.</summary>
    private static IEnumerable<string> Spellings(string token)
    {
        var bytes = Encoding.UTF8.GetBytes(token);
        yield return token;
        yield return Uri.EscapeDataString(token);
        yield return System.Text.Json.JsonEncodedText.Encode(token).ToString();
        yield return Convert.ToHexString(bytes);
        yield return string.Concat(bytes.Select(b => $"%{b:x2}"));
        yield return Encoding.Latin1.GetString(bytes);
        foreach (var skipped in new[] { 0, 1, 2 })
        {
            yield return Convert.ToBase64String(bytes.AsSpan(skipped, (bytes.Length - skipped) / 3 * 3));
        }
    }
}
