using System.Text;
using BenchmarkDotNet.Attributes;
using FastListener.Protocol.Multipart;
using FastListener.TestInputs;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace FastListener.Benchmarks.Multipart;

/// <summary>
/// Whole forms, every part read to its end: its name decoded, and every byte of it laid into the same 64 KiB of the caller's. The peer
/// reads from memory that it copies into its own buffer first, as it does from any stream.
/// </summary>
[MemoryDiagnoser]
public class MultipartBenchmarks
{
    private const int SliceBytes = 64 * 1024;

    private readonly MultipartParser _parser = new();
    private readonly byte[] _boundary = Encoding.ASCII.GetBytes(CrashForm.CrashpadBoundary);
    private readonly byte[] _taken = new byte[SliceBytes];
    private CrashForm _form = NamedForms.Get(NamedForms.Crashpad20K);

    [Params(NamedForms.Crashpad20K, NamedForms.Attachments, NamedForms.Crashpad1M, NamedForms.Crashpad64M)]
    public string Form { get; set; } = NamedForms.Crashpad20K;

    [GlobalSetup]
    public async Task Setup()
    {
        _form = NamedForms.Get(Form);
        var expected = new Reading(_form.Parts.Count, _form.ContentBytes, _form.Parts.Sum(part => part.Name.Length));
        foreach (var seen in (Reading[])[FastListener(), await MultipartReader(), await MultipartReaderWithLargeBuffer()])
        {
            if (seen != expected)
            {
                throw new InvalidOperationException($"A parser sees {seen} instead of {expected}.");
            }
        }
    }

    [GlobalCleanup]
    public void Cleanup() => _parser.Dispose();

    [Benchmark(Baseline = true)]
    public Task<Reading> MultipartReader() => ReadWithPeerAsync(bufferBytes: 4096);

    [Benchmark]
    public Task<Reading> MultipartReaderWithLargeBuffer() => ReadWithPeerAsync(SliceBytes);

    [Benchmark]
    public Reading FastListener()
    {
        _parser.Reset(_boundary);
        var body = _form.Body;
        var seen = default(Reading);
        for (var at = 0; at < body.Length; at += SliceBytes)
        {
            ReadOnlyMemory<byte> slice = body.AsMemory(at, Math.Min(SliceBytes, body.Length - at));
            while (true)
            {
                var step = _parser.Next(slice, out var consumed);
                slice = slice[consumed..];
                if (step is MultipartEvent.PartBegin)
                {
                    seen = seen with { Parts = seen.Parts + 1, NameBytes = seen.NameBytes + _parser.Part.Name.Length };
                }
                else if (step is MultipartEvent.Bytes)
                {
                    _parser.Data.Span.CopyTo(_taken);
                    seen = seen with { Bytes = seen.Bytes + _parser.Data.Length };
                }
                else if (step is MultipartEvent.NeedMore || (step is MultipartEvent.End && slice.IsEmpty))
                {
                    break;
                }
            }
        }

        return _parser.Complete() is MultipartEvent.End ? seen : throw new InvalidOperationException(_parser.Fault.ToString());
    }

    private async Task<Reading> ReadWithPeerAsync(int bufferBytes)
    {
        using var stream = new MemoryStream(_form.Body, writable: false);
        var reader = new MultipartReader(_form.Boundary, stream, bufferBytes);
        var seen = default(Reading);
        while (await reader.ReadNextSectionAsync() is { } section)
        {
            var name = HeaderUtilities.RemoveQuotes(section.GetContentDispositionHeader()!.Name);
            seen = seen with { Parts = seen.Parts + 1, NameBytes = seen.NameBytes + name.Length };
            for (int read; (read = await section.Body.ReadAsync(_taken)) > 0;)
            {
                seen = seen with { Bytes = seen.Bytes + read };
            }
        }

        return seen;
    }

    /// <summary>What was read.</summary>
    public readonly record struct Reading(int Parts, long Bytes, int NameBytes);
}
