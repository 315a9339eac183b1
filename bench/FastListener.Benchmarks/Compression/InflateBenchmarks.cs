using System.IO.Compression;
using BenchmarkDotNet.Attributes;
using FastListener.Protocol.Compression;
using FastListener.Protocol.Http;
using FastListener.TestInputs;

namespace FastListener.Benchmarks.Compression;

/// <summary>
/// A gzip body inflated into 64 KiB at a time. <c>GZipStream</c> and ours call the same zlib-ng; what differs is what lies around it, and that ours notices a cut
/// stream. The other two inflate in C#.
/// </summary>
[MemoryDiagnoser]
public class InflateBenchmarks
{
    private const int BufferBytes = 64 * 1024;

    private readonly Inflater _inflater = new();
    private readonly byte[] _output = new byte[BufferBytes];
    private byte[] _zipped = [];

    [Params(NamedForms.Crashpad20K, NamedForms.Crashpad1M)]
    public string Form { get; set; } = NamedForms.Crashpad20K;

    [GlobalSetup]
    public void Setup()
    {
        var body = NamedForms.Get(Form).Body;
        _zipped = BodyCodings.Gzip(body);
        if (new[] { Platform(), FastListener(), SharpZipLib(), SharpCompress() }.Any(length => length != body.Length))
        {
            throw new InvalidOperationException("The body came out with another length.");
        }
    }

    [GlobalCleanup]
    public void Cleanup() => _inflater.Dispose();

    [Benchmark(Baseline = true, Description = "GZipStream")]
    public long Platform() => Drain(new GZipStream(Zipped(), CompressionMode.Decompress));

    [Benchmark]
    public long SharpZipLib() => Drain(new ICSharpCode.SharpZipLib.GZip.GZipInputStream(Zipped()));

    [Benchmark]
    public long SharpCompress() => Drain(new global::SharpCompress.Compressors.Deflate.GZipStream(Zipped(), global::SharpCompress.Compressors.CompressionMode.Decompress));

    [Benchmark]
    public long FastListener()
    {
        _inflater.Reset(ContentCoding.Gzip);
        for (var at = 0; at < _zipped.Length; at += BufferBytes)
        {
            var slice = _zipped.AsSpan(at, Math.Min(BufferBytes, _zipped.Length - at));
            InflateStatus status;
            do
            {
                status = _inflater.Next(slice, _output, out var consumed, out _);
                slice = slice[consumed..];
            }
            while (status is InflateStatus.Output);

            if (status is InflateStatus.Rejected)
            {
                throw new InvalidOperationException("Refused.");
            }
        }

        return _inflater.Complete() ? _inflater.OutputBytes : throw new InvalidOperationException("Cut.");
    }

    private MemoryStream Zipped() => new(_zipped, writable: false);

    private long Drain(Stream inflating)
    {
        using var closed = inflating;
        long bytes = 0;
        for (int read; (read = inflating.Read(_output)) > 0;)
        {
            bytes += read;
        }

        return bytes;
    }
}
