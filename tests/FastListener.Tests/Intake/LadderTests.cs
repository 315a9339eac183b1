using FastListener.Configuration;
using FastListener.Intake;
using FastListener.Overload;
using FastListener.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace FastListener.Tests.Intake;

public sealed class LadderTests : IAsyncLifetime
{
    private const Rungs Both = Rungs.WithoutAttachments | Rungs.MetadataOnly;
    private readonly string _folder = Directory.CreateTempSubdirectory("fl-ladder-").FullName;
    private readonly HashSet<Payload> _mayBecomeReport = [];
    private ObjectStore _store = null!;
    private Submission _submission = null!;
    private Ladder _ladder = null!;

    public async ValueTask InitializeAsync()
    {
        _store = await ObjectStore.OpenAsync(new StoreOptions { DataDirectory = _folder, ReserveBytes = 0 }, NullLogger.Instance);
        _submission = _store.Begin();
        _ladder = new Ladder(_mayBecomeReport.Contains);
        _ladder.Begin(_submission);
    }

    public async ValueTask DisposeAsync()
    {
        _submission.Dispose();
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Nothing_is_given_up_that_the_operator_has_not_named()
    {
        var attachment = await AddAsync(PayloadKind.Attachment);
        Assert.False(_ladder.HasRung);
        Assert.False(_ladder.MayDropAttachments);
        _ladder.Yield(Short("memory"), PressureLevel.Hold);
        Assert.False(attachment.IsOmitted);
        Assert.True(_ladder.Keeps);
        Assert.Equal((Degradation.None, ""), (_ladder.Given, _ladder.Reason));
    }

    [Fact]
    public async Task The_first_rung_gives_up_attachments_those_that_still_come_too_and_keeps_the_report()
    {
        _ladder.Allow(Both);
        var before = await AddAsync(PayloadKind.Attachment);
        var report = await AddAsync(PayloadKind.Report, complete: false);
        _ladder.TakeRung("memory");
        Assert.Equal((true, false, true), (before.IsOmitted, report.IsOmitted, _ladder.Keeps));
        await report.CompleteAsync();
        var after = await AddAsync(PayloadKind.Attachment, complete: false);
        _ladder.Consider(after);
        Assert.True(after.IsOmitted);
        Assert.False(_ladder.Keeps, "What is being given up needs no turn.");
        await after.CompleteAsync();
        Assert.True(_ladder.Keeps);
        Assert.True(_ladder.HasRung);
        Assert.Equal((Degradation.WithoutAttachments, "memory"), (_ladder.Given, _ladder.Reason));
    }

    [Fact]
    public async Task The_second_rung_gives_up_the_report_too_and_is_the_last()
    {
        _ladder.Allow(Both);
        var report = await AddAsync(PayloadKind.Report);
        _ladder.TakeRung("reading");
        Assert.Equal(Degradation.None, _ladder.Given); // there was no attachment
        _ladder.TakeRung("committer");
        Assert.True(report.IsOmitted);
        Assert.False(_ladder.Keeps);
        Assert.False(_ladder.HasRung);
        Assert.Equal((Degradation.MetadataOnly, "committer"), (_ladder.Given, _ladder.Reason));
    }

    [Fact]
    public async Task A_rung_that_is_not_named_is_left_out()
    {
        _ladder.Allow(Rungs.MetadataOnly);
        Assert.False(_ladder.MayDropAttachments);
        var report = await AddAsync(PayloadKind.Report);
        _ladder.TakeRung("memory");
        Assert.True(report.IsOmitted);
        Assert.False(_ladder.HasRung);
    }

    [Fact]
    public async Task What_may_yet_become_the_report_outlives_the_first_rung_and_not_the_second()
    {
        _ladder.Allow(Both);
        var file = await AddAsync(PayloadKind.Attachment);
        _mayBecomeReport.Add(file);
        _ladder.TakeRung("memory");
        Assert.False(file.IsOmitted);
        _ladder.TakeRung("memory");
        Assert.True(file.IsOmitted);
    }

    [Theory]
    [InlineData("Slow", true, false)]
    [InlineData("Hold", true, true)]
    [InlineData("None", false, false)]
    public async Task Pressure_that_lasts_takes_one_rung_while_reading_is_slowed_and_all_while_nothing_is_read(string lasting, bool attachment, bool report)
    {
        _ladder.Allow(Both);
        var (kept, given) = (await AddAsync(PayloadKind.Report), await AddAsync(PayloadKind.Attachment));
        for (var look = 0; look < 3; look++)
        {
            _ladder.Yield(Short("committer"), Enum.Parse<PressureLevel>(lasting));
        }

        Assert.Equal((attachment, report), (given.IsOmitted, kept.IsOmitted));
    }

    [Fact]
    public async Task Pressure_that_is_over_when_it_is_looked_at_takes_nothing()
    {
        _ladder.Allow(Both);
        var attachment = await AddAsync(PayloadKind.Attachment);
        _ladder.Yield(Short(""), PressureLevel.Hold);
        Assert.False(attachment.IsOmitted);
    }

    [Fact]
    public async Task The_reason_is_that_of_the_greatest_loss_and_of_the_first_of_its_kind()
    {
        _ladder.Allow(Both);
        var (first, second) = (await AddAsync(PayloadKind.Attachment), await AddAsync(PayloadKind.Attachment));
        _ladder.Omit(first, "attachment_too_large"u8);
        _ladder.Omit(second, "too_many_attachments"u8);
        _ladder.Omit(first, "again"u8);
        Assert.Equal((Degradation.WithoutAttachments, "attachment_too_large"), (_ladder.Given, _ladder.Reason));
        await AddAsync(PayloadKind.Report);
        _ladder.TakeRung("memory");
        Assert.Equal("attachment_too_large", _ladder.Reason);
        _ladder.TakeRung("disk");
        Assert.Equal((Degradation.MetadataOnly, "disk"), (_ladder.Given, _ladder.Reason));
    }

    [Fact]
    public async Task The_next_upload_begins_at_the_foot_of_it()
    {
        _ladder.Allow(Both);
        await AddAsync(PayloadKind.Report);
        _ladder.TakeRung("memory");
        _ladder.TakeRung("memory");
        _ladder.End();
        using var next = _store.Begin();
        _ladder.Begin(next);
        Assert.Equal((Degradation.None, "", true, false), (_ladder.Given, _ladder.Reason, _ladder.Keeps, _ladder.HasRung));
    }

    private static PressureState Short(string word) => new(PressureLevel.Slow, word, DateTimeOffset.UnixEpoch);

    private async Task<Payload> AddAsync(PayloadKind kind, bool complete = true)
    {
        var payload = _submission.AddPayload(kind, "name"u8, default, default);
        await payload.WriteAsync(new byte[100]);
        if (complete)
        {
            await payload.CompleteAsync();
        }

        return payload;
    }
}
