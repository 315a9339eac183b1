using BenchmarkDotNet.Attributes;
using FastListener.Protocol.Http;
using FastListener.TestInputs;

namespace FastListener.Benchmarks.Http;

/// <summary>
/// 1 MiB in chunks, given in slices of 64 KiB. No decoder of .NET is public, so the baseline is the least any could do: read the hex
/// digits, skip, believe everything.
/// </summary>
[MemoryDiagnoser]
public class ChunkedDecodingBenchmarks
{
    private const int BodyBytes = 1024 * 1024;
    private const int SliceBytes = 64 * 1024;

    private readonly ChunkedDecoder _decoder = new();
    private byte[] _wire = [];

    [Params(64, 1024, 16 * 1024)]
    public int ChunkBytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _wire = BodyCodings.Chunked(SeededBytes.Noise(BodyBytes, 1), ChunkBytes);
        if (Believing() != BodyBytes || FastListener() != BodyBytes)
        {
            throw new InvalidOperationException("The body came out with another length.");
        }
    }

    [Benchmark(Baseline = true)]
    public long Believing()
    {
        long data = 0;
        for (var at = 0; ;)
        {
            var size = 0;
            for (; _wire[at] != '\r'; at++)
            {
                size = (size << 4) | (_wire[at] <= '9' ? _wire[at] - '0' : _wire[at] - 'a' + 10);
            }

            if (size == 0)
            {
                return data;
            }

            data += size;
            at += 2 + size + 2;
        }
    }

    [Benchmark]
    public long FastListener()
    {
        _decoder.Reset();
        var rest = _wire.AsSpan();
        while (true)
        {
            var slice = rest[..Math.Min(rest.Length, SliceBytes)];
            rest = rest[slice.Length..];
            while (true)
            {
                var status = _decoder.Next(slice, out var consumed, out _, out _);
                if (status is ParseStatus.Done)
                {
                    return _decoder.DataBytes;
                }

                if (status is ParseStatus.Rejected)
                {
                    throw new InvalidOperationException(_decoder.Fault.ToString());
                }

                slice = slice[consumed..];
                if (slice.IsEmpty)
                {
                    break;
                }
            }
        }
    }
}
