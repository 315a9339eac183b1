namespace FastListener.Protocol.Http;

/// <summary>
/// Parses request heads strictly (RFC 9112 2 to 6), one connection's requests one after the other. A push parser: it is given slices as
/// they arrive, copies the head's bytes once into a pooled buffer of its own and never looks at the caller's memory afterwards. A fault
/// is reported at the byte that makes the head invalid, not at its end; the outcome does not depend on how the bytes were cut.
/// Work is linear, memory at most <see cref="HeadLimits.MaxHeadBytes"/>, and a reused parser allocates nothing.
/// </summary>
/// <remarks>Not thread-safe. Deliberately accepted: up to four empty lines before the request line (RFC 9112 2.2), any byte above 0x7F in
/// targets and values, <c>"</c>, <c>|</c> and the like in targets, since real clients paste them there.</remarks>
public sealed class RequestHeadParser : IDisposable
{
    private const int FirstRent = 2048;
    private const int CopyStep = 1024; // how much of what may already be body is copied in vain at most
    private const int MaxEmptyLines = 4;
    private const int MaxMethodBytes = 32;

    private static readonly HeadLimits DefaultLimits = new();

    private readonly HeadLimits _limits;
    private readonly RequestHead _head = new();
    private RentedBytes _bytes = new(FirstRent);
    private int _at;
    private int _mark; // where the token being read began
    private int _nameLength;
    private int _emptyLines;
    private Step _step;

    /// <summary>Creates a parser; the buffer is rented when the first byte arrives.</summary>
    /// <param name="limits">Sizes to hold to; the defaults when null.</param>
    public RequestHeadParser(HeadLimits? limits = null) => _limits = limits ?? DefaultLimits;

    private enum Step : byte
    {
        EmptyLine, EmptyLineLf, Method, Target, Version, LineLf, FieldStart, FieldName, FieldValue, FieldLf, EndLf, Done, Rejected,
    }

    /// <summary>Why the head was rejected; <see cref="HttpFault.None"/> otherwise.</summary>
    public HttpFault Fault { get; private set; }

    /// <summary>True once any byte of a head, empty lines included, was taken since the last <see cref="Reset"/>: the client is not idle.</summary>
    public bool Started => _bytes.Count > 0;

    /// <summary>The head, valid from <see cref="ParseStatus.Done"/> until <see cref="Reset"/>.</summary>
    /// <exception cref="InvalidOperationException">No head is complete.</exception>
    public RequestHead Head => _step == Step.Done ? _head : throw new InvalidOperationException("No request head has been parsed.");

    /// <summary>Takes the next bytes of the connection.</summary>
    /// <param name="input">Bytes in any portion; not kept.</param>
    /// <param name="consumed">
    /// How many bytes belong to the head: all of them with <see cref="ParseStatus.NeedMore"/>; up to and including the empty line with
    /// <see cref="ParseStatus.Done"/>, the rest being body; up to the offending byte with <see cref="ParseStatus.Rejected"/>.
    /// </param>
    /// <returns>Done or Rejected are final until <see cref="Reset"/>.</returns>
    public ParseStatus Append(ReadOnlySpan<byte> input, out int consumed)
    {
        consumed = 0;
        while (_step < Step.Done)
        {
            var rest = input.Length - consumed;
            if (rest == 0)
            {
                return ParseStatus.NeedMore;
            }

            var take = Math.Min(Math.Min(rest, CopyStep), _limits.MaxHeadBytes - _bytes.Count);
            if (take == 0)
            {
                Reject(HttpFault.HeadTooLarge);
                break;
            }

            var before = _bytes.Count;
            _bytes.Append(input.Slice(consumed, take));
            _head.Attach(_bytes.Array);
            if (_step < Step.FieldStart)
            {
                ScanRequestLine();
            }

            if (_step is >= Step.FieldStart and < Step.Done)
            {
                ScanFields();
            }

            _bytes.Truncate(_at); // what lies behind the end was not ours; otherwise they are equal
            consumed += _at - before;
        }

        return _step == Step.Done ? ParseStatus.Done : ParseStatus.Rejected;
    }

    /// <summary>Makes ready for the next request. Spans of the old head die; a buffer of ordinary size is kept.</summary>
    public void Reset()
    {
        _head.Clear();
        _bytes.Clear(mostKept: 2 * FirstRent);
        _at = _mark = _nameLength = _emptyLines = 0;
        _step = Step.EmptyLine;
        Fault = HttpFault.None;
    }

    /// <summary>Gives the buffer back. The parser could be used again after <see cref="Reset"/>.</summary>
    public void Dispose()
    {
        Reset();
        _bytes.Return();
    }

    private void ScanRequestLine()
    {
        var bytes = _bytes.Span;
        while (_at < bytes.Length && _step < Step.FieldStart)
        {
            var found = bytes[_at];
            switch (_step)
            {
                case Step.EmptyLine when found == '\r':
                    Advance(_emptyLines++ < MaxEmptyLines, Step.EmptyLineLf, HttpFault.BadMethod);
                    break;
                case Step.EmptyLine when found == '\n':
                    Reject(HttpFault.BareLf);
                    break;
                case Step.EmptyLine:
                    _mark = _at;
                    _step = Step.Method;
                    break;
                case Step.EmptyLineLf:
                    Advance(found == '\n', Step.EmptyLine, HttpFault.BareCr);
                    break;
                case Step.Method:
                    ScanMethod(bytes);
                    break;
                case Step.Target:
                    ScanTarget(bytes);
                    break;
                case Step.Version:
                    ScanVersion(bytes, found);
                    break;
                case Step.LineLf:
                    Advance(found == '\n', Step.FieldStart, HttpFault.BareCr);
                    break;
            }
        }
    }

    private void ScanMethod(ReadOnlySpan<byte> bytes)
    {
        var length = bytes[_at..].IndexOfAnyExcept(FieldGrammar.Token);
        _at = length < 0 ? bytes.Length : _at + length;
        if (_at - _mark > MaxMethodBytes)
        {
            _at = _mark + MaxMethodBytes;
            Reject(HttpFault.BadMethod);
        }
        else if (_at < bytes.Length)
        {
            if (bytes[_at] != ' ' || _at == _mark)
            {
                Reject(bytes[_at] == '\n' ? HttpFault.BareLf : HttpFault.BadMethod);
                return;
            }

            _head.SetMethod(_mark, _at - _mark);
            _mark = ++_at;
            _step = Step.Target;
        }
    }

    private void ScanTarget(ReadOnlySpan<byte> bytes)
    {
        if (_at == _mark && bytes[_at] is not ((byte)'/' or (byte)'*' or (byte)'h' or (byte)'H'))
        {
            Reject(bytes[_at] == '\n' ? HttpFault.BareLf : HttpFault.BadTarget);
            return;
        }

        var length = bytes[_at..].IndexOfAny(FieldGrammar.TargetStop);
        _at = length < 0 ? bytes.Length : _at + length;
        if (_at - _mark > _limits.MaxTargetBytes)
        {
            _at = _mark + _limits.MaxTargetBytes;
            Reject(HttpFault.TargetTooLong);
        }
        else if (_at < bytes.Length)
        {
            switch (bytes[_at])
            {
                case (byte)' ':
                    var fault = _head.SetTarget(_mark, _at - _mark);
                    Advance(fault == HttpFault.None, Step.Version, fault);
                    _mark = _at;
                    break;
                case (byte)'\r': // "GET /": the request line of HTTP/0.9
                    Reject(HttpFault.BadVersion);
                    break;
                case (byte)'\n':
                    Reject(HttpFault.BareLf);
                    break;
                default:
                    Reject(HttpFault.BadTarget);
                    break;
            }
        }
    }

    private void ScanVersion(ReadOnlySpan<byte> bytes, byte found)
    {
        var place = _at - _mark;
        var expected = place switch
        {
            5 or 7 => char.IsAsciiDigit((char)found),
            8 => found == '\r',
            _ => found == "HTTP/ ."u8[place],
        };
        if (!expected)
        {
            Reject(found == '\n' ? HttpFault.BareLf
                : place == 0 && found is not ((byte)'h' or (byte)'\r') ? HttpFault.SpaceInTarget
                : HttpFault.BadVersion);
            return;
        }

        if (place == 7)
        {
            var fault = _head.SetVersion(bytes[_mark + 5], found);
            Advance(fault == HttpFault.None, Step.Version, fault);
            return;
        }

        Advance(true, place == 8 ? Step.LineLf : Step.Version, HttpFault.None);
    }

    private void ScanFields()
    {
        var bytes = _bytes.Span;
        while (_at < bytes.Length && _step < Step.Done)
        {
            switch (_step)
            {
                case Step.FieldStart:
                    if (bytes[_at] == '\r')
                    {
                        Advance(true, Step.EndLf, HttpFault.None);
                        break;
                    }

                    var fault = FieldGrammar.FaultAtLineStart(bytes[_at]);
                    if (fault == HttpFault.None && _head.FieldCount == _limits.MaxFields)
                    {
                        fault = HttpFault.TooManyFields;
                    }

                    if (fault != HttpFault.None)
                    {
                        Reject(fault);
                        break;
                    }

                    _mark = _at;
                    _step = Step.FieldName;
                    goto case Step.FieldName;
                case Step.FieldName:
                    var name = bytes[_at..].IndexOfAnyExcept(FieldGrammar.Token);
                    _at = name < 0 ? bytes.Length : _at + name;
                    if (name < 0)
                    {
                        break;
                    }

                    if (bytes[_at] != ':')
                    {
                        Reject(FieldGrammar.FaultInName(bytes[_at]));
                        break;
                    }

                    _nameLength = _at++ - _mark;
                    _step = Step.FieldValue;
                    goto case Step.FieldValue;
                case Step.FieldValue:
                    var value = bytes[_at..].IndexOfAny(FieldGrammar.ValueStop);
                    _at = value < 0 ? bytes.Length : _at + value;
                    if (value < 0)
                    {
                        break;
                    }

                    if (bytes[_at] != '\r')
                    {
                        Reject(FieldGrammar.FaultInValue(bytes[_at]));
                        break;
                    }

                    Advance(true, Step.FieldLf, HttpFault.None);
                    break;
                case Step.FieldLf:
                    if (bytes[_at] != '\n')
                    {
                        Reject(HttpFault.BareCr);
                        break;
                    }

                    fault = AddField(bytes);
                    Advance(fault == HttpFault.None, Step.FieldStart, fault);
                    break;
                case Step.EndLf:
                    fault = bytes[_at] == '\n' ? _head.Finish() : HttpFault.BareCr;
                    Advance(fault == HttpFault.None, Step.Done, fault);
                    break;
            }
        }
    }

    /// <summary>The line from the mark to the CR before the cursor is complete.</summary>
    private HttpFault AddField(ReadOnlySpan<byte> bytes)
    {
        var valueStart = _mark + _nameLength + 1;
        var valueEnd = _at - 1;
        while (valueStart < valueEnd && bytes[valueStart] is (byte)' ' or (byte)'\t')
        {
            valueStart++;
        }

        while (valueEnd > valueStart && bytes[valueEnd - 1] is (byte)' ' or (byte)'\t')
        {
            valueEnd--;
        }

        return _head.AddField(_mark, _nameLength, valueStart, valueEnd - valueStart);
    }

    private void Advance(bool valid, Step next, HttpFault fault)
    {
        if (!valid)
        {
            Reject(fault);
            return;
        }

        _at++;
        _step = next;
    }

    private void Reject(HttpFault fault)
    {
        Fault = fault;
        _step = Step.Rejected;
    }
}
