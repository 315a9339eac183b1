using System.Text;
using BenchmarkDotNet.Attributes;
using FastListener.Protocol.Multipart;
using FastListener.TestInputs;

namespace FastListener.Benchmarks.Multipart;

/// <summary>
/// The search for the delimiter in a large part, in slices of 64 KiB as the transport gives them. The baseline is the vectorised search
/// alone: no delimiter across slices, nothing held back, no parts. Nothing can beat it by much.
/// </summary>
[MemoryDiagnoser]
public class BoundaryScanBenchmarks
{
    private const int SliceBytes = 64 * 1024;

    private readonly MultipartParser _parser = new();
    private readonly byte[] _boundary = Encoding.ASCII.GetBytes(CrashForm.CrashpadBoundary);
    private readonly byte[] _delimiter = Encoding.ASCII.GetBytes("\r\n--" + CrashForm.CrashpadBoundary);
    private byte[] _body = [];

    [Params(NamedForms.Crashpad1M, NamedForms.AlmostBoundaries1M, NamedForms.Crashpad64M, NamedForms.AlmostBoundaries64M)]
    public string Form { get; set; } = NamedForms.Crashpad1M;

    [GlobalSetup]
    public void Setup()
    {
        var form = NamedForms.Get(Form);
        _body = form.Body;
        if (FastListener() != form.ContentBytes)
        {
            throw new InvalidOperationException("A byte of the parts was lost or invented.");
        }
    }

    [GlobalCleanup]
    public void Cleanup() => _parser.Dispose();

    [Benchmark(Baseline = true)]
    public int IndexOf()
    {
        var found = 0;
        for (var at = 0; at < _body.Length; at += SliceBytes)
        {
            var slice = _body.AsSpan(at, Math.Min(SliceBytes, _body.Length - at));
            for (var next = slice.IndexOf(_delimiter); next >= 0; next = slice.IndexOf(_delimiter))
            {
                found++;
                slice = slice[(next + 1)..];
            }
        }

        return found;
    }

    [Benchmark]
    public long FastListener()
    {
        _parser.Reset(_boundary);
        long bytes = 0;
        for (var at = 0; at < _body.Length; at += SliceBytes)
        {
            ReadOnlyMemory<byte> slice = _body.AsMemory(at, Math.Min(SliceBytes, _body.Length - at));
            while (true)
            {
                var step = _parser.Next(slice, out var consumed);
                slice = slice[consumed..];
                if (step is MultipartEvent.NeedMore || (step is MultipartEvent.End && slice.IsEmpty))
                {
                    break;
                }

                bytes += _parser.Data.Length;
            }
        }

        return _parser.Complete() is MultipartEvent.End ? bytes : throw new InvalidOperationException(_parser.Fault.ToString());
    }
}
