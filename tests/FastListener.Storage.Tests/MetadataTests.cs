using System.Text;
using FastListener.Storage.Packs;

namespace FastListener.Storage.Tests;

/// <summary>What is said about a submission, beside its payloads' bytes: nothing is acknowledged that no reader takes.</summary>
public sealed class MetadataTests : IDisposable
{
    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Theory]
    [InlineData("names")]
    [InlineData("attributes")]
    [InlineData("reasons")]
    public async Task As_much_as_a_record_holds_reads_back_and_more_is_refused_and_leaves_nothing(string what)
    {
        var text = Encoding.ASCII.GetBytes(new string('x', 1024 * 1024));
        await using var store = await _data.OpenAsync();
        Receipt receipt;
        using (var most = await FillAsync(store, what, text))
        {
            Assert.InRange(most.MetadataBytes, PackLayout.MaxMetadata - (3 * text.Length), PackLayout.MaxMetadata);
            receipt = await store.CommitBookedAsync(most);
        }

        using (var more = await FillAsync(store, what, text))
        {
            await SayAsync(more, what, text);
            await SayAsync(more, what, text);
            await more.AddAsync(PayloadKind.Attachment, "large", StoreActions.Bytes(5_000_000));
            var fault = await Assert.ThrowsAsync<StorageFaultException>(() => store.CommitBookedAsync(more, "too_much_metadata"));
            Assert.Equal(StorageFaultKind.TooMuchMetadata, fault.Kind);
        }

        Assert.Equal((1, 0), (store.Statistics.Objects, store.Statistics.PayloadMemory));
        var next = await store.SubmitAsync(StoreActions.Bytes(2_000_000));
        using (var reader = StoreReader.Open(_data.Path))
        {
            Assert.Null(reader.Find(ObjectReference.ForId(receipt.ObjectId))!.Damage);
            reader.AssertHolds(next);
        }

        await store.DisposeAsync();
        Assert.Single(Directory.EnumerateFiles(Path.Combine(_data.Path, "files"), "*", SearchOption.AllDirectories));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_data.Path, "staging")));
        Assert.True(Verification.Run(_data.Path).IsClean);
        Assert.Empty(Audit.Run(_data.Path).Differences);
    }

    [Fact]
    public async Task No_object_has_more_payloads_than_a_reader_can_number()
    {
        await using var store = await _data.OpenAsync();
        var sent = await store.SubmitAsync(StoreActions.Bytes(3000));
        store.Target.Catalog!.Connection.Execute($"UPDATE objects SET payload_count={PackLayout.MaxPayloadIndex - 1}");
        Assert.Equal(PackLayout.MaxPayloadIndex - 1, (await store.AttachAsync(sent.Receipt.ObjectId, "last", [1])).AttachmentId);
        var fault = await Assert.ThrowsAsync<StorageFaultException>(() => store.AttachAsync(sent.Receipt.ObjectId, "one more", [1]));
        Assert.Equal(StorageFaultKind.ObjectFull, fault.Kind);
    }

    /// <summary>A submission that has said as much as it may: two pieces more are too much, one is where the last reason is kept twice.</summary>
    private static async Task<Submission> FillAsync(ObjectStore store, string what, byte[] text)
    {
        var submission = store.Begin();
        submission.Project = store.Project("acme", "game");
        await submission.AddAsync(PayloadKind.Report, "report", StoreActions.Bytes(3000));
        while (submission.MetadataBytes + (2 * text.Length) + SealedRecord.MostPerPayload + SealedRecord.MostBeside <= StoreOptions.MaxMetadataBytes)
        {
            await SayAsync(submission, what, text);
        }

        return submission;
    }

    private static async Task SayAsync(Submission submission, string what, byte[] text)
    {
        switch (what)
        {
            case "attributes":
                submission.AddAttribute(AttributeSource.Field, "name"u8, text);
                break;
            default:
                var payload = submission.AddPayload(PayloadKind.Attachment, what == "names" ? text : "name"u8, default, default);
                if (what == "reasons")
                {
                    payload.Omit(text);
                }

                await payload.CompleteAsync();
                break;
        }
    }
}
