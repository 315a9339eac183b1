using System.IO.Hashing;
using System.Text;
using FastListener.ConformanceTests.Cases;
using FastListener.SystemTests.Harness;

namespace FastListener.ConformanceTests;

/// <summary>By the own transport, however the bytes arrive.</summary>
public sealed class OwnTransportConformanceTests(ConformanceRun run) : ConformanceTests(run), IClassFixture<ConformanceRun>;

/// <summary>By Kestrel's.</summary>
public sealed class KestrelTransportConformanceTests(KestrelConformanceRun run) : ConformanceTests(run), IClassFixture<KestrelConformanceRun>;

/// <summary>One row per case of tests/conformance: what RFC 9110, 9112, 2046, 7578 and 1952 demand.</summary>
public abstract class ConformanceTests(ConformanceRun run)
{
    public static TheoryData<string> Cases() => [.. CaseFile.All.Select(test => test.Id)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_request_is_answered_and_stored_as_its_clause_says(string id)
    {
        var test = CaseFile.All.Single(item => item.Id == id);
        var outcomes = run.OutcomesOf(test);
        Assert.NotEmpty(outcomes);
        var faults = outcomes
            .Select(outcome => (outcome, fault: outcome.Failure ?? FaultInStored(test, outcome)))
            .Where(item => item.fault is not null)
            .OrderBy(item => item.outcome.Delivery.Cuts.Length == 0 ? 0 : 1)
            .ThenBy(item => item.outcome.Delivery.Cuts.Length)
            .ToList();
        Assert.True(
            faults.Count == 0,
            $"{test.Chapter}.cases({test.Line}), {string.Join("; ", test.Clauses)}: {faults.Count} of {outcomes.Count} deliveries.\n"
            + string.Join('\n', faults
                .GroupBy(item => item.fault![..Math.Min(item.fault!.Length, 60)])
                .Select(group => $"  {group.Count()} times, {group.First().outcome.Delivery.Name}: {group.First().fault}")));
    }

    [Fact]
    public void Nothing_is_stored_but_what_was_acknowledged()
    {
        var acknowledged = run.Outcomes.SelectMany(outcome => outcome.Receipts).ToList();
        Assert.NotEmpty(acknowledged);
        Assert.Equal(acknowledged.Count, acknowledged.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(acknowledged.Order(StringComparer.Ordinal), run.Stored.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_was_stored_verifies() => (await run.Server.Data.VerifyAsync()).Expect();

    [Fact]
    public async Task The_books_balance_whatever_was_sent() =>
        Assert.NotEqual(0, (await run.Server.Data.BooksAsync()).Requests("refused"));

    [Fact]
    public async Task The_listener_still_runs_and_has_nothing_in_staging()
    {
        Assert.False(run.Server.Listener.HasExited);
        await Eventually.TrueAsync(() => run.Server.Data.StagedFiles().All(path => Path.GetFileName(path) == "lock"), "nothing is left in staging");
    }

    [Fact]
    public void No_case_made_the_listener_fail_inside() =>
        Assert.Equal("", string.Join('\n', run.Server.Listener.StandardError.Split('\n').SkipWhile(line => !line.Contains(" fail:", StringComparison.Ordinal)).Take(30)));

    private string? FaultInStored(ConformanceCase test, Outcome outcome)
    {
        foreach (var receipt in outcome.Receipts)
        {
            if (!run.Stored.TryGetValue(receipt, out var stored))
            {
                return $"{receipt} was acknowledged and is not stored.";
            }

            if (FaultIn(test.Expected, stored) is { } fault)
            {
                return fault;
            }
        }

        return null;
    }

    private static string? FaultIn(Expected expected, StoredSubmission stored)
    {
        if (expected.Report is { } report)
        {
            var bytes = CaseText.Bytes(report, 0);
            var checksum = Convert.ToHexStringLower(XxHash128.Hash(bytes));
            if (stored.Report.Size != bytes.Length || stored.Report.Checksum != checksum)
            {
                return $"The stored report has {stored.Report.Size} bytes and is not the {bytes.Length} expected ones.";
            }
        }

        if (expected.FileName is { } fileName && Text(fileName) != stored.Report.FileName)
        {
            return $"The report's file name is '{stored.Report.FileName}', not '{Text(fileName)}'.";
        }

        if (expected.Attributes is { } attributes && !attributes.Select(Text).Order().SequenceEqual(stored.Attributes.Order()))
        {
            return $"The attributes are [{string.Join(" | ", stored.Attributes)}], not [{string.Join(" | ", attributes)}].";
        }

        var attachments = stored.Parts.Where(part => part.Kind == "attachment").Select(part => part.Name).ToList();
        return expected.Attachments.Select(Text).SequenceEqual(attachments)
            ? null
            : $"The attachments are [{string.Join(" | ", attachments)}], not [{string.Join(" | ", expected.Attachments)}].";
    }

    private static string Text(string escaped) => Encoding.UTF8.GetString(CaseText.Bytes(escaped, 0));
}
