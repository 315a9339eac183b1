using System.Net;
using System.Text;

namespace FastListener.Storage.Tests;

public sealed class RoundTripTests : IDisposable
{
    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Theory]
    [InlineData(0, int.MaxValue)]
    [InlineData(1, int.MaxValue)]
    [InlineData(20 * 1024, 1000)]
    [InlineData(20 * 1024, int.MaxValue)]
    [InlineData(32 * 1024, 4096)]
    [InlineData(1024 * 1024, 16384)]
    [InlineData(1024 * 1024 + 1, 16384)]
    [InlineData(5_000_001, 65_536)]
    [InlineData(5_000_001, int.MaxValue)]
    public async Task A_report_reads_back_as_it_was_sent_whatever_its_size(int length, int writeSize)
    {
        Sent sent;
        await using (var store = await _data.OpenAsync())
        {
            sent = await store.SubmitAsync(StoreActions.Bytes(length), writeSize: writeSize);
            using var running = StoreReader.Open(_data.Path);
            running.AssertHolds(sent);
        }

        using var reader = StoreReader.Open(_data.Path);
        reader.AssertHolds(sent);
        Assert.True(Verification.Run(_data.Path).IsClean);
    }

    [Theory]
    [InlineData(LargeFileMode.Direct, 4096)]
    [InlineData(LargeFileMode.Direct, 512 * 1024)]
    [InlineData(LargeFileMode.EarlyWriteBack, 4096)]
    [InlineData(LargeFileMode.EarlyWriteBack, 1024 * 1024)]
    public async Task A_large_report_goes_to_a_file_of_its_own_in_either_mode(LargeFileMode mode, int buffer)
    {
        await using var store = await _data.OpenAsync(_data.Options with { LargeFiles = mode, LargeBufferBytes = buffer });
        var sent = await store.SubmitAsync(StoreActions.Bytes(20_000_003), writeSize: 70_001);
        using var reader = StoreReader.Open(_data.Path);
        reader.AssertHolds(sent);
        Assert.StartsWith("files/", reader.Find(sent.Reference)!.Payloads[0].Location, StringComparison.Ordinal);
        Assert.Equal(1, store.Statistics.LargePayloads);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_data.Path, "staging"), "*-*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData(true, new[] { 509 })]
    [InlineData(false, new int[0])]
    public async Task A_file_system_that_refuses_unbuffered_writes_is_noticed_at_the_start_and_served_through_the_page_cache(bool refuses, int[] said)
    {
        var log = new EventLogger();
        var device = new TestDevice { RefusesDirect = refuses };
        var options = _data.Options with { DirectPacks = true, LargeFiles = LargeFileMode.Direct };
        Sent small, large;
        await using (var store = await _data.OpenAsync(options, device, log))
        {
            Assert.Equal(said, log.Events.Where(id => id == 509));
            small = await store.SubmitAsync(StoreActions.Bytes(20_000));
            large = await store.SubmitAsync(StoreActions.Bytes(5_000_001));
        }

        using var reader = StoreReader.Open(_data.Path);
        reader.AssertHolds(small);
        reader.AssertHolds(large);
        Assert.True(Verification.Run(_data.Path).IsClean);
    }

    [Fact]
    public async Task Everything_said_about_an_object_reads_back()
    {
        await using var store = await _data.OpenAsync();
        using var submission = store.Begin();
        submission.Project = store.Project("acme", "spiel");
        submission.Format = ObjectFormat.Json;
        submission.ReceivedAt = new DateTimeOffset(2026, 2, 3, 4, 5, 6, 789, TimeSpan.Zero);
        submission.SetClientAddress(IPAddress.Parse("2001:db8::1"));
        submission.AddAttribute(AttributeSource.Field, "a"u8, "1"u8);
        submission.AddAttribute(AttributeSource.Query, "a"u8, "2"u8);
        submission.AddAttribute(AttributeSource.Report, "ü"u8, "näme"u8);
        submission.AddAttribute(AttributeSource.Query, "b"u8, ""u8);
        submission.AddAttribute(AttributeSource.Query, "b"u8, "later"u8);
        submission.AddNote("report is gzip-compressed"u8);
        submission.AddNote("second"u8);
        await submission.AddAsync(PayloadKind.Attachment, "attachment_log", []);
        await submission.AddAsync(PayloadKind.Report, "upload_file", "{}"u8.ToArray());
        await submission.AddAsync(PayloadKind.Attachment, "attachment_big", StoreActions.Bytes(3_000_000));
        var receipt = await store.CommitAsync(submission);

        using var reader = StoreReader.Open(_data.Path);
        var found = reader.Find(ObjectReference.ForId(receipt.ObjectId))!;
        Assert.Equal(("acme", "spiel", ObjectFormat.Json), (found.Universe, found.Project, found.Format));
        Assert.Equal(submission.ReceivedAt, found.ReceivedAt);
        Assert.Equal(IPAddress.Parse("2001:db8::1"), found.ClientAddress);
        Assert.Equal(["a=1", "a=2", "ü=näme", "b=", "b=later"], found.Attributes.Select(a => $"{a.Name}={a.Value}"));
        Assert.Equal(["a=1", "ü=näme", "b=later"], found.EffectiveAttributes.Select(a => $"{a.Key}={a.Value}"));
        Assert.Equal(["report is gzip-compressed", "second"], found.Notes);
        Assert.Equal(["upload_file", "attachment_log", "attachment_big"], found.Payloads.Select(p => p.Name));
        Assert.Equal([0, 1, 2], found.Payloads.Select(p => p.Index));
        Assert.Equal("attachment_log.bin", found.Payloads[1].FileName);
        Assert.Equal("application/octet-stream", found.Payloads[1].ContentType);
        Assert.Empty(reader.ReadAll(found.Payloads[1]));
        Assert.Equal("{}", Encoding.UTF8.GetString(reader.ReadAll(found.Payloads[0])));
        Assert.Equal(StoreActions.Bytes(3_000_000), reader.ReadAll(found.Payloads[2]));
        Assert.Equal((3, 3_000_002L), (found.PayloadCount, found.PayloadBytes));
    }

    [Fact]
    public async Task Notes_are_kept_once_each_and_within_their_bytes()
    {
        await using var store = await _data.OpenAsync();
        using var submission = store.Begin();
        submission.Project = store.Project("acme", "spiel");
        var longest = new string('x', Submission.MaxNoteBytes - "firstsecond".Length);
        foreach (var note in new[] { "first", "second", "first", "second", longest + "x", longest, "no room", "first" })
        {
            submission.AddNote(Encoding.UTF8.GetBytes(note));
        }

        await submission.AddAsync(PayloadKind.Report, "upload_file", "{}"u8.ToArray());
        var receipt = await store.CommitAsync(submission);
        using var reader = StoreReader.Open(_data.Path);
        Assert.Equal(["first", "second", longest], reader.Find(ObjectReference.ForId(receipt.ObjectId))!.Notes);
    }

    [Fact]
    public async Task A_thousand_small_attachments_share_the_record()
    {
        await using var store = await _data.OpenAsync();
        var attachments = Enumerable.Range(0, 1000).Select(i => StoreActions.Bytes(2000, i)).ToArray();
        var sent = await store.SubmitAsync(StoreActions.Bytes(100), attachments: attachments);
        using var reader = StoreReader.Open(_data.Path);
        var found = reader.Find(sent.Reference)!;
        Assert.Equal(1001, found.Payloads.Count);
        Assert.All(found.Payloads, p => Assert.StartsWith("packs/", p.Location, StringComparison.Ordinal));
        Assert.Equal(attachments[999], reader.ReadAll(found.Payloads[1000]));
        Assert.Equal(attachments[0], reader.ReadAll(found.Payloads[1]));
    }

    [Fact]
    public async Task A_discarded_payload_leaves_nothing_behind()
    {
        await using var store = await _data.OpenAsync();
        using var submission = store.Begin();
        submission.Project = store.Project("acme", "game");
        await submission.AddAsync(PayloadKind.Report, "report", "MDMP"u8.ToArray());
        var field = submission.AddPayload(PayloadKind.Attachment, "token"u8, default, default);
        await field.WriteAsync("secret"u8.ToArray());
        Assert.Equal("secret"u8, field.Head);
        field.Discard();
        await submission.AddAsync(PayloadKind.Attachment, "log", "line"u8.ToArray());
        var receipt = await store.CommitAsync(submission);

        using var reader = StoreReader.Open(_data.Path);
        var found = reader.Find(ObjectReference.ForId(receipt.ObjectId))!;
        Assert.Equal(["report", "log"], found.Payloads.Select(p => p.Name));
        Assert.Equal("line"u8, reader.ReadAll(found.Payloads[1]));
        Assert.DoesNotContain("secret", Encoding.Latin1.GetString(File.ReadAllBytes(Directory.GetFiles(Path.Combine(_data.Path, "packs"))[0])), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_writers_at_once_share_commits_and_lose_nothing()
    {
        await using var store = await _data.OpenAsync();
        var sent = await Task.WhenAll(Enumerable.Range(0, 400).Select(i => Task.Run(() => store.SubmitAsync(StoreActions.Bytes(3000 + i, i)))));
        Assert.Equal(400, sent.Select(s => s.Receipt.ObjectId).Distinct().Count());
        Assert.True(store.Statistics.Batches < 400, $"{store.Statistics.Batches} batches");
        using var reader = StoreReader.Open(_data.Path);
        Assert.All(sent, reader.AssertHolds);
        Assert.Equal(400, reader.List(new()).Count());
    }

    [Theory]
    [InlineData(40, 100_000, 4)] // 4 MB wait: halves of 20 and 10, then 6, which are half a megabyte, and the 4 that are left
    [InlineData(20, 10_000, 1)] // 200 KB wait: not worth more than one flush
    public async Task A_batch_takes_half_of_what_waits_unless_that_is_little(int waiting, int size, int batches)
    {
        using var isSyncing = new ManualResetEventSlim();
        using var gate = new ManualResetEventSlim();
        var device = new TestDevice();
        await using var store = await _data.OpenAsync(_data.Options, device);
        device.Before = (call, path) =>
        {
            if (call == "sync" && path.EndsWith(".pack", StringComparison.Ordinal))
            {
                isSyncing.Set();
                gate.Wait(TimeSpan.FromSeconds(60));
            }
        };
        var first = store.SubmitAsync(StoreActions.Bytes(10));
        Assert.True(isSyncing.Wait(TimeSpan.FromSeconds(60)));
        var rest = Enumerable.Range(0, waiting).Select(i => store.SubmitAsync(StoreActions.Bytes(size, i))).ToList();
        Assert.Equal(waiting, store.Statistics.Queued);
        gate.Set();
        await Task.WhenAll([first, .. rest]);
        Assert.Equal(1 + batches, store.Statistics.Batches);
    }

    [Fact]
    public async Task A_submission_larger_than_a_batch_is_a_batch_of_its_own()
    {
        await using var store = await _data.OpenAsync(_data.Options with { MaxBatchBytes = 64 * 1024 });
        var sent = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => store.SubmitAsync(StoreActions.Bytes(i % 4 == 0 ? 500_000 : 5_000, i)))));
        using var reader = StoreReader.Open(_data.Path);
        Assert.All(sent, reader.AssertHolds);
    }

    [Fact]
    public async Task A_full_pack_is_closed_and_the_next_one_begun()
    {
        var options = _data.Options with { PackBytes = 200_000 };
        var sent = new List<Sent>();
        await using (var store = await _data.OpenAsync(options))
        {
            for (var i = 0; i < 20; i++)
            {
                sent.Add(await store.SubmitAsync(StoreActions.Bytes(50_000, i)));
            }
        }

        Assert.True(Directory.GetFiles(Path.Combine(_data.Path, "packs")).Length >= 4);
        using var reader = StoreReader.Open(_data.Path);
        Assert.All(sent, reader.AssertHolds);
    }
}
