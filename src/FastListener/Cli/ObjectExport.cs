using System.Buffers;
using System.Globalization;
using System.IO.Hashing;
using FastListener.Storage;

namespace FastListener.Cli;

/// <summary>
/// Copies stored bytes out and checks them on the way: a copy whose size or checksum is wrong is still written, since
/// it may be all there is, and reported.
/// </summary>
internal sealed class ObjectExport(StoreReader reader)
{
    private const int BufferBytes = 1024 * 1024;

    /// <summary>Parts written so far.</summary>
    public long Parts { get; private set; }

    /// <summary>Bytes written so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>What is not a fault but must be said: parts of degraded objects that were never kept.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>What went wrong so far, a sentence each.</summary>
    public List<string> Faults { get; } = [];

    /// <summary>
    /// The part that was asked for: by the name it was sent under, else by its file name, else by its number. Without a
    /// name, the report.
    /// </summary>
    /// <exception cref="CommandFault">There is none, or more than one.</exception>
    public static PayloadInfo Select(ObjectDetails item, string? part)
    {
        if (part is null)
        {
            return item.Payloads.FirstOrDefault(payload => payload.Kind is PayloadKind.Report)
                ?? throw new CommandFault($"Object {item.Rxid} has no report{Because(item)}.");
        }

        foreach (var matches in (Func<PayloadInfo, bool>[])
            [
                payload => payload.Name == part,
                payload => payload.Name == "attachment_" + part,
                payload => payload.FileName == part,
                payload => payload.FileName.EndsWith('/' + part, StringComparison.Ordinal) || payload.FileName.EndsWith('\\' + part, StringComparison.Ordinal),
                payload => payload.Index.ToString(CultureInfo.InvariantCulture) == part,
            ])
        {
            var found = item.Payloads.Where(matches).ToList();
            switch (found.Count)
            {
                case 1:
                    return found[0];
                case > 1:
                    throw new CommandFault(
                        $"Object {item.Rxid} has {found.Count} parts of this name: give the number of one ({string.Join(", ", found.Select(payload => payload.Index))}).");
            }
        }

        throw new CommandFault($"Object {item.Rxid} has no part '{TerminalText.Escape(part)}'{Because(item)}.");
    }

    /// <summary>Says that there are no bytes to write.</summary>
    public static string NotKept(ObjectDetails item, PayloadInfo payload) =>
        $"Part {payload.Index} of object {item.Rxid} was not kept when it came ({payload.Size} bytes): {TerminalText.Escape(payload.OmittedReason ?? "")}.";

    /// <summary>Writes the report as <c>DIR/_rxid</c> and everything else into <c>DIR/_rxid.parts/</c>; or only one part, in its place.</summary>
    public void WriteTo(string directory, ObjectDetails item, PayloadInfo? only)
    {
        if (item.Damage is { } damage)
        {
            Faults.Add($"The record of object {item.Rxid} is damaged: {TerminalText.Escape(damage.TrimEnd('.'))}.");
        }

        var reportPath = Path.Combine(directory, item.Rxid);
        var names = new SafeFileNames();
        var reportSeen = false;
        foreach (var payload in item.Payloads)
        {
            if (payload.Kind is PayloadKind.Report && !reportSeen)
            {
                reportSeen = true;
                if (only is null || only == payload)
                {
                    WriteKept(directory, reportPath, item, payload, asked: only is not null);
                }
            }
            else
            {
                // A name is taken for every part, wanted or not, so that the same part has the same name in every export.
                var name = names.Next(payload.FileName, payload.Name, payload.Index);
                if (only is null || only == payload)
                {
                    WriteKept(reportPath + ".parts", Path.Combine(reportPath + ".parts", name), item, payload, asked: only is not null);
                }
            }
        }

        if (only is null && !reportSeen && item.Damage is null)
        {
            Faults.Add($"Object {item.Rxid} has no report.");
        }
    }

    /// <summary>Copies one payload. A fault of the stored bytes goes to <see cref="Faults"/>; one of the target is thrown.</summary>
    public void Copy(ObjectDetails item, PayloadInfo payload, Stream target)
    {
        var hash = new XxHash128();
        var length = 0L;
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            using var source = Open(item, payload);
            for (int read; source is not null && (read = Read(source, buffer, item, payload)) > 0; length += read)
            {
                hash.Append(buffer.AsSpan(0, read));
                target.Write(buffer, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        Parts++;
        Bytes += length;
        if (length != payload.Size)
        {
            Faults.Add($"Part {payload.Index} of object {item.Rxid} is damaged: {length} of {payload.Size} bytes could be read.");
        }
        else if (!Convert.ToHexStringLower(hash.GetCurrentHash()).Equals(payload.Checksum, StringComparison.OrdinalIgnoreCase))
        {
            Faults.Add($"Part {payload.Index} of object {item.Rxid} is damaged: its checksum is wrong.");
        }
    }

    /// <summary>
    /// Writes one payload to a file, which gets its name when it is complete: what was cut short never looks whole. What is no regular file, a pipe or a device
    /// or a link to one, is written to as it is.
    /// </summary>
    public void WriteFile(string path, ObjectDetails item, PayloadInfo payload)
    {
        var there = FileStatus.Of(path, followLink: false);
        if (there is { IsRegular: false })
        {
            using var target = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
            Copy(item, payload, target);
            return;
        }

        // No part is ever called so, whatever its sender said: safe names do not begin with a dot.
        var beside = Path.Combine(Path.GetDirectoryName(path) ?? "", $".{Path.GetFileName(path)}.partial");
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0 };
        if (there is not null && !OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = File.GetUnixFileMode(path); // who may read it is not for us to change
        }

        try
        {
            using (var file = new FileStream(beside, options))
            {
                Copy(item, payload, file);
            }

            File.Move(beside, path, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
    }

    private static string Because(ObjectDetails item) => item.Damage is { } damage ? $", its record is damaged: {TerminalText.Escape(damage.TrimEnd('.'))}" : "";

    /// <summary>A part that was never kept gets no file. It is a fault only when it was asked for.</summary>
    private void WriteKept(string directory, string path, ObjectDetails item, PayloadInfo payload, bool asked)
    {
        if (payload.IsOmitted)
        {
            (asked ? Faults : Notes).Add(NotKept(item, payload));
            return;
        }

        Directory.CreateDirectory(directory);
        WriteFile(path, item, payload);
    }

    private Stream? Open(ObjectDetails item, PayloadInfo payload)
    {
        try
        {
            return reader.OpenPayload(payload);
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            Faults.Add($"Part {payload.Index} of object {item.Rxid} cannot be read: {TerminalText.Escape(failure.Message.TrimEnd('.'))}.");
            return null;
        }
    }

    private int Read(Stream source, byte[] buffer, ObjectDetails item, PayloadInfo payload)
    {
        try
        {
            return source.Read(buffer, 0, BufferBytes);
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            Faults.Add($"Part {payload.Index} of object {item.Rxid} cannot be read on: {TerminalText.Escape(failure.Message.TrimEnd('.'))}.");
            return 0;
        }
    }
}
