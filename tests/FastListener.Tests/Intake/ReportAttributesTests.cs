using System.Buffers;
using System.Text;
using FastListener.Configuration;
using FastListener.Diagnostics;
using FastListener.Intake;
using FastListener.Overload;
using FastListener.Storage;
using FastListener.Tokens;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace FastListener.Tests.Intake;

public sealed class ReportAttributesTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fl-attributes-").FullName;
    private readonly ReportAttributes _attributes = new();
    private readonly IntakeLimits _limits = new();
    private ObjectStore _store = null!;
    private Submission _submission = null!;

    public async ValueTask InitializeAsync()
    {
        _store = await ObjectStore.OpenAsync(new StoreOptions { DataDirectory = _folder, ReserveBytes = 0 }, NullLogger.Instance);
        _submission = _store.Begin();
        _attributes.Reset();
    }

    public async ValueTask DisposeAsync()
    {
        _submission.Dispose();
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(64)]
    [InlineData(5000)]
    [InlineData(int.MaxValue)]
    public void Attributes_are_found_however_the_report_is_cut(int slice)
    {
        Append($$$"""
            {{{'\uFEFF'}}} { "text": "{{{new string('x', 9000)}}}", "numbers": [1, 2, {"attributes": {"not": "this"}}],
            "attributes": { "a": "b\n{{{new string('y', 9000)}}}", "nested": {"no": 1}, "c": 12.5, "d": null }, "tail": "{{{new string('z', 3000)}}}",
            "body": { "attributes": {"last": true} } }
            """, slice);
        _attributes.Complete(_submission, _limits);
        Assert.Equal(4, _submission.AttributeCount);
        Assert.Equal("a".Length + 9002 + "c12.5".Length + "dnull".Length + "lasttrue".Length, _submission.AttributeBytes);
    }

    [Theory]
    [InlineData("\uFEFF{\"attributes\":{\"a\":1}}", 1)]
    [InlineData("  \r\n\t{\"attributes\":{\"a\":1}}", 1)]
    [InlineData("\uFEFF  {\"attributes\":{\"a\":1}}", 1)]
    [InlineData("  \uFEFF{\"attributes\":{\"a\":1}}", 0)]
    [InlineData("\uFEFE{\"attributes\":{\"a\":1}}", 0)]
    [InlineData("[{\"attributes\":{\"a\":1}}]", 0)]
    public void A_report_begins_with_its_object_behind_a_byte_order_mark_and_blanks_at_most(string report, int attributes)
    {
        Append(report, 1);
        Assert.Equal(attributes, _submission.AttributeCount);
        Assert.True(_attributes.Finished);
    }

    [Fact(Timeout = 60_000)] // less than a second; minutes, were it read from its start with every byte
    public async Task A_long_value_that_comes_byte_by_byte_is_read_a_few_times_only() => await Task.Run(
        () =>
        {
            Append($"{new string(' ', 1_000_000)}{{\"text\":\"{new string('\\', 1_000_000)}\",\"attributes\":{{\"a\":1}}}}", 1);
            _attributes.Complete(_submission, _limits);
            Assert.Equal(1, _submission.AttributeCount);
        },
        TestContext.Current.CancellationToken);

    [Theory]
    [InlineData(1)]
    [InlineData(65536)]
    public void A_value_longer_than_a_mebibyte_is_not_looked_past(int slice)
    {
        Append($"{{\"text\":\"{new string('x', 1_200_000)}\",\"attributes\":{{\"a\":1}}}}", slice);
        Assert.True(_attributes.Finished);
        Assert.Equal(0, _submission.AttributeCount);
    }

    /// <remarks>The shared pool hands out first what this thread gave back last.</remarks>
    [Fact]
    public async Task An_intake_that_waits_for_the_next_request_holds_no_long_value_of_the_last_one()
    {
        await using var tokens = TokenRefresher.Start(_folder, NullLogger.Instance, TimeProvider.System);
        using var overload = new OverloadControl(new OverloadOptions(), _limits, [], TimeProvider.System);
        using var draft = new SubmissionDraft(new IntakeServices(
            _store, tokens, _limits, TimeSpan.Zero, new UnauthenticatedBudget(0), new TokenGuesses(TimeProvider.System), overload,
            new RequestFigures(Refusal.Words), TimeProvider.System, NullLogger.Instance));
        draft.Begin(null);
        draft.BeginReport("upload_file"u8, default, default, out _);
        var value = new string('x', 300_000);
        draft.InspectReport(Encoding.ASCII.GetBytes($"{{\"attributes\":{{\"a\":\"{value}\",\"b\":\"{value}"));
        draft.End();
        Assert.Contains(value, Returned(300_000), StringComparison.Ordinal); // the attribute
        Assert.Contains(value, Returned(300_000), StringComparison.Ordinal); // the value without an end
    }

    private static string Returned(int length)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(length);
        return Encoding.Latin1.GetString(bytes);
    }

    private void Append(string report, int slice)
    {
        ReadOnlySpan<byte> bytes = Encoding.UTF8.GetBytes(report);
        while (!bytes.IsEmpty)
        {
            var next = bytes[..Math.Min(slice, bytes.Length)];
            _attributes.Append(next, _submission, _limits);
            bytes = bytes[next.Length..];
        }
    }
}
