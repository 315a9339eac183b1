using System.Buffers.Binary;
using System.Text;

namespace FastListener.SystemTests.RealClients;

/// <summary>
/// A Crashpad report database written by hand: uploads switched on, one report pending. What Crashpad finds there at its next start
/// is what it would have found after a crash without a network.
/// </summary>
internal sealed class CrashpadDatabase
{
    private const int MetadataBytes = 32;

    public CrashpadDatabase(string folder)
    {
        Folder = folder;
        foreach (var name in new[] { "new", "pending", "completed", "attachments" })
        {
            Directory.CreateDirectory(Path.Combine(folder, name));
        }

        File.WriteAllBytes(Path.Combine(folder, "settings.dat"), Settings());
    }

    public string Folder { get; }

    public void AddPending(Guid report, byte[] dump, string attachmentName, byte[] attachment)
    {
        File.WriteAllBytes(Path.Combine(Folder, "pending", $"{report}.dmp"), dump);
        File.WriteAllBytes(Path.Combine(Folder, "pending", $"{report}.meta"), Metadata());
        var attachments = Directory.CreateDirectory(Path.Combine(Folder, "attachments", report.ToString()));
        File.WriteAllBytes(Path.Combine(attachments.FullName, attachmentName), attachment);
    }

    /// <summary>Whether all of what Crashpad has to say about the report is there: it writes the record first and, after a success, the reply behind it.</summary>
    public bool IsCompleted(Guid report) =>
        File.Exists(CompletedMetadata(report)) && File.ReadAllBytes(CompletedMetadata(report)) is { Length: >= MetadataBytes } metadata
        && (!WasUploaded(metadata) || metadata[^1] == (byte)'}');

    /// <summary>The text that Crashpad keeps as the report's id on the server: the reply's whole body.</summary>
    public string ServerId(Guid report) => Encoding.UTF8.GetString(File.ReadAllBytes(CompletedMetadata(report)).AsSpan(MetadataBytes));

    /// <summary>Bit 0 of the attributes: the upload succeeded. A report that was given up lies in completed/, too.</summary>
    public bool WasUploaded(Guid report) => WasUploaded(File.ReadAllBytes(CompletedMetadata(report)));

    private static bool WasUploaded(ReadOnlySpan<byte> metadata) => (metadata[24] & 1) == 1;

    private string CompletedMetadata(Guid report) => Path.Combine(Folder, "completed", $"{report}.meta");

    /// <summary>Magic "CPds" as a number, version 1, option 1 (uploads enabled), padding, last upload attempt, client id.</summary>
    private static byte[] Settings()
    {
        var bytes = new byte[40];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, 0x43506473);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), 1);
        Guid.NewGuid().TryWriteBytes(bytes.AsSpan(24));
        return bytes;
    }

    /// <summary>Version 1, attempts, last attempt, creation time, attributes; the id on the server would follow.</summary>
    private static byte[] Metadata()
    {
        var bytes = new byte[MetadataBytes];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, 1);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(16), DateTimeOffset.UtcNow.ToUnixTimeSeconds());
        return bytes;
    }
}
