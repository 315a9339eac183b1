using System.Buffers;
using System.Text;
using FastListener.Protocol.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core.Internal.Http;

namespace FastListener.Protocol.Tests.Differential;

/// <summary>Reads a head with Kestrel's public parser. That is its lexer only: what its connection class checks later is not here.</summary>
internal sealed class KestrelHead : IHttpRequestLineHandler, IHttpHeadersHandler
{
    private readonly StringBuilder _text = new();

    /// <summary>The request line and fields as text, null when Kestrel refuses or waits for more.</summary>
    public static string? Read(byte[] bytes)
    {
        var handler = new KestrelHead();
        var parser = new HttpParser<KestrelHead>(showErrorDetails: true);
        var reader = new SequenceReader<byte>(new ReadOnlySequence<byte>(bytes));
        while (reader.Remaining >= 2 && reader.UnreadSpan.StartsWith("\r\n"u8))
        {
            reader.Advance(2); // its connection class does this
        }

        try
        {
            return parser.ParseRequestLine(handler, ref reader) && parser.ParseHeaders(handler, ref reader)
                ? handler._text.Append("length ").Append(reader.Consumed).ToString()
                : null;
        }
        catch (BadHttpRequestException)
        {
            return null;
        }
    }

    public void OnStartLine(HttpVersionAndMethod versionAndMethod, TargetOffsetPathLength targetPath, Span<byte> startLine)
    {
        var method = startLine[..versionAndMethod.MethodEnd];
        var target = startLine[targetPath.Offset..]; // the line comes without the version
        _text.Append(HeadReading.Latin1(method)).Append(' ').Append(HeadReading.Latin1(target));
        _text.Append(versionAndMethod.Version == HttpVersion.Http10 ? " 1.0\n" : " 1.1\n");
    }

    public void OnHeader(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        _text.Append(HeadReading.Latin1(name)).Append('=').Append(HeadReading.Latin1(value)).Append('\n');

    public void OnHeadersComplete(bool endStream)
    {
    }

    public void OnStaticIndexedHeader(int index) => throw new NotSupportedException("HTTP/2 only.");

    public void OnStaticIndexedHeader(int index, ReadOnlySpan<byte> value) => throw new NotSupportedException("HTTP/2 only.");
}
