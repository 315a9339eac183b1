using System.Text;

namespace FastListener.Protocol.Http;

/// <summary>
/// One request line and its fields. Every span points into the buffer of the <see cref="RequestHeadParser"/> that made the head and is
/// valid until that parser's <see cref="RequestHeadParser.Reset"/>. Nothing here allocates.
/// </summary>
public sealed class RequestHead
{
    private byte[] _bytes = [];
    private FieldPlace[] _fields = new FieldPlace[32];
    private FramingFields _framing;
    private int _methodStart;
    private int _methodLength;
    private int _targetStart;
    private int _targetLength;
    private int _pathStart;

    internal RequestHead()
    {
    }

    /// <summary>The method, as far as a listener tells methods apart.</summary>
    public RequestMethod Method { get; private set; }

    /// <summary>The method as sent.</summary>
    public ReadOnlySpan<byte> MethodBytes => _bytes.AsSpan(_methodStart, _methodLength);

    /// <summary>The request target as sent: origin-form, absolute-form, or <c>*</c> for OPTIONS (RFC 9112 3.2).</summary>
    public ReadOnlySpan<byte> Target => _bytes.AsSpan(_targetStart, _targetLength);

    /// <summary>
    /// The target without scheme and authority: from the first <c>/</c> or <c>?</c> after them to the end. <c>/</c> when an absolute
    /// target has neither; <c>*</c> stays <c>*</c>.
    /// </summary>
    public ReadOnlySpan<byte> PathAndQuery =>
        _pathStart < 0 ? "/"u8 : _bytes.AsSpan(_pathStart, _targetStart + _targetLength - _pathStart);

    /// <summary>True for HTTP/1.0. Versions 1.1 to 1.9 are all served as 1.1 (RFC 9110 2.5).</summary>
    public bool IsHttp10 { get; private set; }

    /// <summary>Number of field lines.</summary>
    public int FieldCount { get; private set; }

    /// <summary>How the body ends.</summary>
    public BodyFraming Framing => _framing.Body;

    /// <summary>
    /// Whether the connection may carry another request: HTTP/1.1 unless it says <c>close</c>; HTTP/1.0 only with <c>keep-alive</c>, and
    /// never when it sent chunks (RFC 9112 9.3, 6.1).
    /// </summary>
    public bool KeepAlive => _framing.KeepAlive(IsHttp10);

    /// <summary>The client waits for <c>100 Continue</c>. Never true for HTTP/1.0 (RFC 9110 10.1.1); other expectations are ignored.</summary>
    public bool ExpectContinue => _framing.ExpectContinue && !IsHttp10;

    /// <summary>The body's content coding.</summary>
    public ContentCoding ContentCoding => _framing.Coding;

    /// <summary>Whether a Content-Type was sent.</summary>
    public bool HasContentType => _framing.ContentTypeField != 0;

    /// <summary>The Content-Type as sent, empty when there is none.</summary>
    public ReadOnlySpan<byte> ContentType => HasContentType ? Field(_framing.ContentTypeField - 1).Value : default;

    /// <summary>The field line at <paramref name="index"/>, in the order sent.</summary>
    /// <param name="index">0 to <see cref="FieldCount"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such field.</exception>
    public HttpField Field(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)FieldCount, nameof(index));
        ref readonly var place = ref _fields[index];
        return new(_bytes.AsSpan(place.NameStart, place.NameLength), _bytes.AsSpan(place.ValueStart, place.ValueLength));
    }

    internal void Clear()
    {
        _bytes = [];
        _framing = default;
        _methodLength = _targetLength = _methodStart = _targetStart = _pathStart = 0;
        Method = RequestMethod.Other;
        IsHttp10 = false;
        FieldCount = 0;
    }

    /// <summary>Points the head at the buffer its places refer to; called whenever the parser's buffer has moved.</summary>
    internal void Attach(byte[] bytes) => _bytes = bytes;

    internal void SetMethod(int start, int length)
    {
        (_methodStart, _methodLength) = (start, length);
        Method = Recognise(MethodBytes);
    }

    internal HttpFault SetVersion(byte major, byte minor)
    {
        IsHttp10 = minor == '0';
        return major != '1' ? HttpFault.UnsupportedVersion
            : Target[0] == '*' && Method != RequestMethod.Options ? HttpFault.BadTarget
            : HttpFault.None;
    }

    /// <summary>Keeps the target if it is in a form that a listener can serve.</summary>
    internal HttpFault SetTarget(int start, int length)
    {
        (_targetStart, _targetLength, _pathStart) = (start, length, start);
        var target = Target;
        if (target[0] == '/')
        {
            return HttpFault.None;
        }

        if (target[0] == '*')
        {
            return length == 1 ? HttpFault.None : HttpFault.BadTarget; // who may say "*" is checked once the version is known, for PRI
        }

        var scheme = StartsWithIgnoreCase(target, "http://"u8) ? 7 : StartsWithIgnoreCase(target, "https://"u8) ? 8 : -1;
        if (scheme < 0)
        {
            return HttpFault.BadTarget;
        }

        var authority = target[scheme..];
        var path = authority.IndexOfAny((byte)'/', (byte)'?');
        _pathStart = path < 0 ? -1 : start + scheme + path;
        authority = path < 0 ? authority : authority[..path];
        return !authority.IsEmpty && HostGrammar.IsValid(authority) ? HttpFault.None : HttpFault.BadTarget;
    }

    internal HttpFault AddField(int nameStart, int nameLength, int valueStart, int valueLength)
    {
        if (FieldCount == _fields.Length)
        {
            Array.Resize(ref _fields, _fields.Length * 2);
        }

        var index = FieldCount++;
        _fields[index] = new(nameStart, nameLength, valueStart, valueLength);
        return _framing.Accept(_bytes.AsSpan(nameStart, nameLength), _bytes.AsSpan(valueStart, valueLength), index, ContentType);
    }

    internal HttpFault Finish() => _framing.Finish(IsHttp10);

    private static bool StartsWithIgnoreCase(ReadOnlySpan<byte> text, ReadOnlySpan<byte> prefix) =>
        text.Length >= prefix.Length && Ascii.EqualsIgnoreCase(text[..prefix.Length], prefix);

    private static RequestMethod Recognise(ReadOnlySpan<byte> method) => method.Length switch
    {
        4 when method.SequenceEqual("POST"u8) => RequestMethod.Post,
        4 when method.SequenceEqual("HEAD"u8) => RequestMethod.Head,
        3 when method.SequenceEqual("PUT"u8) => RequestMethod.Put,
        3 when method.SequenceEqual("GET"u8) => RequestMethod.Get,
        7 when method.SequenceEqual("OPTIONS"u8) => RequestMethod.Options,
        _ => RequestMethod.Other,
    };

    private readonly record struct FieldPlace(int NameStart, int NameLength, int ValueStart, int ValueLength);
}
