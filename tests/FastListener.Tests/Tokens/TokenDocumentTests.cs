using System.Text;
using System.Text.Json;
using FastListener.Configuration;
using FastListener.Tokens;
using Xunit;

namespace FastListener.Tests.Tokens;

public class TokenDocumentTests
{
    [Fact]
    public void What_is_written_reads_back_the_same_every_limit_included()
    {
        var limits = new TokenLimits
        {
            MaxBodyBytes = 0,
            MaxWireBytes = long.MaxValue,
            MaxAttachments = 3,
            MaxAttachmentBytes = 1000,
            MaxUploads = 2,
            BytesPerSecond = 1500,
            BurstBytes = 1,
            RequestSeconds = 3600,
            Degrade = Rungs.WithoutAttachments | Rungs.MetadataOnly,
        };
        var document = TokenDocument.Empty
            .With(new(new("a/b\"c\n é"), "Größe", "pröject", Capabilities.ErrorPost | Capabilities.QueryPost | Capabilities.ObjectGet, Enabled: false,
                new(2024, 2, 29, 23, 59, 58, 123, TimeSpan.FromHours(2)), limits))
            .With(new(TokenSecret.CreateRandom(), "local", "crashes", Capabilities.None));

        Assert.True(TokenDocumentReader.TryRead(document.ToJson(), out var again, out var faults), string.Join("; ", faults));
        Assert.Equal(document, again);
        Assert.Equal(limits, again.Tokens[0].Limits);
        Assert.Equal(2, again.Projects.Length);
    }

    [Fact]
    public void Every_fault_in_limits_is_named_and_a_limit_nobody_knows_is_one()
    {
        Assert.False(Read(
            """
            {"tokens":[{"token":"0123456789abcdef","universe":"u","project":"p","limits":{
              "maxBodyByte": 1, "maxUploads": -1, "burstBytes": 0, "bytesPerSecond": "fast", "maxAttachments": 1.5, "degrade": ["all", 1] }},
             {"token":"fedcba9876543210","universe":"u","project":"p","limits":{ "degrade": "metadata_only" }}]}
            """, out _, out var faults));
        const string first = "tokens[0] (0123…ef): ";
        Assert.Equal(
            [
                first + "unknown limit \"maxBodyByte\" (known: maxBodyBytes, maxWireBytes, maxAttachments, maxAttachmentBytes, maxUploads, bytesPerSecond, burstBytes, requestSeconds, degrade)",
                first + "limit \"maxUploads\" is not a whole number between 0 and 1000000",
                first + "limit \"burstBytes\" is not a whole number of 1 or more",
                first + "limit \"bytesPerSecond\" is not a whole number of 0 or more",
                first + "limit \"maxAttachments\" is not a whole number between 0 and 1000000",
                first + "limit \"degrade\" holds something else than without_attachments, metadata_only",
                first + "limit \"degrade\" holds something else than without_attachments, metadata_only",
                "tokens[1] (fedc…10): limit \"degrade\" is not an array",
            ],
            faults);
    }

    [Fact]
    public void What_a_limit_is_called_on_the_command_line_is_what_the_file_calls_it()
    {
        foreach (var key in TokenLimitWords.Known)
        {
            var limits = TokenLimits.None;
            var value = key == "degrade" ? "metadata_only,without_attachments" : "7";
            Assert.True(TokenLimitWords.TryApply(ref limits, $"{key}={value}", out var fault), fault);
            Assert.Equal([key == "degrade" ? "degrade=without_attachments,metadata_only" : $"{key}=7"], TokenLimitWords.Describe(limits));
            using var json = JsonDocument.Parse(JsonOf(limits));
            Assert.Equal(limits, TokenLimitWords.Read(json.RootElement, Assert.Fail));
            Assert.True(TokenLimitWords.TryApply(ref limits, $"{key}=", out _));
            Assert.Equal(TokenLimits.None, limits);
        }
    }

    [Fact]
    public void A_token_that_names_no_capability_is_a_submission_token()
    {
        Assert.True(Read("""{"tokens":[{"token":"t","universe":"u","project":"p"}]}""", out var document, out _));

        var token = Assert.Single(document!.Tokens);
        Assert.Equal(Capabilities.ErrorPost, token.Capabilities);
        Assert.True(token.Enabled);
    }

    [Fact]
    public void A_byte_order_mark_is_passed_over() => Assert.True(Read("\uFEFF{}", out _, out _));

    [Fact]
    public void Every_fault_is_named_at_once_and_no_token_is_quoted()
    {
        const string token = "feedfacefeedfacefeedfacefeedfacefeedfacefeedfacefeedfacefeedface";
        Assert.False(Read($$"""
            {
              "version": 2,
              "projects": [ { "universe": "", "project": 7, "colour": "red" }, 1 ],
              "tokens": [
                { "token": "{{token}}", "universe": "u", "project": "p", "capabilities": ["error:post", "eror:post", 7] },
                true,
                { "token": "{{token}}", "universe": " ", "project": "a/b", "enabeld": false, "enabled": "no" },
                { "token": "", "universe": "u", "project": "p", "capabilities": "error:post", "limits": 3, "createdAt": "soon" },
                { "token": "\ud800", "universe": "u", "project": "p", "capabilities": ["{{token}}"] }
              ],
              "{{token}}": 1
            }
            """, out _, out var faults));

        Assert.Equal(
            [
                "\"version\" is not 1, the only one this program reads",
                "projects[0]: unknown member \"colour\"",
                "projects[0]: \"universe\" is empty",
                "projects[0]: \"project\" is missing or not a string",
                "projects[1] is not an object",
                "tokens[0] (feed…ce): unknown capability \"eror:post\" (known: error:post, symbol:post, sync:post, query:post, object:get)",
                "tokens[0] (feed…ce): a capability is not a string",
                "tokens[1] is not an object",
                "tokens[2] (feed…ce): the same token as tokens[0]",
                "tokens[2] (feed…ce): unknown member \"enabeld\"",
                "tokens[2] (feed…ce): \"enabled\" is neither true nor false",
                "tokens[2] (feed…ce): \"universe\" is empty",
                "tokens[2] (feed…ce): \"project\" contains a slash",
                "tokens[3]: \"token\" is missing, empty or not a string",
                "tokens[3]: \"capabilities\" is not an array",
                "tokens[3]: \"limits\" is not an object",
                "tokens[3]: \"createdAt\" is not an ISO 8601 time",
                "tokens[4]: \"token\" is missing, empty or not a string",
                "tokens[4]: unknown capability \"feedfacefeedfacefeedface…\" (known: error:post, symbol:post, sync:post, query:post, object:get)",
                "unknown member \"feedfacefeedfacefeedface…\"",
            ],
            faults);
        Assert.DoesNotContain(token, new TokenFileException("tokens.json", faults).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "it is not valid JSON at line 1, byte 1")]
    [InlineData("{\n  \"tokens\": [ feedfacefeedface ]\n}", "it is not valid JSON at line 2, byte 16")]
    [InlineData("{\"tokens\":[]} // words", "it is not valid JSON at line 1, byte 15")]
    [InlineData("{\"tokens\":[],\"tokens\":[]}", "it is not valid JSON: a member is repeated")]
    [InlineData("{\"\\ud800\":1}", "a member's name is not text: it escapes half of a surrogate pair")]
    [InlineData("[]", "it is not a JSON object")]
    [InlineData("{\"tokens\":{}}", "\"tokens\" is not an array")]
    public void What_is_no_document_says_where_it_stops_being_one(string json, string fault)
    {
        Assert.False(Read(json, out _, out var faults));
        Assert.Equal([fault], faults);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_a_fault()
    {
        Assert.False(TokenDocumentReader.TryRead(new byte[] { (byte)'{', 0xFF, (byte)'}' }, out _, out var faults));
        Assert.Equal(["it is not UTF-8"], faults);
    }

    private static byte[] JsonOf(TokenLimits limits)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            TokenLimitWords.Write(json, limits);
        }

        return buffer.ToArray();
    }

    private static bool Read(string json, out TokenDocument? document, out IReadOnlyList<string> faults) =>
        TokenDocumentReader.TryRead(Encoding.UTF8.GetBytes(json), out document, out faults);
}
