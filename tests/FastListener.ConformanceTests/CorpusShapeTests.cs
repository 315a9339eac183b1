using FastListener.ConformanceTests.Cases;

namespace FastListener.ConformanceTests;

/// <summary>The corpus itself: large enough, every chapter there, every case with its clause and its outcome.</summary>
public sealed class CorpusShapeTests
{
    private const int Least = 1000;

    public static TheoryData<string, int> Chapters() => new()
    {
        { "01-request-line", 40 },
        { "02-targets-and-methods", 35 },
        { "03-fields", 40 },
        { "04-host", 20 },
        { "05-content-length", 25 },
        { "06-transfer-encoding", 25 },
        { "07-chunked", 55 },
        { "08-connection", 25 },
        { "09-expect-and-upgrade", 15 },
        { "10-http10", 12 },
        { "11-limits", 20 },
        { "12-content-coding", 25 },
        { "13-boundary", 25 },
        { "14-multipart", 40 },
        { "15-content-disposition", 35 },
        { "16-truncation", 25 },
        { "17-tokens-and-formats", 20 },
        { "18-replies-and-cors", 12 },
        { "19-smuggling", 25 },
    };

    [Fact]
    public void There_are_at_least_a_thousand_cases() => Assert.InRange(CaseFile.All.Count, Least, int.MaxValue);

    [Theory]
    [MemberData(nameof(Chapters))]
    public void A_chapter_has_the_cases_it_promises(string chapter, int least) =>
        Assert.InRange(CaseFile.All.Count(test => test.Chapter == chapter), least, int.MaxValue);

    [Fact]
    public void No_chapter_goes_uncounted() =>
        Assert.Equal(Chapters().Select(row => row.Data.Item1).Order(), CaseFile.All.Select(test => test.Chapter).Distinct().Order());

    [Fact]
    public void No_two_cases_have_the_same_name() => Assert.Equal(CaseFile.All.Count, CaseFile.All.DistinctBy(test => test.Id).Count());

    [Fact]
    public void No_two_cases_send_the_same_bytes()
    {
        var twins = CaseFile.All
            .GroupBy(test => Convert.ToHexString(test.Bytes().All) + test.Ends)
            .Where(group => group.Count() > 1)
            .Select(group => string.Join(" = ", group.Select(test => test.Id)));
        Assert.Equal("", string.Join('\n', twins));
    }

    [Fact]
    public void Every_case_names_its_clause() => Assert.All(CaseFile.All, test =>
    {
        Assert.NotEmpty(test.Clauses);
        Assert.All(test.Clauses, clause => Assert.Matches("^(RFC (9110|9112|7578|2046|2183|2231|5987|8187|2047|1950|1951|1952|5322|6585|3986|8259|9113) [0-9]+(\\.[0-9]+)*|Fetch CORS|design [0-9]+|wire contract [0-9]+(\\.[0-9]+)*)$", clause));
        Assert.Contains(test.Clauses, clause => clause.StartsWith("RFC", StringComparison.Ordinal) || clause.Contains("contract", StringComparison.Ordinal) || clause == "Fetch CORS");
    });

    [Fact]
    public void A_case_that_rests_on_a_decision_of_this_project_says_why() => Assert.All(
        CaseFile.All.Where(test => test.Clauses.Any(clause => clause.StartsWith("design", StringComparison.Ordinal))),
        test => Assert.False(string.IsNullOrEmpty(test.Note), test.Id));

    [Fact]
    public void Every_case_says_what_becomes_of_its_connection() => Assert.All(CaseFile.All, test =>
    {
        Assert.NotEmpty(test.Messages);
        Assert.True(test.Expected.Fate != Fate.Unsaid, test.Id);
        Assert.Equal(test.Expected.Fate == Fate.Waits, test.Expected.Replies.Count == 0 && !test.Ends);
    });
}
