using System.Buffers;
using BenchmarkDotNet.Attributes;
using FastListener.Protocol.Http;
using FastListener.TestInputs;
using Microsoft.AspNetCore.Server.Kestrel.Core.Internal.Http;

namespace FastListener.Benchmarks.Http;

/// <summary>One request head, arrived whole. Kestrel's parser hands out spans and keeps nothing; ours copies the head, frames the body and is stricter.</summary>
[MemoryDiagnoser]
public class RequestHeadBenchmarks
{
    private readonly RequestHeadParser _parser = new();
    private readonly HttpParser<KestrelHead> _kestrel = new();
    private readonly KestrelHead _seen = new();
    private byte[] _head = [];

    [ParamsAllValues]
    public HeadOf Head { get; set; }

    public enum HeadOf
    {
        Crashpad,
        Curl,
        Browser,
    }

    [GlobalSetup]
    public void Setup()
    {
        _head = Head switch
        {
            HeadOf.Crashpad => RequestHeads.Crashpad,
            HeadOf.Curl => RequestHeads.Curl,
            _ => RequestHeads.Browser,
        };

        var fields = Kestrel();
        var bytes = _seen.Bytes;
        if (fields != FastListener() || fields == 0)
        {
            throw new InvalidOperationException("The two parsers see different heads.");
        }

        _parser.Append(_head, out _);
        var ours = 0;
        for (var i = 0; i < _parser.Head.FieldCount; i++)
        {
            var (name, value) = _parser.Head.Field(i);
            ours += name.Length + value.Length;
        }

        _parser.Reset();
        if (ours != bytes)
        {
            throw new InvalidOperationException("The two parsers see different fields.");
        }
    }

    [GlobalCleanup]
    public void Cleanup() => _parser.Dispose();

    [Benchmark(Baseline = true)]
    public int Kestrel()
    {
        _seen.Reset();
        var reader = new SequenceReader<byte>(new ReadOnlySequence<byte>(_head));
        return _kestrel.ParseRequestLine(_seen, ref reader) && _kestrel.ParseHeaders(_seen, ref reader)
            ? _seen.Fields
            : throw new InvalidOperationException("Kestrel wants more.");
    }

    [Benchmark]
    public int FastListener()
    {
        var status = _parser.Append(_head, out _);
        var fields = status is ParseStatus.Done ? _parser.Head.FieldCount : throw new InvalidOperationException(_parser.Fault.ToString());
        _parser.Reset();
        return fields;
    }

    private sealed class KestrelHead : IHttpRequestLineHandler, IHttpHeadersHandler
    {
        public int Fields { get; private set; }

        public int Bytes { get; private set; }

        public void Reset() => Fields = Bytes = 0;

        public void OnStartLine(HttpVersionAndMethod versionAndMethod, TargetOffsetPathLength targetPath, Span<byte> startLine)
        {
        }

        public void OnHeader(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
        {
            Fields++;
            Bytes += name.Length + value.Length;
        }

        public void OnHeadersComplete(bool endStream)
        {
        }

        public void OnStaticIndexedHeader(int index) => throw new NotSupportedException();

        public void OnStaticIndexedHeader(int index, ReadOnlySpan<byte> value) => throw new NotSupportedException();
    }
}
