using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Corpus;

/// <summary>One row per file of tests/corpus: what each known client sends, byte for byte, and what must come of it.</summary>
public sealed class CorpusTests(CorpusRun run) : IClassFixture<CorpusRun>
{
    private const string PlainReceipt = "^\\{\"response\":\"ok\",\"_rxid\":\"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-0000-000000000000\"\\}$";

    private static readonly JsonSerializerOptions s_asWritten = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static TheoryData<string> Cases() => [.. CorpusCase.Names()];

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_request_brings_the_expected_reply_and_is_stored_as_it_was_sent(string name)
    {
        var test = CorpusCase.Read(name);
        foreach (var sent in run.SentCases[name])
        {
            try
            {
                Check(test, sent);
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                throw new InvalidOperationException(
                    $"{name}, sent {sent.Delivery.Name}: {failure.Message}\n--- replies\n{string.Join("\n---\n", sent.Replies)}", failure);
            }
        }
    }

    [Fact]
    public void Nothing_is_stored_but_what_was_acknowledged()
    {
        var acknowledged = run.SentCases.Values
            .SelectMany(sent => sent)
            .SelectMany(sent => sent.Replies)
            .Where(reply => reply is { Status: 200 } && Regex.IsMatch(reply.Body, PlainReceipt))
            .Select(reply => reply!.Rxid)
            .ToHashSet(StringComparer.Ordinal);
        Assert.Equal(acknowledged.Order(), run.Stored.Keys.Order());
        Assert.Equal(acknowledged.Order(), run.Exported.Reports().Order());
    }

    [Fact]
    public void No_receipt_is_given_twice()
    {
        var receipts = run.SentCases.Values
            .SelectMany(sent => sent)
            .SelectMany(sent => sent.Replies)
            .Where(reply => reply is { Status: 200 } && Regex.IsMatch(reply.Body, PlainReceipt))
            .Select(reply => reply!.Rxid)
            .ToList();
        Assert.NotEmpty(receipts);
        Assert.Equal(receipts.Count, receipts.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task What_was_stored_verifies() => (await run.Server.Data.VerifyAsync()).Expect();

    [Fact]
    public async Task The_books_balance_whatever_was_sent() =>
        Assert.NotEqual(0, (await run.Server.Data.BooksAsync()).Requests("refused"));

    [Fact]
    public Task Refused_and_broken_requests_leave_nothing_in_staging() =>
        Eventually.TrueAsync(() => run.Server.Data.StagedFiles().Length == 0, "staging is empty");

    private void Check(CorpusCase test, Sent sent)
    {
        if (sent.Failure is not null)
        {
            throw sent.Failure;
        }

        RawReply? first = null;
        for (var index = 0; index < test.Expected.Count; index++)
        {
            var expected = test.Expected[index];
            var reply = sent.Replies[index];
            if (expected.NoReply)
            {
                Assert.Null(reply);
                continue;
            }

            Assert.NotNull(reply);
            CheckReply(expected, reply, first, run.Text(first));
            first ??= reply;
            if (expected.Status == "200" && expected.Attached is null && expected.Reply is null)
            {
                CheckStored(expected, run.Stored[reply.Rxid], run.Text(first));
                Assert.Equal(sent.Sender.ToString(), run.Stored[reply.Rxid].ClientAddress);
            }
        }

        if (test.Expected[^1].Keep is { } keep)
        {
            Assert.True(keep == sent.Kept, $"The connection was {(keep ? "closed" : "kept")}. After the reply came: {sent.Rest}");
            Assert.True(keep != sent.Replies[^1]?.SaysClose, "The reply's Connection header does not say what becomes of the connection.");
        }
    }

    private static void CheckReply(Expectation expected, RawReply reply, RawReply? first, CorpusText text)
    {
        Assert.Matches($"^{expected.Status.Replace('x', '.')}$", reply.Status.ToString(CultureInfo.InvariantCulture));
        reply.AssertReadableByEveryClient();
        using var json = JsonDocument.Parse(reply.Body);
        if (expected.Reply is not null)
        {
            Assert.Equal(expected.Reply, reply.Body);
        }
        else if (expected.Attached is not null)
        {
            var start = $"{{\"response\":\"ok\",\"_rxid\":\"{ReceiptForms.ZeroFilled(first!.Rxid)}\",\"attachment_name\": {JsonSerializer.Serialize(Utf8(text, expected.Attached), s_asWritten)},\"attachment_id\": \"";
            var end = $"\",\"object\":\"{ReceiptForms.ShortHex(first.Rxid)}\"}}";
            Assert.StartsWith(start, reply.Body, StringComparison.Ordinal);
            Assert.EndsWith(end, reply.Body, StringComparison.Ordinal);
            Assert.Matches("^[0-9]+$", reply.Body[start.Length..^end.Length]);
        }
        else if (expected.Status == "200")
        {
            Assert.Matches(PlainReceipt, reply.Body);
            Assert.Null(reply.Header("FastListener-Reason"));
        }
        else
        {
            Assert.Matches("^\\{\"error\":\\{\"code\":[0-9]+,\"message\":\"[^\"]", reply.Body);
            Assert.Equal(["error"], json.RootElement.EnumerateObject().Select(pair => pair.Name));
        }

        if (reply.Status >= 400)
        {
            Assert.Matches("^[a-z0-9_]+$", reply.Header("FastListener-Reason") ?? "(no FastListener-Reason)");
        }

        if (expected.Reason is not null)
        {
            Assert.Equal(expected.Reason, reply.Header("FastListener-Reason"));
        }

        if (expected.HeaderLine is not null)
        {
            Assert.Contains(reply.HeaderLines, line => line.StartsWith(expected.HeaderLine, StringComparison.Ordinal));
        }

        Assert.All(expected.Says, text => Assert.Contains(text, reply.Body, StringComparison.OrdinalIgnoreCase));
    }

    private void CheckStored(Expectation expected, StoredObject stored, CorpusText text)
    {
        Assert.True(expected.Report is not null, "The .expect file must say which report is stored.");
        Assert.Equal(expected.Project, stored.Project);
        Assert.Equal(expected.Format, stored.Format);

        foreach (var (attribute, value) in expected.Attributes)
        {
            Assert.True(stored.Attributes.TryGetValue(attribute, out var found), $"No attribute {attribute}.");
            Assert.Equal(Utf8(text, value), found);
        }

        if (!expected.MoreAttributes)
        {
            Assert.Equal(expected.Attributes.Keys.Order(), stored.Attributes.Keys.Order());
        }

        foreach (var kept in expected.Kept)
        {
            Assert.Contains(kept, stored.AllAttributes.Select(item => $"{item.Source} {item.Name}={item.Value}"));
        }

        foreach (var note in expected.Notes)
        {
            Assert.Contains(stored.Notes, line => line.Contains(note, StringComparison.OrdinalIgnoreCase));
        }

        var report = text.Bytes(expected.Report.Content);
        AssertNames(expected.Report, text, stored.Report);
        Assert.Equal(Repository.Sha256(report), run.Exported.ReportHash(stored.Rxid));

        var attachments = stored.Attachments.ToList();
        Assert.Equal(expected.Attachments.Count, attachments.Count);
        foreach (var (wanted, found) in expected.Attachments.Zip(attachments))
        {
            AssertNames(wanted, text, found);
            Assert.Equal(text.Bytes(wanted.Content).Length, found.Size);
        }

        Assert.Equal(
            expected.Attachments.Select(item => Repository.Sha256(text.Bytes(item.Content))).Order(StringComparer.Ordinal),
            run.Exported.AttachmentHashes(stored.Rxid));
    }

    private static void AssertNames(ExpectedPayload expected, CorpusText text, StoredPayload found)
    {
        if (expected.Name != "*")
        {
            Assert.Equal(Utf8(text, expected.Name), found.Name);
        }

        if (expected.FileName != "*")
        {
            Assert.Equal(Utf8(text, expected.FileName), found.FileName);
        }
    }

    private static string Utf8(CorpusText text, string value) => System.Text.Encoding.UTF8.GetString(text.Bytes(value));
}
