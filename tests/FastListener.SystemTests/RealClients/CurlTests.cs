using System.Text;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.RealClients;

/// <summary>
/// The curl lines of the vendor's page "HTTP Submission for Minidump", run by a shell as they are printed: only the address, the
/// universe and the token are put in by variables. curl is wrapped so that it takes the listener's self-signed certificate and keeps
/// its talk to itself.
/// </summary>
public sealed class CurlTests(ListenerFixture server) : IClassFixture<ListenerFixture>
{
    private const string Attachment = "{\"made\": \"for a test\"}\n";

    /// <summary>Name of the row, the line, the expected effective attributes as "k=v", and whether test.json comes with it.</summary>
    public static TheoryData<string, string, string, bool> VendorLines()
    {
        var lines = new TheoryData<string, string, string, bool>();
        foreach (var port in new[] { "HTTP", "HTTPS" })
        {
            void Add(string name, string line, string attributes = "", bool attachment = false) =>
                lines.Add($"{name} over {port}", line.Replace("BASE", "$" + port, StringComparison.Ordinal), attributes, attachment);

            Add("dump, path form", "curl -v --data-binary @example_minidump.dmp -H \"Expect:\" \"BASE/$UNIVERSE/$TOKEN/minidump\"");
            Add("multipart, path form", "curl -v -F \"upload_file_minidump=@example_minidump.dmp\" -H \"Expect:\" \"BASE/$UNIVERSE/$TOKEN/minidump\"");
            Add("version glued to the path", "curl -v -F \"upload_file_minidump=@example_minidump.dmp\" -H \"Expect:\" \"BASE/$UNIVERSE/$TOKEN/minidump&version=1.0\"", "version=1.0");
            Add("version as a field", "curl -v -F \"version=1.0\" -F \"upload_file_minidump=@example_minidump.dmp\" -H \"Expect:\" \"BASE/$UNIVERSE/$TOKEN/minidump\"", "version=1.0");
            Add("attachment with the crash", "curl -v -F \"upload_file=@$PWD/example_minidump.dmp\" -H \"Expect:\" -F \"attachment_test.json=@$PWD/test.json; type=application/json\" \"BASE/$UNIVERSE/$TOKEN/minidump\"", "", true);
            Add("dump, listener form", "curl -v --data-binary @example_minidump.dmp -H \"Expect:\" \"BASE/post?format=minidump&token=$TOKEN\"");
            Add("multipart, listener form", "curl -v -F \"upload_file_minidump=@example_minidump.dmp\" -H \"Expect:\" \"BASE/post?format=minidump&token=$TOKEN\"");
            Add("attribute in the query, listener form", "curl -v -F \"upload_file_minidump=@example_minidump.dmp\" -H \"Expect:\" \"BASE/post?format=minidump&token=$TOKEN&version=1.0\"", "version=1.0");
            Add("attachment, listener form", "curl -v -F \"upload_file=@$PWD/example_minidump.dmp\" -H \"Expect:\" -F \"attachment_test.json=@$PWD/test.json; type=application/json\" \"BASE/post?format=minidump&token=$TOKEN\"", "", true);
        }

        return lines;
    }

    [Theory]
    [MemberData(nameof(VendorLines))]
    public async Task A_curl_line_of_the_vendors_page_is_stored_and_read_back_identical(string name, string line, string attributes, bool attachment)
    {
        SkipWithoutCurl();
        var rxid = Reply(await CurlAsync(line), name).Rxid;

        Assert.Equal(Repository.Sha256(Repository.CrashpadDump), Repository.Sha256(await server.Data.ExportAsync(rxid)));
        var stored = await server.Data.ShowAsync(rxid);
        Assert.Equal("minidump", stored.Format);
        Assert.Equal(attributes, string.Join(',', stored.Attributes.Select(pair => $"{pair.Key}={pair.Value}")));
        Assert.Equal(attachment ? ["test.json"] : [], stored.Attachments.Select(payload => payload.Name));
        if (attachment)
        {
            Assert.Equal(Attachment, Encoding.UTF8.GetString(await server.Data.ExportAsync(rxid, "test.json")));
        }
    }

    [Fact]
    public async Task A_file_is_attached_later_by_the_receipt_as_the_page_shows()
    {
        SkipWithoutCurl();
        var rxid = Reply(await CurlAsync("curl -v --data-binary @example_minidump.dmp -H \"Expect:\" \"$HTTP/$UNIVERSE/$TOKEN/minidump\""), "crash").Rxid;

        // The page's own line misses what makes curl read the file; this is what it means, then what it says.
        await CurlAsync($"curl -v --data-binary @$PWD/test.json -H \"Expect:\" -H \"Content-Type:application/json\" \"$HTTP/$UNIVERSE/$TOKEN/minidump?object={rxid}&attachment_name=test.json\"");
        await CurlAsync($"curl -v --data-binary \"upload_file=@$PWD/test.json\" -H \"Expect:\" -H \"Content-Type:application/json\" \"$HTTPS/$UNIVERSE/$TOKEN/minidump?object={rxid}&attachment_name=literal.txt\"");

        Assert.Equal(Attachment, Encoding.UTF8.GetString(await server.Data.ExportAsync(rxid, "test.json")));
        Assert.StartsWith("upload_file=@/", Encoding.UTF8.GetString(await server.Data.ExportAsync(rxid, "literal.txt")), StringComparison.Ordinal);
        Assert.Equal(Repository.Sha256(Repository.CrashpadDump), Repository.Sha256(await server.Data.ExportAsync(rxid)));
    }

    [Fact]
    public async Task The_pages_faulty_line_without_an_at_sign_is_told_what_it_forgot()
    {
        SkipWithoutCurl();
        var reply = await CurlAsync("curl -d $PWD/example_minidump.dmp -H \"Expect:\" -w '\\n%{http_code}' \"$HTTP/$UNIVERSE/$TOKEN/minidump\"");
        var lines = reply.Split('\n');
        Assert.Equal("400", lines[^1]);
        Assert.Matches("^\\{\"error\":\\{\"code\":[0-9]+,\"message\":\".*@.*\"\\}\\}$", lines[0]);
    }

    [Theory]
    [InlineData("HTTP")]
    [InlineData("HTTPS")]
    public async Task Curl_above_a_mebibyte_waits_for_100_continue_and_gets_it(string port)
    {
        SkipWithoutCurl();
        var big = RandomFile("big.dmp", 3 * 1024 * 1024);
        var output = await CurlAsync($"curl -v --data-binary @big.dmp \"${port}/post?format=minidump&token=$TOKEN\" 2>curl.log; cat curl.log >&2");
        var log = await File.ReadAllTextAsync(server.Data.Scratch("curl.log"));
        Assert.Contains("Expect: 100-continue", log, StringComparison.Ordinal);
        Assert.Contains("< HTTP/1.1 100 Continue", log, StringComparison.Ordinal);
        Assert.DoesNotContain("Done waiting for 100-continue", log, StringComparison.Ordinal);
        Assert.Equal(Repository.Sha256(big), Repository.Sha256(await server.Data.ExportAsync(Reply(output, "big").Rxid)));
    }

    [Fact]
    public async Task Curl_sends_a_chunked_dump_from_standard_input()
    {
        SkipWithoutCurl();
        var output = await CurlAsync("cat example_minidump.dmp | curl -T - -X POST -H \"Expect:\" \"$HTTP/post?format=minidump&token=$TOKEN\"");
        Assert.Equal(Repository.Sha256(Repository.CrashpadDump), Repository.Sha256(await server.Data.ExportAsync(Reply(output, "chunked").Rxid)));
    }

    [Fact]
    public async Task Curl_sends_a_compressed_dump()
    {
        SkipWithoutCurl();
        var output = await CurlAsync("gzip -c example_minidump.dmp | curl --data-binary @- -H \"Expect:\" -H \"Content-Encoding: gzip\" \"$HTTP/post?format=minidump&token=$TOKEN\"");
        Assert.Equal(Repository.Sha256(Repository.CrashpadDump), Repository.Sha256(await server.Data.ExportAsync(Reply(output, "gzip").Rxid)));
    }

    [Fact]
    public async Task One_curl_sends_several_dumps_over_one_connection()
    {
        SkipWithoutCurl();
        const string One = "--data-binary @example_minidump.dmp -H \"Expect:\" \"$HTTP/post?format=minidump&token=$TOKEN\"";
        var output = await CurlAsync($"curl -v -w '\\n%{{num_connects}}\\n' {One} --next -w '\\n%{{num_connects}}\\n' {One}");
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["1", "0"], [lines[1], lines[3]]);
        Assert.NotEqual(Reply(lines[0], "first").Rxid, Reply(lines[2], "second").Rxid);
    }

    private static void SkipWithoutCurl() => Assert.SkipWhen(Command.Find("curl") is null, "curl is not installed.");

    private static RawReply Reply(string body, string name)
    {
        Assert.True(body.Contains("\"response\":\"ok\"", StringComparison.Ordinal), $"{name}: {body}");
        return new RawReply(200, "", []) { Body = body };
    }

    private byte[] RandomFile(string name, int length)
    {
        var bytes = new byte[length];
        new Random(17).NextBytes(bytes);
        "MDMP"u8.CopyTo(bytes);
        File.WriteAllBytes(server.Data.Scratch(name), bytes);
        return bytes;
    }

    /// <summary>What the line prints to standard output.</summary>
    private async Task<string> CurlAsync(string line)
    {
        File.Copy(Repository.CrashpadDumpPath, server.Data.Scratch("example_minidump.dmp"), overwrite: true);
        await File.WriteAllTextAsync(server.Data.Scratch("test.json"), Attachment);
        var result = await Command.BashAsync(
            $"""
            HTTP=http://127.0.0.1:{server.HttpPort}; HTTPS=https://127.0.0.1:{server.HttpsPort}
            UNIVERSE=acme; TOKEN={server.ErrorToken}
            curl() {"{"} command curl -k -sS --max-time 60 "$@"; {"}"}
            {line}
            """,
            server.Data.Scratch(""));
        return result.Expect().Output;
    }
}
