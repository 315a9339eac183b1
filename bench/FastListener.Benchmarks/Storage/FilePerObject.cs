using System.Text.Json;
using FastListener.Storage.Devices;
using FastListener.TestInputs;

namespace FastListener.Benchmarks.Storage;

/// <summary>
/// The peer of the whole commit: what an application does that keeps every upload in a file. Attributes as JSON and the payload are
/// written to one file, synced, renamed, and the directory synced. No catalog, no checksum, no id.
/// </summary>
internal sealed class FilePerObject(string directory)
{
    private readonly LinuxDevice _device = new();
    private int _next;

    public void Store(ReadOnlySpan<byte> payload)
    {
        var path = Path.Combine(directory, Interlocked.Increment(ref _next).ToString("x8", System.Globalization.CultureInfo.InvariantCulture));
        using (var file = new FileStream(path + ".tmp", FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 4096))
        {
            using (var json = new Utf8JsonWriter(file))
            {
                json.WriteStartObject();
                foreach (var (name, value) in CrashpadAttributes.All)
                {
                    json.WriteString(name, value);
                }

                json.WriteEndObject();
            }

            file.Write(payload);
            file.Flush(flushToDisk: true);
        }

        File.Move(path + ".tmp", path);
        _device.SyncDirectory(directory);
    }
}
