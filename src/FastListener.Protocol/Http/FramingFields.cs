using System.Text;

namespace FastListener.Protocol.Http;

/// <summary>
/// What the few fields that steer a request say, gathered while the head is parsed. A field is recognised once, by the length of its
/// name and then its letters, so that nothing has to search the fields later; a contradiction is refused at the field that makes it one.
/// </summary>
internal struct FramingFields
{
    private bool _hasLength;
    private bool _chunked;
    private bool _hasHost;
    private bool _close;
    private bool _keepAlive;

    public long Length;
    public ContentCoding Coding;
    public bool ExpectContinue;

    /// <summary>Index of the Content-Type field plus one; 0 when there is none.</summary>
    public int ContentTypeField;

    public readonly BodyFraming Body => (_chunked, _hasLength) switch
    {
        (true, _) => new(FramingKind.Chunked, 0),
        (_, true) => new(FramingKind.Length, Length),
        _ => default,
    };

    /// <summary>RFC 9112 9.3; and 6.1: an HTTP/1.0 message with chunks is served, but its connection must be closed.</summary>
    public readonly bool KeepAlive(bool isHttp10) => !_close && (!isHttp10 || (_keepAlive && !_chunked));

    /// <summary>Takes note of one field. <paramref name="contentType"/> is the value of an earlier Content-Type, if any.</summary>
    public HttpFault Accept(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int index, ReadOnlySpan<byte> contentType)
    {
        switch (name.Length)
        {
            case 4 when Is(name, "host"u8):
                return AcceptHost(value);
            case 6 when Is(name, "expect"u8):
                AcceptExpect(value);
                break;
            case 10 when Is(name, "connection"u8):
                AcceptConnection(value);
                break;
            case 12 when Is(name, "content-type"u8):
                if (ContentTypeField != 0 && !contentType.SequenceEqual(value))
                {
                    return HttpFault.SeveralContentTypes;
                }

                ContentTypeField = index + 1;
                break;
            case 14 when Is(name, "content-length"u8):
                return AcceptLength(value);
            case 16 when Is(name, "content-encoding"u8):
                AcceptCoding(value);
                break;
            case 17 when Is(name, "transfer-encoding"u8):
                return AcceptTransferEncoding(value);
        }

        return HttpFault.None;
    }

    /// <summary>What can only be said when all fields are known.</summary>
    public readonly HttpFault Finish(bool isHttp10) => _hasHost || isHttp10 ? HttpFault.None : HttpFault.MissingHost;

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lowerCase) => Ascii.EqualsIgnoreCase(name, lowerCase);

    private HttpFault AcceptHost(ReadOnlySpan<byte> value)
    {
        if (_hasHost)
        {
            return HttpFault.SeveralHosts;
        }

        _hasHost = true;
        return HostGrammar.IsValid(value) ? HttpFault.None : HttpFault.BadHost;
    }

    private HttpFault AcceptLength(ReadOnlySpan<byte> value)
    {
        if (_hasLength)
        {
            return HttpFault.SeveralContentLengths;
        }

        if (_chunked)
        {
            return HttpFault.LengthWithTransferEncoding;
        }

        // 18 digits cannot overflow a long and are an exabyte; leading zeros are valid (RFC 9110 8.6) as far as they fit.
        if (value.IsEmpty || value.Length > 18 || value.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            return HttpFault.BadContentLength;
        }

        Length = 0;
        foreach (var digit in value)
        {
            Length = (Length * 10) + (digit - '0');
        }

        _hasLength = true;
        return HttpFault.None;
    }

    private HttpFault AcceptTransferEncoding(ReadOnlySpan<byte> value)
    {
        if (_hasLength)
        {
            return HttpFault.LengthWithTransferEncoding;
        }

        if (_chunked || !Ascii.EqualsIgnoreCase(value, "chunked"u8))
        {
            return HttpFault.BadTransferEncoding;
        }

        _chunked = true;
        return HttpFault.None;
    }

    private void AcceptConnection(ReadOnlySpan<byte> value)
    {
        var tokens = new ListTokens(value);
        while (tokens.MoveNext())
        {
            _close |= Ascii.EqualsIgnoreCase(tokens.Current, "close"u8);
            _keepAlive |= Ascii.EqualsIgnoreCase(tokens.Current, "keep-alive"u8);
        }
    }

    private void AcceptExpect(ReadOnlySpan<byte> value)
    {
        var tokens = new ListTokens(value);
        while (tokens.MoveNext())
        {
            ExpectContinue |= Ascii.EqualsIgnoreCase(tokens.Current, "100-continue"u8);
        }
    }

    private void AcceptCoding(ReadOnlySpan<byte> value)
    {
        var tokens = new ListTokens(value);
        while (tokens.MoveNext())
        {
            var coding = tokens.Current;
            if (Ascii.EqualsIgnoreCase(coding, "identity"u8))
            {
                continue;
            }

            var known = Ascii.EqualsIgnoreCase(coding, "gzip"u8) || Ascii.EqualsIgnoreCase(coding, "x-gzip"u8) ? ContentCoding.Gzip
                : Ascii.EqualsIgnoreCase(coding, "deflate"u8) ? ContentCoding.Deflate
                : ContentCoding.Unsupported;
            Coding = Coding == ContentCoding.Identity ? known : ContentCoding.Unsupported;
        }
    }
}
