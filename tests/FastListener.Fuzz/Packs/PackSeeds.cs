using System.Net;
using System.Text;
using FastListener.Storage;
using FastListener.Storage.Packs;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastListener.Fuzz.Packs;

/// <summary>Sketches of packs that the real store wrote: the seeds of the targets <c>pack</c> and <c>salvage</c>.</summary>
internal static class PackSeeds
{
    public static async Task<int> WriteAsync(string folder)
    {
        await WriteAsync(folder, "one-object", async store => await SubmitAsync(store, 1, "hello"u8.ToArray()));
        await WriteAsync(folder, "three-batches-and-a-late-attachment", async store =>
        {
            var first = await SubmitAsync(store, 3, "a report"u8.ToArray());
            await SubmitAsync(store, 0, []);
            using var late = store.Begin();
            late.FollowUpOf = first;
            await AddAsync(late, PayloadKind.Attachment, "late", "more"u8.ToArray());
            await store.CommitAsync(late);
        });
        await WriteAsync(folder, "a-payload-in-a-file", async store => await SubmitAsync(store, 1, new byte[9000]));
        await WriteAsync(folder, "bytes-given-up", async store =>
        {
            using var submission = store.Begin();
            submission.Project = store.Project("acme", "game");
            submission.Account = "acme/game";
            submission.WireBytes = 300;
            await AddAsync(submission, PayloadKind.Report, "upload_file_minidump", "kept"u8.ToArray());
            var attachment = await AddAsync(submission, PayloadKind.Attachment, "attachment_log", "not kept"u8.ToArray());
            attachment.Omit("disk"u8);
            await store.CommitAsync(submission);
        });
        return 0;
    }

    private static async Task WriteAsync(string folder, string name, Func<ObjectStore, Task> fill)
    {
        using var directory = new ScratchDirectory("seeds");
        await using (var store = await ObjectStore.OpenAsync(new() { DataDirectory = directory.Path, InlineLimitBytes = 4096 }, NullLogger.Instance))
        {
            await fill(store);
        }

        var sketch = PackSketch.Of(await File.ReadAllBytesAsync(Directory.GetFiles(directory.Path + "/packs").Single()));
        foreach (var (target, selectors) in ((string, byte[])[])[("pack", [0]), ("salvage", [0, 0, 0])])
        {
            Directory.CreateDirectory(Path.Combine(folder, target));
            await File.WriteAllBytesAsync(Path.Combine(folder, target, name), [.. selectors, .. sketch]);
        }
    }

    private static async Task<long> SubmitAsync(ObjectStore store, int attributes, byte[] report)
    {
        using var submission = store.Begin();
        submission.Project = store.Project("acme", "game");
        submission.Format = ObjectFormat.Minidump;
        submission.SetClientAddress(IPAddress.Parse("192.0.2.7"));
        for (var i = 0; i < attributes; i++)
        {
            submission.AddAttribute(AttributeSource.Field, Encoding.ASCII.GetBytes($"name{i}"), "value"u8);
        }

        await AddAsync(submission, PayloadKind.Report, "upload_file_minidump", report);
        return (await store.CommitAsync(submission)).ObjectId;
    }

    private static async Task<Payload> AddAsync(Submission submission, PayloadKind kind, string name, byte[] bytes)
    {
        var payload = submission.AddPayload(kind, Encoding.ASCII.GetBytes(name), "f"u8, "a/b"u8);
        await payload.WriteAsync(bytes);
        await payload.CompleteAsync();
        return payload;
    }
}
