using System.Text;
using System.Text.Json;
using FastListener.Intake;
using Xunit;

namespace FastListener.Tests.Intake;

public class RefusalTests
{
    public static TheoryData<string> Reasons => [.. Enum.GetNames<RejectReason>().Where(name => name != nameof(RejectReason.None))];

    [Theory]
    [MemberData(nameof(Reasons))]
    public void Every_reason_has_a_row_with_an_error_status_a_word_and_a_sentence(string name)
    {
        var row = Refusal.For(Enum.Parse<RejectReason>(name));

        Assert.InRange(row.Status, 400, 599);
        Assert.Matches("^[a-z_]+$", row.Word);
        Assert.True(row.Message.EndsWith('.') || row.Code == 6, row.Message);
    }

    [Fact]
    public void No_two_reasons_share_a_word_and_only_a_bad_token_shares_a_code()
    {
        var rows = Enum.GetValues<RejectReason>().Where(reason => reason != RejectReason.None).Select(Refusal.For).ToArray();

        Assert.Equal(rows.Length, rows.Select(row => row.Word).Distinct().Count());
        Assert.All(rows.GroupBy(row => row.Code).Where(group => group.Count() > 1), group => Assert.Equal(6, group.Key));
    }

    [Fact]
    public void A_bad_token_is_answered_byte_for_byte_as_the_clients_tests_expect()
    {
        var reply = ErrorReply.Create(RejectReason.InvalidToken);

        Assert.Equal(403, reply.Status);
        Assert.Equal("""{"error":{"code":6,"message":"invalid token"}}""", Encoding.UTF8.GetString(reply.Body.Span));
    }

    [Theory]
    [MemberData(nameof(Reasons))]
    public void Every_error_reply_is_json_of_the_documented_shape(string name)
    {
        var reply = ErrorReply.Create(Enum.Parse<RejectReason>(name));

        using var json = JsonDocument.Parse(reply.Body);
        var error = json.RootElement.GetProperty("error");
        Assert.Equal(JsonValueKind.Number, error.GetProperty("code").ValueKind);
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
    }
}
