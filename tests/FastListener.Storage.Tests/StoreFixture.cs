using System.IO.Hashing;
using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastListener.Storage.Tests;

/// <summary>A data directory of its own for one test, gone afterwards.</summary>
public sealed class DataDirectory(string? parent = null) : IDisposable
{
    public string Path { get; } = System.IO.Path.Combine(parent ?? System.IO.Path.GetTempPath(), "fl-" + Guid.NewGuid().ToString("N"));

    public StoreOptions Options => new() { DataDirectory = Path, ReserveBytes = 0 };

    public Task<ObjectStore> OpenAsync(StoreOptions? options = null, StorageDevice? device = null, ILogger? logger = null, TimeProvider? time = null) =>
        ObjectStore.OpenAsync(options ?? Options, logger ?? NullLogger.Instance, time, device);

    public void Dispose()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}

/// <summary>What a test submitted and expects to read back.</summary>
public sealed record Sent(Receipt Receipt, byte[] Report, IReadOnlyList<KeyValuePair<string, string>> Attributes)
{
    public ObjectReference Reference => ObjectReference.ForId(Receipt.ObjectId);
}

public static class StoreActions
{
    public static byte[] Bytes(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Where the last pack ends as far as the catalog knows; its file may go on with zeros.</summary>
    public static long CommittedEnd(string data)
    {
        using var connection = Catalog.CatalogConnection.OpenForReading(Path.Combine(data, "catalog.db"));
        return connection.Scalar("SELECT committed_end FROM packs ORDER BY id DESC LIMIT 1");
    }

    public static async Task<Sent> SubmitAsync(
        this ObjectStore store,
        byte[] report,
        string project = "game",
        IReadOnlyList<KeyValuePair<string, string>>? attributes = null,
        int writeSize = int.MaxValue,
        params byte[][] attachments)
    {
        using var submission = store.Begin();
        submission.Project = store.Project("acme", project);
        submission.Format = ObjectFormat.Minidump;
        submission.SetClientAddress(IPAddress.Parse("192.0.2.7"));
        attributes ??= [KeyValuePair.Create("version", "1.0"), KeyValuePair.Create("seed", report.Length.ToString(System.Globalization.CultureInfo.InvariantCulture))];
        foreach (var (name, value) in attributes)
        {
            submission.AddAttribute(AttributeSource.Field, Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(value));
        }

        await submission.AddAsync(PayloadKind.Report, "upload_file_minidump", report, writeSize);
        for (var i = 0; i < attachments.Length; i++)
        {
            await submission.AddAsync(PayloadKind.Attachment, $"attachment_{i}", attachments[i], writeSize);
        }

        return new(await store.CommitBookedAsync(submission), report, attributes);
    }

    /// <summary>Commits as a listener does: with an entry in the ledger, which says in the end whether it was stored.</summary>
    public static async Task<Receipt> CommitBookedAsync(this ObjectStore store, Submission submission, string refusal = "storage_fault")
    {
        var bytes = submission.Payloads.Sum(payload => payload.Length) + 100;
        var entry = store.NewEntry();
        entry.Open();
        (entry.Account, entry.ReceivedBytes) = (submission.Account, bytes);
        (submission.Entry, submission.WireBytes) = (entry, bytes);
        try
        {
            return await store.CommitAsync(submission);
        }
        catch (StorageFaultException)
        {
            entry.Settle(refusal, bytes);
            throw;
        }
        finally
        {
            entry.Close(bytes);
        }
    }

    public static async Task<Payload> AddAsync(this Submission submission, PayloadKind kind, string name, byte[] bytes, int writeSize = int.MaxValue)
    {
        var payload = submission.AddPayload(kind, Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(name + ".bin"), "application/octet-stream"u8);
        for (var position = 0; position < bytes.Length; position += writeSize)
        {
            var count = Math.Min(writeSize, bytes.Length - position);
            await payload.WriteAsync(bytes.AsMemory(position, count));
            if (writeSize == int.MaxValue)
            {
                break;
            }
        }

        await payload.CompleteAsync();
        return payload;
    }

    public static async Task<Receipt> AttachAsync(this ObjectStore store, long objectId, string name, byte[] bytes)
    {
        using var submission = store.Begin();
        submission.FollowUpOf = objectId;
        await submission.AddAsync(PayloadKind.Attachment, name, bytes);
        return await store.CommitBookedAsync(submission);
    }

    public static byte[] ReadAll(this StoreReader reader, PayloadInfo payload)
    {
        using var stream = reader.OpenPayload(payload);
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    public static string Checksum(byte[] bytes) => Convert.ToHexStringLower(XxHash128.Hash(bytes));

    /// <summary>Reads an object back and compares everything that was sent.</summary>
    public static void AssertHolds(this StoreReader reader, Sent sent)
    {
        var found = reader.Find(sent.Reference);
        Assert.NotNull(found);
        Assert.Null(found.Damage);
        Assert.Equal(sent.Receipt.Random, found.Random);
        Assert.Equal(sent.Attributes, found.Attributes.Select(a => KeyValuePair.Create(a.Name, a.Value)));
        var report = found.Payloads[0];
        Assert.Equal(sent.Report.Length, report.Size);
        Assert.Equal(Checksum(sent.Report), report.Checksum);
        Assert.Equal(Checksum(sent.Report), Checksum(reader.ReadAll(report)));
    }
}
