namespace FastListener.Protocol.Multipart;

/// <summary>
/// Takes a multipart body apart (RFC 2046 5.1, RFC 7578) while it arrives. A push parser: it is given slices, hands the parts' bytes back
/// as slices of the same memory, and keeps for itself only what may turn out to be a delimiter (at most a few hundred bytes) and the
/// header lines of the part that begins. The outcome does not depend on how the body was cut.
/// </summary>
/// <remarks>
/// Not thread-safe; reusable, allocates nothing per body. Lenient, each for a client that needs it: CRLF or text before the first
/// delimiter (Unity); blanks behind a delimiter; a part without contents and without the second CRLF; an ending
/// <c>--B CRLF --</c> (Cocoa); a missing CRLF before <c>--B CRLF Content-</c> for boundaries of 27 dashes and 16 hexadecimal digits
/// (Breakpad on macOS). Everything else that does not follow the grammar is data or refused.
/// </remarks>
public sealed class MultipartParser : IDisposable
{
    private const int FirstHeadRent = 1024;
    private const int HeadCopyStep = 512;

    private static readonly MultipartLimits DefaultLimits = new();

    private readonly MultipartLimits _limits;
    private readonly DelimiterMatcher _matcher = new();
    private readonly byte[] _held = new byte[DelimiterMatcher.MaxOpenBytes]; // begins like a delimiter, not yet decided
    private readonly byte[] _released = new byte[DelimiterMatcher.MaxOpenBytes]; // was held and proved to be data
    private int _heldLength;
    private int _virtual; // how many of the held bytes nobody sent: the CRLF that is thought before a body and before a part's contents
    private RentedBytes _head = new(FirstHeadRent);
    private int _preambleBytes;
    private bool _endsPart; // the delimiter behind the part's last bytes was taken with them
    private Step _step = Step.Unset;

    /// <summary>Creates a parser; give it a boundary with <see cref="Reset"/> before use.</summary>
    /// <param name="limits">Sizes to hold to; the defaults when null.</param>
    public MultipartParser(MultipartLimits? limits = null) => _limits = limits ?? DefaultLimits;

    private enum Step : byte
    {
        Unset, Preamble, Head, Data, EndOfLast, Epilogue, Rejected,
    }

    /// <summary>Why the body was rejected; <see cref="MultipartFault.None"/> otherwise.</summary>
    public MultipartFault Fault { get; private set; }

    /// <summary>The part's bytes after <see cref="MultipartEvent.Bytes"/>; a slice of the input or of the parser's own memory, valid until the next call.</summary>
    public ReadOnlyMemory<byte> Data { get; private set; }

    /// <summary>The current part's headers, from <see cref="MultipartEvent.PartBegin"/> until the next part begins.</summary>
    public PartHeaders Part { get; } = new();

    /// <summary>Parts begun so far.</summary>
    public int PartCount { get; private set; }

    private bool AllowGlued => _step == Step.Data;

    /// <summary>Makes ready for a body.</summary>
    /// <param name="boundary">Its boundary, without the leading dashes; see <see cref="Boundary"/>. Copied.</param>
    /// <exception cref="ArgumentException">The boundary is empty, longer than <see cref="Boundary.MaxBytes"/>, or holds CR, LF or NUL.</exception>
    public void Reset(ReadOnlySpan<byte> boundary)
    {
        if (!Boundary.IsUsable(boundary))
        {
            throw new ArgumentException("The boundary must have 1 to 256 bytes, none of them CR, LF or NUL.", nameof(boundary));
        }

        _matcher.Reset(boundary);
        Part.Clear();
        Data = default;
        Fault = MultipartFault.None;
        _preambleBytes = PartCount = 0;
        _endsPart = false;
        _head.Clear(mostKept: 4 * FirstHeadRent);

        BeginDelimited(Step.Preamble);
    }

    /// <summary>Takes bytes of the body up to the next event. Call again with the rest, an empty one too, until it needs more.</summary>
    /// <param name="input">The bytes that follow those consumed before.</param>
    /// <param name="consumed">How many were taken; all of them with <see cref="MultipartEvent.NeedMore"/>.</param>
    /// <returns>What was found. After <see cref="MultipartEvent.End"/> further bytes are taken as epilogue; Rejected stays.</returns>
    /// <exception cref="InvalidOperationException">No boundary has been set.</exception>
    public MultipartEvent Next(ReadOnlyMemory<byte> input, out int consumed)
    {
        consumed = 0;
        Data = default;
        if (_endsPart)
        {
            _endsPart = false;
            return MultipartEvent.PartEnd;
        }

        switch (_step)
        {
            case Step.Preamble or Step.Data:
                return TakeDelimited(input, ref consumed);
            case Step.Head:
                return TakeHead(input.Span, ref consumed);
            case Step.EndOfLast:
                _step = Step.Epilogue;
                return MultipartEvent.End;
            case Step.Epilogue:
                consumed = input.Length;
                return MultipartEvent.NeedMore;
            case Step.Rejected:
                return MultipartEvent.Rejected;
            default:
                throw new InvalidOperationException("The parser has no boundary: call Reset first.");
        }
    }

    /// <summary>Says that the body's framing has ended, once <see cref="Next"/> has taken everything.</summary>
    /// <returns>
    /// <see cref="MultipartEvent.End"/> when the closing delimiter was seen, or when the body ended in <c>--B CRLF --</c> as the Cocoa SDK
    /// sends it; else <see cref="MultipartEvent.Rejected"/>: the body was cut, and its last part with it.
    /// </returns>
    public MultipartEvent Complete()
    {
        Data = default;
        switch (_step)
        {
            case Step.EndOfLast or Step.Epilogue:
            case Step.Head when PartCount > 0 && _head.Span.SequenceEqual("--"u8):
                _step = Step.Epilogue;
                return MultipartEvent.End;
            case Step.Rejected:
                return MultipartEvent.Rejected;
            default:
                return Reject(_step is Step.Preamble or Step.Unset ? MultipartFault.MissingFirstDelimiter : MultipartFault.Truncated);
        }
    }

    /// <summary>Gives the buffers back. May be used again after <see cref="Reset"/>.</summary>
    public void Dispose()
    {
        Part.Dispose();
        _step = Step.Unset;
        _head.Return();
    }

    /// <summary>The CRLF before a delimiter belongs to it; before the body and before a part's contents one is thought to stand.</summary>
    private void BeginDelimited(Step step)
    {
        "\r\n"u8.CopyTo(_held);
        _heldLength = _virtual = 2;
        _step = step;
    }

    private MultipartEvent TakeDelimited(ReadOnlyMemory<byte> input, ref int consumed)
    {
        var span = input.Span;
        if (_heldLength == _virtual && consumed < span.Length && span[consumed] != '-')
        {
            _heldLength = _virtual = 0; // no delimiter begins where one is thought to be possible: the usual part
            return Scan(input, ref consumed);
        }

        var taken = 0; // how many of the held bytes, at their end, are from this input
        var released = 0;
        while (_heldLength > 0)
        {
            var verdict = _matcher.Judge(_held.AsSpan(0, _heldLength), AllowGlued);
            if (verdict == DelimiterVerdict.Data)
            {
                Release(ref consumed, ref taken, ref released);
            }
            else if (verdict == DelimiterVerdict.Open && consumed < span.Length)
            {
                var next = span.Slice(consumed, Math.Min(span.Length - consumed, _matcher.LeastToDecide(_held.AsSpan(0, _heldLength))));
                next.CopyTo(_held.AsSpan(_heldLength));
                _heldLength += next.Length;
                consumed += next.Length;
                taken += next.Length;
            }
            else
            {
                return released > 0 && _step == Step.Data ? Emit(_released.AsMemory(0, released))
                    : !CountPreamble(released) ? MultipartEvent.Rejected
                    : verdict == DelimiterVerdict.Open ? MultipartEvent.NeedMore
                    : PassDelimiter(verdict, span, ref consumed);
            }
        }

        return released > 0 && _step == Step.Data ? Emit(_released.AsMemory(0, released))
            : !CountPreamble(released) ? MultipartEvent.Rejected
            : consumed == span.Length ? MultipartEvent.NeedMore
            : Scan(input, ref consumed);
    }

    private MultipartEvent Emit(ReadOnlyMemory<byte> data)
    {
        Data = data;
        return MultipartEvent.Bytes;
    }

    /// <summary>Nothing is held: looks for the next delimiter with a vectorised search.</summary>
    private MultipartEvent Scan(ReadOnlyMemory<byte> input, ref int consumed)
    {
        var rest = input.Span[consumed..];
        var start = _matcher.Find(rest, AllowGlued, out var verdict);
        if (!CountPreamble(start))
        {
            return MultipartEvent.Rejected;
        }

        var data = _step == Step.Data ? input.Slice(consumed, start) : default;
        if (verdict is DelimiterVerdict.Data or DelimiterVerdict.Open)
        {
            rest[start..].CopyTo(_held);
            _heldLength = rest.Length - start;
            consumed = input.Length;
            return data.IsEmpty ? MultipartEvent.NeedMore : Emit(data);
        }

        consumed += start + _matcher.LengthOf(rest[start..], verdict);
        if (data.IsEmpty)
        {
            return PassDelimiter(verdict, input.Span, ref consumed);
        }

        _endsPart = PassDelimiter(verdict, input.Span, ref consumed) is MultipartEvent.PartEnd;
        return Emit(data);
    }

    /// <summary>
    /// The held bytes are no delimiter. Moves those before the next place where one may begin to the released ones. When that place is in
    /// the current input, only what came earlier is released and the rest goes back to the input, to be searched fast. So one input never
    /// releases more than was held when it came. The CRLF that nobody sent is dropped.
    /// </summary>
    private void Release(ref int consumed, ref int taken, ref int released)
    {
        var keepFrom = 1;
        while (keepFrom < _heldLength && _matcher.Judge(_held.AsSpan(keepFrom, _heldLength - keepFrom), AllowGlued) == DelimiterVerdict.Data)
        {
            keepFrom++;
        }

        if (keepFrom >= _heldLength - taken)
        {
            keepFrom = _heldLength - taken;
            _heldLength = keepFrom;
            consumed -= taken;
            taken = 0;
        }

        var unsent = Math.Min(_virtual, keepFrom);
        var length = keepFrom - unsent;
        _held.AsSpan(unsent, length).CopyTo(_released.AsSpan(released));
        _held.AsSpan(keepFrom, _heldLength - keepFrom).CopyTo(_held);
        _heldLength -= keepFrom;
        _virtual -= unsent;
        released += length;
    }

    private bool CountPreamble(int bytes)
    {
        _preambleBytes += _step == Step.Preamble ? bytes : 0;
        if (_preambleBytes <= _limits.MaxPreambleBytes)
        {
            return true;
        }

        Reject(MultipartFault.PreambleTooLarge);
        return false;
    }

    private MultipartEvent PassDelimiter(DelimiterVerdict verdict, ReadOnlySpan<byte> span, ref int consumed)
    {
        var endsPart = _step == Step.Data;
        _heldLength = _virtual = 0;
        if (verdict == DelimiterVerdict.Closing)
        {
            _step = endsPart ? Step.EndOfLast : Step.Epilogue;
            return endsPart ? MultipartEvent.PartEnd : MultipartEvent.End;
        }

        _step = Step.Head;
        _head.Truncate(0);
        if (verdict == DelimiterVerdict.Glued)
        {
            _head.Append(DelimiterMatcher.GluedHead);
        }

        return endsPart ? MultipartEvent.PartEnd : TakeHead(span, ref consumed);
    }

    private MultipartEvent TakeHead(ReadOnlySpan<byte> span, ref int consumed)
    {
        while (consumed < span.Length)
        {
            var take = Math.Min(Math.Min(span.Length - consumed, HeadCopyStep), _limits.MaxPartHeadBytes - _head.Count);
            if (take <= 0)
            {
                return Reject(MultipartFault.PartHeadTooLarge);
            }

            var next = span.Slice(consumed, take);
            var before = _head.Count;
            int end;
            if (before == 0)
            {
                end = PartHeaders.EndOf(next, 0);
                _head.Append(end < 0 ? next : next[..end]); // the usual head is all there, and nothing behind it is copied
            }
            else
            {
                _head.Append(next);
                end = PartHeaders.EndOf(_head.Span, before);
            }

            if (end >= 0)
            {
                consumed += end - before;
                return BeginPart(end);
            }

            consumed += take;
        }

        return MultipartEvent.NeedMore;
    }

    private MultipartEvent BeginPart(int headEnd)
    {
        if (PartCount == _limits.MaxParts)
        {
            return Reject(MultipartFault.TooManyParts);
        }

        if (!Part.TryRead(_head.Span[..(headEnd - 2)]))
        {
            return Reject(MultipartFault.BadPartHead);
        }

        PartCount++;
        BeginDelimited(Step.Data);
        return MultipartEvent.PartBegin;
    }

    private MultipartEvent Reject(MultipartFault fault)
    {
        Data = default;
        Fault = fault;
        _step = Step.Rejected;
        return MultipartEvent.Rejected;
    }
}
