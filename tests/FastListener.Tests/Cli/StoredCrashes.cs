using System.Net;
using System.Text;
using FastListener.Storage;
using FastListener.Tests.Tokens;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastListener.Tests.Cli;

/// <summary>A data directory with a store that stays open, as while a server runs.</summary>
internal sealed class StoredCrashes : IAsyncDisposable
{
    private readonly DataDirectory _data;
    private readonly ObjectStore _store;

    private StoredCrashes(DataDirectory data, ObjectStore store)
    {
        _data = data;
        _store = store;
    }

    public string Path => _data.Path;

    public string Beside(string name) => _data.File(name);

    public static async Task<StoredCrashes> OpenAsync()
    {
        var data = new DataDirectory();
        return new(data, await ObjectStore.OpenAsync(new StoreOptions { DataDirectory = data.Path, DirectPacks = false }, NullLogger.Instance));
    }

    /// <summary>Commits one crash; parts are (name, file name, bytes), the first of them the report.</summary>
    public async Task<string> AddAsync(
        string project,
        TimeSpan age,
        (AttributeSource Source, string Name, string Value)[] attributes,
        params (string Name, string FileName, byte[] Bytes)[] parts)
    {
        var submission = _store.Begin();
        submission.Project = _store.Project("local", project);
        submission.Format = ObjectFormat.Minidump;
        submission.ReceivedAt = CommandRun.Now - age;
        submission.SetClientAddress(IPAddress.Parse("192.0.2.7"));
        foreach (var (source, name, value) in attributes)
        {
            submission.AddAttribute(source, Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(value));
        }

        submission.AddNote("report is gzip-compressed"u8);
        foreach (var (i, (name, fileName, bytes)) in parts.Index())
        {
            var payload = submission.AddPayload(
                i == 0 ? PayloadKind.Report : PayloadKind.Attachment,
                Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(fileName), "application/octet-stream"u8);
            await payload.WriteAsync(bytes);
            await payload.CompleteAsync();
        }

        var receipt = await CommitAsync(submission);
        return ReceiptId.Rxid(receipt.ObjectId, receipt.Random);
    }

    /// <summary>Commits one crash that keeps its report, or not even that, and gives up its one attachment <c>attachment_log</c>.</summary>
    public async Task<string> AddDegradedAsync(Degradation level, string reason, byte[] report, byte[] log)
    {
        var submission = _store.Begin();
        submission.Project = _store.Project("local", "p");
        submission.Format = ObjectFormat.Minidump;
        submission.ReceivedAt = CommandRun.Now;
        submission.Account = "0123abcd";
        submission.WireBytes = 12_345;
        submission.Degrade(level, Encoding.UTF8.GetBytes(reason));
        foreach (var (kind, name, bytes) in ((PayloadKind, string, byte[])[])[(PayloadKind.Report, "upload_file_minidump", report), (PayloadKind.Attachment, "attachment_log", log)])
        {
            var payload = submission.AddPayload(kind, Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(name + ".bin"), default);
            if (kind is PayloadKind.Attachment || level is Degradation.MetadataOnly)
            {
                payload.Omit(Encoding.UTF8.GetBytes(reason));
            }

            await payload.WriteAsync(bytes);
            await payload.CompleteAsync();
        }

        var receipt = await CommitAsync(submission);
        return ReceiptId.Rxid(receipt.ObjectId, receipt.Random);
    }

    public Task<CommandRun> Run(params string[] args) => CommandRun.Of([.. args, "--data", Path]);

    public Task<CommandRun> RunOnTerminal(params string[] args) => CommandRun.OnTerminal([.. args, "--data", Path]);

    public Task<CommandRun> RunOnTerminalOf(int columns, params string[] args) =>
        CommandRun.Run([.. args, "--data", Path], onTerminal: true, columns: columns);

    private async Task<Receipt> CommitAsync(Submission submission)
    {
        var entry = _store.NewEntry();
        entry.Open();
        entry.ReceivedBytes = submission.WireBytes;
        submission.Entry = entry;
        var receipt = await _store.CommitAsync(submission);
        entry.Close(entry.ReceivedBytes);
        return receipt;
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _data.Dispose();
    }
}
