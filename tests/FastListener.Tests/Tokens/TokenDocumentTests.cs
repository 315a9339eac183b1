using System.Text;
using FastListener.Tokens;
using Xunit;

namespace FastListener.Tests.Tokens;

public class TokenDocumentTests
{
    [Fact]
    public void What_is_written_reads_back_the_same_limits_word_for_word()
    {
        const string limits = """{ "bytesPerSecond": 1.50e3,  "rungs": [ "no-attachments" ] }""";
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

    private static bool Read(string json, out TokenDocument? document, out IReadOnlyList<string> faults) =>
        TokenDocumentReader.TryRead(Encoding.UTF8.GetBytes(json), out document, out faults);
}
