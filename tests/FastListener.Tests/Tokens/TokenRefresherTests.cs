using FastListener.Tokens;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace FastListener.Tests.Tokens;

public sealed class TokenRefresherTests : IDisposable
{
    private static readonly byte[] Token = "0123456789abcdef"u8.ToArray();
    private readonly DataDirectory _data = new();
    private readonly RecordedLog _log = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task A_changed_file_replaces_the_whole_table()
    {
        Write("one");
        await using var refresher = TokenRefresher.Start(_data.Path, _log, new FakeTimeProvider());
        var before = refresher.Table;
        var announced = new List<TokenTable>();
        refresher.Replaced += announced.Add;

        Assert.Equal(TokenRefresh.Unchanged, refresher.RefreshNow());
        Write("two");
        Assert.Equal(TokenRefresh.Replaced, refresher.RefreshNow());

        Assert.Equal("one", ProjectIn(before));
        Assert.Equal("two", ProjectIn(refresher.Table));
        Assert.Same(refresher.Table, Assert.Single(announced));
    }

    [Fact]
    public async Task An_invalid_file_keeps_the_old_table_and_is_complained_of_once_with_every_fault()
    {
        Write("one");
        await using var refresher = TokenRefresher.Start(_data.Path, _log, new FakeTimeProvider());
        var before = refresher.Table;
        _data.WriteTokens("""{"tokens":[{"token":"fedcba9876543210","capabilities":["all"]}]}""");

        Assert.Equal(TokenRefresh.Kept, refresher.RefreshNow());
        Assert.Equal(TokenRefresh.Kept, refresher.RefreshNow());
        Assert.Same(before, refresher.Table);

        var complaint = Assert.Single(_log.Entries, entry => entry.Level is LogLevel.Error);
        Assert.Equal(301, complaint.Id);
        Assert.Contains("unknown capability \"all\"", complaint.Text, StringComparison.Ordinal);
        Assert.Contains("\"universe\" is missing", complaint.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("fedcba9876543210", complaint.Text, StringComparison.Ordinal);

        Write("one");
        Assert.Equal(TokenRefresh.Replaced, refresher.RefreshNow());
        Assert.Equal("one", ProjectIn(refresher.Table));
    }

    [Fact]
    public async Task A_missing_file_keeps_the_old_table_until_it_comes_back()
    {
        Write("one");
        await using var refresher = TokenRefresher.Start(_data.Path, _log, new FakeTimeProvider());
        File.Delete(_data.TokensJson);

        Assert.Equal(TokenRefresh.Kept, refresher.RefreshNow());
        Assert.Equal(TokenRefresh.Kept, refresher.RefreshNow());
        Assert.Equal("one", ProjectIn(refresher.Table));
        Assert.Single(_log.Entries, entry => entry.Id == 302);

        Write("two");
        Assert.Equal(TokenRefresh.Replaced, refresher.RefreshNow());
        Assert.Equal("two", ProjectIn(refresher.Table));
    }

    [Fact]
    public async Task A_file_that_appears_after_the_start_is_loaded()
    {
        await using var refresher = TokenRefresher.Start(_data.Path, _log, new FakeTimeProvider());
        Assert.Equal(0, refresher.Table.Count);

        Write("one");
        Assert.Equal(TokenRefresh.Replaced, refresher.RefreshNow());
        Assert.Equal("one", ProjectIn(refresher.Table));
    }

    [Fact]
    public void A_start_with_an_invalid_file_fails_and_says_why()
    {
        _data.WriteTokens("{");
        var fault = Assert.Throws<TokenFileException>(() => TokenRefresher.Start(_data.Path, _log, new FakeTimeProvider()));
        Assert.Contains("not valid JSON at line 1", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_watch_itself_finds_an_edit()
    {
        Write("one");
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var refresher = TokenRefresher.Start(_data.Path, _log, clock);
        var swapped = new TaskCompletionSource<TokenTable>(TaskCreationOptions.RunContinuationsAsynchronously);
        refresher.Replaced += table => swapped.TrySetResult(table);

        Write("two");
        clock.Advance(TokenRefresher.DefaultInterval);

        Assert.Equal("two", ProjectIn(await swapped.Task));
    }

    [Fact]
    public async Task A_look_that_fails_in_whatever_way_is_not_the_last_one()
    {
        Write("one");
        var clock = new FailingClock();
        await using var refresher = TokenRefresher.Start(_data.Path, _log, clock);
        var swapped = new TaskCompletionSource<TokenTable>(TaskCreationOptions.RunContinuationsAsynchronously);
        refresher.Replaced += table => swapped.TrySetResult(table);
        clock.Advance(TokenRefresher.DefaultInterval);
        await clock.Failed.Task;

        Write("two");
        clock.Advance(TokenRefresher.DefaultInterval);

        Assert.Equal("two", ProjectIn(await swapped.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)));
        Assert.Single(_log.Entries, entry => entry.Id == 303);
    }

    [Fact]
    public async Task An_edit_that_leaves_size_and_time_as_they_were_is_found_all_the_same()
    {
        Write("one");
        var changedAt = File.GetLastWriteTimeUtc(_data.TokensJson);
        var clock = new FakeTimeProvider(changedAt.AddDays(1)); // long ago: nothing hints at a fresh edit
        await using var refresher = TokenRefresher.Start(_data.Path, _log, clock);
        var swapped = new TaskCompletionSource<TokenTable>(TaskCreationOptions.RunContinuationsAsynchronously);
        refresher.Replaced += table => swapped.TrySetResult(table);

        Write("two");
        File.SetLastWriteTimeUtc(_data.TokensJson, changedAt);
        clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal("two", ProjectIn(await swapped.Task));
    }

    [Fact]
    public async Task Readers_see_the_old_table_or_the_new_one_while_it_is_swapped()
    {
        Write("even");
        await using var refresher = TokenRefresher.Start(_data.Path, NullLogger.Instance, new FakeTimeProvider());
        using var stop = new CancellationTokenSource();
        using var reading = new CountdownEvent(3);
        var readers = Enumerable.Range(0, reading.InitialCount).Select(_ => Task.Run(() =>
        {
            var reads = 0;
            reading.Signal();
            while (!stop.IsCancellationRequested)
            {
                Assert.True(refresher.Table.TryFind(Token, out var grant));
                Assert.Contains(grant.Project, (string[])["even", "odd"]);
                Assert.Equal(grant.Project == "even" ? Capabilities.ErrorPost : Capabilities.SymbolPost, grant.Capabilities);
                reads++;
            }

            Assert.True(refresher.Table.TryFind(Token, out var last));
            Assert.Equal("even", last.Project);
            return reads;
        })).ToList();
        reading.Wait();

        for (var i = 1; i <= 50; i++)
        {
            Write(i % 2 == 0 ? "even" : "odd", i % 2 == 0 ? Capabilities.ErrorPost : Capabilities.SymbolPost);
            Assert.Equal(TokenRefresh.Replaced, refresher.RefreshNow());
        }

        await stop.CancelAsync();
        Assert.NotEqual(0, (await Task.WhenAll(readers)).Sum());
    }

    private static string ProjectIn(TokenTable table) => table.TryFind(Token, out var grant) ? grant.Project : "(none)";

    private void Write(string project, Capabilities capabilities = Capabilities.ErrorPost) => File.WriteAllBytes(
        _data.TokensJson,
        TokenDocument.Empty.With(new(new(System.Text.Encoding.UTF8.GetString(Token)), "local", project, capabilities)).ToJson());

    /// <summary>A clock that cannot be read the first time.</summary>
    private sealed class FailingClock : FakeTimeProvider
    {
        public TaskCompletionSource Failed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override long GetTimestamp() =>
            Failed.TrySetResult() ? throw new InvalidOperationException("What nobody has thought of.") : base.GetTimestamp();
    }
}
