using System.Text;

namespace FastListener.Storage.Tests;

/// <summary>Submissions that give up bytes on purpose, so that the rest can be kept.</summary>
public sealed class DegradedTests : IDisposable
{
    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    private string Live => _data.Path + "/live";

    private StoreOptions Options => Scenario.Options(Live);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(900)]
    [InlineData(40_000)]
    [InlineData(200_000)]
    public async Task An_omitted_payload_keeps_its_name_size_checksum_and_reason_but_no_byte(int size)
    {
        var secret = StoreActions.Bytes(size, 7);
        Receipt receipt;
        await using (var store = await _data.OpenAsync(Options))
        {
            using var submission = NewSubmission(store);
            await submission.AddAsync(PayloadKind.Report, "report", StoreActions.Bytes(1500));
            var payload = submission.AddPayload(PayloadKind.Attachment, "attachment_log"u8, "log.txt"u8, "text/plain"u8);
            await payload.WriteAsync(secret.AsMemory(0, size / 2));
            payload.Omit("memory is short"u8);
            Assert.True(payload.IsOmitted);
            Assert.False(payload.IsSpilled);
            await payload.WriteAsync(secret.AsMemory(size / 2));
            await payload.CompleteAsync();
            Assert.Equal(size, payload.Length);
            submission.Degrade(Degradation.WithoutAttachments, "memory is short"u8);
            receipt = await store.CommitAsync(submission);
            Assert.Equal(1500, store.Statistics.PayloadBytes);
            Assert.Equal(0, store.Statistics.PayloadMemory);
        }

        using var reader = StoreReader.Open(Live);
        var found = reader.Find(ObjectReference.ForId(receipt.ObjectId))!;
        Assert.Equal((Degradation.WithoutAttachments, "memory is short"), (found.Degradation, found.DegradedReason));
        Assert.Equal((2, 1500L + size), (found.PayloadCount, found.PayloadBytes));
        var omitted = found.Payloads[1];
        Assert.Equal(("attachment_log", "log.txt", "text/plain", (long)size), (omitted.Name, omitted.FileName, omitted.ContentType, omitted.Size));
        Assert.Equal((true, "memory is short", string.Empty), (omitted.IsOmitted, omitted.OmittedReason, omitted.Location));
        Assert.Equal(StoreActions.Checksum(secret), omitted.Checksum);
        Assert.Equal("memory is short", Assert.Throws<PayloadNotKeptException>(() => reader.OpenPayload(omitted)).Reason);
        Assert.Equal(StoreActions.Bytes(1500), reader.ReadAll(found.Payloads[0]));
        AssertNoFiles();
        var report = Verification.Run(Live);
        Assert.True(report.IsClean, string.Join("; ", report.Damaged));
        Assert.Equal((1, 1, 1500L), (report.Payloads, report.Omitted, report.Bytes));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Any_payload_can_be_given_up_after_it_is_complete_and_the_others_stay_as_they_were(int victim)
    {
        // Sizes around the block size, so that bytes move across blocks when the ones before them go.
        int[] sizes = [40_000, 33_000, 0, 70_001];
        Receipt receipt;
        await using (var store = await _data.OpenAsync(_data.Options with { DataDirectory = Live }))
        {
            using var submission = NewSubmission(store);
            for (var i = 0; i < sizes.Length; i++)
            {
                await submission.AddAsync(i == 0 ? PayloadKind.Report : PayloadKind.Attachment, $"p{i}", StoreActions.Bytes(sizes[i], i));
            }

            submission.Payloads[victim].Omit("too much"u8);
            submission.Payloads[victim].Omit("said twice"u8);
            receipt = await store.CommitAsync(submission);
            Assert.Equal(0, store.Statistics.PayloadMemory);
        }

        using var reader = StoreReader.Open(Live);
        var found = reader.Find(ObjectReference.ForId(receipt.ObjectId))!;
        Assert.Equal(victim == 0 ? Degradation.MetadataOnly : Degradation.WithoutAttachments, found.Degradation); // though nobody called Degrade
        Assert.Equal("too much", found.DegradedReason);
        for (var i = 0; i < sizes.Length; i++)
        {
            Assert.Equal(StoreActions.Checksum(StoreActions.Bytes(sizes[i], i)), found.Payloads[i].Checksum);
            Assert.Equal(i == victim, found.Payloads[i].IsOmitted);
            if (i != victim)
            {
                Assert.Equal(StoreActions.Bytes(sizes[i], i), reader.ReadAll(found.Payloads[i]));
            }
        }

        Assert.True(Verification.Run(Live).IsClean);
    }

    [Fact]
    public async Task A_large_file_that_is_given_up_is_erased_wherever_it_is()
    {
        await using (var store = await _data.OpenAsync(Options))
        {
            using var submission = NewSubmission(store);
            var complete = await submission.AddAsync(PayloadKind.Report, "report", StoreActions.Bytes(90_000));
            var arriving = submission.AddPayload(PayloadKind.Attachment, "a"u8, default, default);
            await arriving.WriteAsync(StoreActions.Bytes(90_000));
            Assert.True(complete.IsSpilled && arriving.IsSpilled);
            complete.Omit("quota"u8);
            arriving.Omit("quota"u8);
            await arriving.WriteAsync(StoreActions.Bytes(90_000));
            await arriving.CompleteAsync();
            await store.CommitAsync(submission);
            Assert.Equal(0, store.Statistics.LargePayloads);
        }

        AssertNoFiles();
        Assert.True(Verification.Run(Live).IsClean);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Live + "/orphans"));
    }

    [Fact]
    public async Task The_level_that_gives_up_more_counts_with_its_reason()
    {
        await using var store = await _data.OpenAsync(Options);
        using var submission = NewSubmission(store);
        await submission.AddAsync(PayloadKind.Report, "r", [1, 2, 3]);
        submission.Degrade(Degradation.WithoutAttachments, "first"u8);
        submission.Degrade(Degradation.MetadataOnly, "second"u8);
        submission.Degrade(Degradation.WithoutAttachments, "third"u8);
        var receipt = await store.CommitAsync(submission);
        using var reader = StoreReader.Open(Live);
        var found = Assert.Single(reader.List(new()));
        Assert.Equal((receipt.ObjectId, Degradation.MetadataOnly, "second"), (found.Id, found.Degradation, found.DegradedReason));
    }

    [Fact]
    public async Task A_late_attachment_can_be_degraded_too()
    {
        await using var store = await _data.OpenAsync(Options);
        var sent = await store.SubmitAsync(StoreActions.Bytes(1000));
        using var late = store.Begin();
        late.FollowUpOf = sent.Receipt.ObjectId;
        late.Account = "someone";
        late.WireBytes = 777;
        var payload = late.AddPayload(PayloadKind.Attachment, "late"u8, default, default);
        payload.Omit("the disk is nearly full"u8);
        await payload.WriteAsync(StoreActions.Bytes(5000));
        await payload.CompleteAsync();
        await store.CommitAsync(late);

        using var reader = StoreReader.Open(Live);
        var row = Assert.Single(reader.Catalog.LateAttachments(sent.Receipt.ObjectId));
        Assert.Equal((Degradation.WithoutAttachments, "the disk is nearly full"), (row.Degradation, row.DegradedReason));
        Assert.Equal(("someone", 777L, 0L), (reader.Catalog.AccountKey(row.Charge.AccountId), row.Charge.WireBytes, row.Charge.KeptBytes));
        Assert.Equal("the disk is nearly full", reader.Find(sent.Reference)!.Payloads[1].OmittedReason);
        Assert.True(Verification.Run(Live).IsClean);
    }

    [Fact]
    public async Task Salvage_and_backup_keep_what_was_given_up_and_who_sent_it()
    {
        await using (var store = await _data.OpenAsync(Options))
        {
            for (var i = 0; i < 4; i++)
            {
                using var submission = NewSubmission(store);
                submission.Account = $"key{i % 2}";
                submission.WireBytes = 10_000 + i;
                await submission.AddAsync(PayloadKind.Report, "r", StoreActions.Bytes(2000, i));
                var attachment = await submission.AddAsync(PayloadKind.Attachment, "a", StoreActions.Bytes(9000, i));
                if (i > 1)
                {
                    attachment.Omit("no room for ünïcode"u8);
                }

                await store.CommitAsync(submission);
            }
        }

        var before = Listing(Live);
        Assert.Contains("WithoutAttachments no room for ünïcode key1 10003", before, StringComparison.Ordinal);
        Backup.Run(Live, _data.Path + "/copy");
        Assert.Equal(before, Listing(_data.Path + "/copy"));
        File.Delete(Live + "/catalog.db");
        Assert.Equal(4, Salvage.Run(Live).Objects);
        Assert.Equal(before, Listing(Live));
        Assert.All([Live, _data.Path + "/copy"], path => Assert.Equal((true, 2), (Verification.Run(path).IsClean, (int)Verification.Run(path).Omitted)));
    }

    [Fact]
    public async Task A_row_whose_mark_was_taken_away_does_not_verify()
    {
        Receipt receipt;
        await using (var store = await _data.OpenAsync(Options))
        {
            using var submission = NewSubmission(store);
            (await submission.AddAsync(PayloadKind.Report, "r", StoreActions.Bytes(2000))).Omit("x"u8);
            receipt = await store.CommitAsync(submission);
            Assert.True(Verification.Run(Live).IsClean);
            store.Target.Catalog!.Connection.Execute("UPDATE objects SET flags=0");
            Assert.Equal(receipt.ObjectId, Assert.Single(Verification.Run(Live).Damaged).ObjectId);
            store.Target.Catalog!.Connection.Execute("UPDATE objects SET flags=4, wire_bytes=1");
            Assert.Single(Verification.Run(Live).Damaged);
        }
    }

    [Theory]
    [InlineData(Loss.Everything)]
    [InlineData(Loss.HalfOfTheData)]
    public async Task What_a_degraded_object_kept_survives_a_power_cut_before_any_call(Loss loss)
    {
        using var memory = new DataDirectory(Directory.Exists("/dev/shm") ? "/dev/shm" : null); // the simulation needs no real durability
        var wasCut = true;
        for (long cut = 1; wasCut; cut++)
        {
            var before = $"{memory.Path}/{cut}";
            var after = before + "-after";
            Directory.CreateDirectory(before);
            var device = new PowerCutDevice(before, cut);
            var acked = new List<(Receipt Receipt, byte[] Kept, byte[] Omitted)>();
            try
            {
                await using var store = await ObjectStore.OpenAsync(Scenario.Options(before), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, null, device);
                foreach (var size in (int[])[2000, 20_000])
                {
                    using var submission = NewSubmission(store);
                    var (kept, omitted) = (StoreActions.Bytes(size, 1), StoreActions.Bytes(30_000 - size, 2));
                    await submission.AddAsync(PayloadKind.Report, "r", kept);
                    var payload = await submission.AddAsync(PayloadKind.Attachment, "a", omitted);
                    payload.Omit("disk nearly full"u8);
                    acked.Add((await store.CommitAsync(submission), kept, omitted));
                }
            }
            catch (StorageFaultException) when (device.IsCut)
            {
            }

            wasCut = device.IsCut;
            device.Survive(after, loss);
            await using (await ObjectStore.OpenAsync(Scenario.Options(after), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance))
            {
                using var reader = StoreReader.Open(after);
                foreach (var (receipt, kept, omitted) in acked)
                {
                    var found = reader.Find(ObjectReference.ForId(receipt.ObjectId))!;
                    Assert.Equal((Degradation.WithoutAttachments, "disk nearly full"), (found.Degradation, found.DegradedReason));
                    Assert.Equal(kept, reader.ReadAll(found.Payloads[0]));
                    Assert.Equal((true, StoreActions.Checksum(omitted)), (found.Payloads[1].IsOmitted, found.Payloads[1].Checksum));
                }

                var report = Verification.Run(after);
                Assert.True(report.IsClean, $"cut {cut}: {string.Join("; ", report.Damaged)}");
            }
        }
    }

    private static Submission NewSubmission(ObjectStore store)
    {
        var submission = store.Begin();
        submission.Project = store.Project("acme", "game");
        submission.AddAttribute(AttributeSource.Field, "version"u8, "1"u8);
        return submission;
    }

    private static string Listing(string path)
    {
        using var reader = StoreReader.Open(path);
        var text = new StringBuilder();
        foreach (var o in reader.All())
        {
            text.AppendLine($"{o.Rxid} {o.PayloadBytes} {o.Degradation} {o.DegradedReason} {o.Account} {o.WireBytes} {string.Join(" | ", o.Payloads)}");
        }

        return text.ToString();
    }

    private void AssertNoFiles() =>
        Assert.DoesNotContain(Directory.EnumerateFiles(Live, "*-*", SearchOption.AllDirectories), f => !f.Contains("catalog", StringComparison.Ordinal));
}
