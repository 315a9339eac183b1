namespace FastListener.Protocol.Http;

/// <summary>
/// Decodes the chunked transfer coding (RFC 9112 7.1) and nothing more lenient: lines end with CR LF and with nothing else, extensions
/// follow the grammar of 7.1.1, a size has at most 15 hexadecimal digits, trailers are checked like fields and dropped. A push parser
/// that holds no bytes back: data is named as a part of the caller's own input.
/// </summary>
/// <remarks>Not thread-safe; reusable, allocates nothing.</remarks>
public sealed class ChunkedDecoder
{
    /// <summary>The longest chunk line, size and extensions and line end together, in bytes.</summary>
    public const int MaxLineBytes = 4096;

    /// <summary>All trailer lines together, in bytes.</summary>
    public const int MaxTrailerBytes = 8192;

    private const int MaxSizeDigits = 15;
    private const int FreeExtensionBytes = 64 * 1024;

    private Step _step;
    private long _size;
    private int _digits;
    private int _lineBytes;
    private int _trailerBytes;
    private long _extensionBytes;

    private enum Step : byte
    {
        Size, BeforeSemicolon, BeforeExtensionName, ExtensionName, AfterExtensionName, BeforeExtensionValue, ExtensionToken, QuotedString,
        QuotedPair, AfterExtensionValue, SizeLf, Data, DataCr, DataLf, TrailerStart, TrailerName, TrailerValue, TrailerLf, EndLf, Done, Rejected,
    }

    /// <summary>Why the body was rejected; <see cref="HttpFault.None"/> otherwise.</summary>
    public HttpFault Fault { get; private set; }

    /// <summary>Data bytes handed out since <see cref="Reset"/>.</summary>
    public long DataBytes { get; private set; }

    /// <summary>Makes ready for the next body.</summary>
    public void Reset()
    {
        _step = Step.Size;
        _size = _extensionBytes = DataBytes = 0;
        _digits = _lineBytes = _trailerBytes = 0;
        Fault = HttpFault.None;
    }

    /// <summary>Takes bytes of the body: framing as far as it goes, and at most one run of data.</summary>
    /// <param name="input">The bytes that follow those consumed before.</param>
    /// <param name="consumed">How many were taken, framing and data. When fewer than given, call again with the rest (unless Done or Rejected).</param>
    /// <param name="dataStart">Where the run of data begins in <paramref name="input"/>.</param>
    /// <param name="dataLength">Its length, 0 when there is none. May be set with any status: take the data first, then look at the status.</param>
    /// <returns>Done when the last chunk and the trailers are through; bytes after the consumed ones are the next request.</returns>
    public ParseStatus Next(ReadOnlySpan<byte> input, out int consumed, out int dataStart, out int dataLength)
    {
        dataStart = dataLength = consumed = 0;
        while (consumed < input.Length && _step < Step.Done)
        {
            if (_step != Step.Data)
            {
                var fault = TakeFraming(input[consumed]);
                if (fault != HttpFault.None)
                {
                    Fault = fault;
                    _step = Step.Rejected;
                    break;
                }

                consumed++;
                continue;
            }

            if (dataLength > 0)
            {
                break;
            }

            dataStart = consumed;
            dataLength = (int)Math.Min(_size, input.Length - consumed);
            consumed += dataLength;
            DataBytes += dataLength;
            _size -= dataLength;
            if (_size == 0)
            {
                _step = Step.DataCr;
            }
        }

        return _step switch
        {
            Step.Done => ParseStatus.Done,
            Step.Rejected => ParseStatus.Rejected,
            _ => ParseStatus.NeedMore,
        };
    }

    private HttpFault TakeFraming(byte found)
    {
        switch (_step)
        {
            case Step.DataCr:
                return Expect(found == '\r', Step.DataLf, HttpFault.BadChunkEnd);
            case Step.DataLf:
                return Expect(found == '\n', Step.Size, HttpFault.BadChunkEnd);
            case >= Step.TrailerStart:
                return ++_trailerBytes > MaxTrailerBytes ? HttpFault.TrailersTooLarge : TakeTrailer(found);
            default:
                return ++_lineBytes > MaxLineBytes ? HttpFault.ChunkLineTooLong : TakeChunkLine(found);
        }
    }

    private HttpFault TakeChunkLine(byte found)
    {
        if (_step == Step.Size)
        {
            if (char.IsAsciiHexDigit((char)found))
            {
                _size = (_size << 4) | (long)(found <= '9' ? found - '0' : (found | 0x20) - 'a' + 10);
                return ++_digits > MaxSizeDigits ? HttpFault.ChunkSizeOverflow : HttpFault.None;
            }

            if (_digits == 0)
            {
                return found == '\n' ? HttpFault.BareLf : HttpFault.BadChunkSize;
            }

            return EndsLine(found) ? Expect(true, Step.SizeLf, HttpFault.None)
                : found == ';' ? TakeExtension(found, Step.BeforeExtensionName)
                : found is (byte)' ' or (byte)'\t' ? TakeExtension(found, Step.BeforeSemicolon)
                : found == '\n' ? HttpFault.BareLf
                : HttpFault.BadChunkSize;
        }

        if (_step == Step.SizeLf)
        {
            if (found != '\n')
            {
                return HttpFault.BareCr;
            }

            _step = _size == 0 ? Step.TrailerStart : Step.Data;
            _digits = _lineBytes = 0;
            return HttpFault.None;
        }

        if (found == '\n')
        {
            return HttpFault.BareLf; // the lone LF of CVE-2025-55315
        }

        return NextInExtension(found) is { } next ? TakeExtension(found, next) : HttpFault.BadChunkExtension;
    }

    /// <summary><c>chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )</c>, val a token or a quoted string.</summary>
    private Step? NextInExtension(byte found)
    {
        var blank = found is (byte)' ' or (byte)'\t';
        var token = FieldGrammar.Token.Contains(found);
        return _step switch
        {
            Step.BeforeSemicolon => blank ? _step : found == ';' ? Step.BeforeExtensionName : null,
            Step.BeforeExtensionName => blank ? _step : token ? Step.ExtensionName : null,
            Step.ExtensionName when token => _step,
            Step.ExtensionName when EndsLine(found) => Step.SizeLf,
            Step.ExtensionName or Step.AfterExtensionName => blank ? Step.AfterExtensionName
                : found == ';' ? Step.BeforeExtensionName
                : found == '=' ? Step.BeforeExtensionValue
                : null,
            Step.BeforeExtensionValue => blank ? _step : token ? Step.ExtensionToken : found == '"' ? Step.QuotedString : null,
            Step.ExtensionToken when token => _step,
            Step.QuotedString => found switch
            {
                (byte)'"' => Step.AfterExtensionValue,
                (byte)'\\' => Step.QuotedPair,
                _ => FieldGrammar.ValueStop.Contains(found) ? null : _step,
            },
            Step.QuotedPair => FieldGrammar.ValueStop.Contains(found) ? null : Step.QuotedString,
            Step.ExtensionToken or Step.AfterExtensionValue => EndsLine(found) ? Step.SizeLf
                : blank ? Step.BeforeSemicolon
                : found == ';' ? Step.BeforeExtensionName
                : null,
            _ => null,
        };
    }

    private HttpFault TakeExtension(byte found, Step next)
    {
        _step = next;
        return EndsLine(found) || ++_extensionBytes <= FreeExtensionBytes + (DataBytes / 16) ? HttpFault.None : HttpFault.ChunkExtensionsTooLarge;
    }

    private HttpFault TakeTrailer(byte found)
    {
        switch (_step)
        {
            case Step.TrailerStart:
                return EndsLine(found) ? Expect(true, Step.EndLf, HttpFault.None)
                    : FieldGrammar.FaultAtLineStart(found) is var start and not HttpFault.None ? start
                    : Expect(true, Step.TrailerName, HttpFault.None);
            case Step.TrailerName:
                return FieldGrammar.Token.Contains(found) ? HttpFault.None
                    : Expect(found == ':', Step.TrailerValue, FieldGrammar.FaultInName(found));
            case Step.TrailerValue:
                return !FieldGrammar.ValueStop.Contains(found) ? HttpFault.None
                    : Expect(EndsLine(found), Step.TrailerLf, FieldGrammar.FaultInValue(found));
            default:
                return Expect(found == '\n', _step == Step.TrailerLf ? Step.TrailerStart : Step.Done, HttpFault.BareCr);
        }
    }

    private static bool EndsLine(byte found) => found == '\r';

    private HttpFault Expect(bool valid, Step next, HttpFault fault)
    {
        if (valid)
        {
            _step = next;
            return HttpFault.None;
        }

        return fault;
    }
}
