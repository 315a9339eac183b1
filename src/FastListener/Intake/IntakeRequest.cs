using System.Buffers;
using FastListener.Protocol.Text;
using FastListener.Storage;
using FastListener.Tokens;

namespace FastListener.Intake;

/// <summary>
/// What a request has said about itself so far: its token, format and, for a late attachment, its object. Filled from
/// the target first and from form fields later; says no as soon as two of them contradict each other.
/// </summary>
internal sealed class IntakeRequest(TokenRefresher tokens)
{
    private ObjectFormat _named;
    private bool _formatsDiffer;
    private bool _formatUnheard;
    private Capabilities _needed;
    private ObjectReference _object;
    private string? _universe;

    /// <summary>What the token grants, once one has been seen.</summary>
    public TokenGrant? Grant { get; private set; }

    /// <summary>The format that the sender named; <see cref="ObjectFormat.Unknown"/> when none, or when two differ.</summary>
    public ObjectFormat NamedFormat => _formatsDiffer ? ObjectFormat.Unknown : _named;

    /// <summary>The format named last: a field after the query, a query after the path.</summary>
    public ObjectFormat LastNamedFormat => _named;

    /// <summary>Whether the sender named two different formats.</summary>
    public bool FormatsDiffer => _formatsDiffer;

    /// <summary>Whether this is an attachment for an object that is already stored.</summary>
    public bool IsAttachment { get; private set; }

    /// <summary>The name asked for such an attachment, or null. Decoded bytes, not necessarily UTF-8.</summary>
    public byte[]? AttachmentName { get; private set; }

    /// <summary>The object of such an attachment.</summary>
    public ObjectReference Object => _object;

    /// <summary>Whether what was named as the object cannot be the id of any.</summary>
    public bool ObjectUnreadable { get; private set; }

    /// <summary>Whether something was sent as a token that is none, or none any more.</summary>
    public bool SentWrongToken { get; private set; }

    /// <summary>Whether a query named a resource of the console.</summary>
    public bool NamesResource { get; private set; }

    /// <summary>Forgets the last request.</summary>
    public void Reset()
    {
        Grant = null;
        _named = ObjectFormat.Unknown;
        _formatsDiffer = false;
        _formatUnheard = false;
        _needed = Capabilities.None;
        _object = default;
        _universe = null;
        IsAttachment = false;
        ObjectUnreadable = false;
        AttachmentName = null;
        NamesResource = false;
        SentWrongToken = false;
    }

    /// <summary>Takes everything from the target that steers the request; attributes are taken later.</summary>
    public RejectReason Read(in SubmissionRoute route)
    {
        if (!route.Universe.IsEmpty)
        {
            _universe = DecodeText(route.Universe);
        }

        if (!route.Token.IsEmpty && TakeEncodedToken(route.Token) is var refused and not RejectReason.None)
        {
            return refused;
        }

        if (!route.Format.IsEmpty)
        {
            TakeFormat(route.Format);
        }

        var reason = ReadPairs(route.Glued);
        if (reason is RejectReason.None)
        {
            reason = ReadPairs(route.Query);
        }

        return reason is RejectReason.None ? CheckUniverse() : reason;
    }

    /// <summary>Whether a query pair steers the request and is therefore no attribute.</summary>
    public bool IsControl(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        name.SequenceEqual("token"u8)
        || name.SequenceEqual("format"u8)
        || name.SequenceEqual("universe"u8)
        || name.SequenceEqual("project"u8)
        || (IsAttachment && (name.SequenceEqual("object"u8) || name.SequenceEqual("attachment_name"u8)))
        || (value.IsEmpty && ReportFormat.TryParse(name, out _));

    /// <summary>Takes a token from a form field.</summary>
    public RejectReason TakeToken(ReadOnlySpan<byte> token)
    {
        token = token.Trim(" \t\r\n"u8);
        if (!tokens.Table.TryFind(token, out var grant) || !grant.Enabled)
        {
            SentWrongToken = true;
            return RejectReason.InvalidToken;
        }

        if (Grant is not null && Grant.Key != grant.Key)
        {
            return RejectReason.ConflictingTokens;
        }

        Grant = grant;
        return CheckUniverse();
    }

    /// <summary>Takes a format from the target or from a form field.</summary>
    public void TakeFormat(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty)
        {
            return;
        }

        if (!ReportFormat.TryParse(name, out var format))
        {
            // "dump" stands in one vendor sample; the content decides then.
            _formatUnheard |= !name.SequenceEqual("dump"u8);
            return;
        }

        _formatsDiffer |= _named is not ObjectFormat.Unknown && _named != format;
        _named = format;
        _needed |= Needed(format);
    }

    /// <summary>Whether the token, once known, may do what the request is about: with several formats named, whatever any of them asks for.</summary>
    public RejectReason CheckCapability()
    {
        if (Grant is null)
        {
            return RejectReason.None;
        }

        if (!Grant.Allows(IsAttachment || _needed is Capabilities.None ? Capabilities.ErrorPost : _needed))
        {
            return RejectReason.InvalidToken;
        }

        return _formatUnheard && _named is ObjectFormat.Unknown && !IsAttachment ? RejectReason.UnknownFormat : RejectReason.None;
    }

    /// <summary>Whether the token may store a report of the format that it turned out to be.</summary>
    public bool MayPost(ObjectFormat format) => Grant is not null && Grant.Allows(Needed(format));

    private static Capabilities Needed(ObjectFormat format) => ReportFormat.IsSymbols(format) ? Capabilities.SymbolPost : Capabilities.ErrorPost;

    private RejectReason ReadPairs(ReadOnlySpan<byte> query)
    {
        var pairs = new QueryReader(query);
        while (pairs.MoveNext())
        {
            var name = pairs.Name;
            if (name.SequenceEqual("token"u8))
            {
                var reason = TakeEncodedToken(pairs.Value);
                if (reason is not RejectReason.None)
                {
                    return reason;
                }
            }
            else if (name.SequenceEqual("format"u8))
            {
                TakeFormat(pairs.Value);
            }
            else if (name.SequenceEqual("object"u8))
            {
                IsAttachment = true;
                ObjectUnreadable = !TryReadObject(pairs.Value);
            }
            else if (name.SequenceEqual("attachment_name"u8))
            {
                AttachmentName = Decode(pairs.Value);
            }
            else if (name.SequenceEqual("universe"u8) && !pairs.Value.IsEmpty)
            {
                _universe ??= DecodeText(pairs.Value);
            }
            else if (name.SequenceEqual("resource"u8))
            {
                NamesResource = true;
            }
            else if (pairs.Value.IsEmpty && ReportFormat.TryParse(name, out _))
            {
                TakeFormat(name);
            }
        }

        return RejectReason.None;
    }

    private RejectReason CheckUniverse() =>
        _universe is not null && Grant is not null && !string.Equals(Grant.Universe, _universe, StringComparison.Ordinal)
            ? RejectReason.InvalidToken
            : RejectReason.None;

    private RejectReason TakeEncodedToken(ReadOnlySpan<byte> encoded)
    {
        if (!encoded.Contains((byte)'%'))
        {
            return TakeToken(encoded);
        }

        var rented = ArrayPool<byte>.Shared.Rent(encoded.Length);
        var length = PercentDecoding.Decode(encoded, rented, plusIsSpace: false);
        var reason = TakeToken(rented.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        return reason;
    }

    private bool TryReadObject(ReadOnlySpan<byte> encoded)
    {
        var text = Decode(encoded);
        return ObjectReference.TryParse(text, out _object);
    }

    private static byte[] Decode(ReadOnlySpan<byte> encoded)
    {
        var buffer = new byte[encoded.Length];
        var length = PercentDecoding.Decode(encoded, buffer, plusIsSpace: true);
        return buffer.AsSpan(0, length).ToArray();
    }

    private static string DecodeText(ReadOnlySpan<byte> encoded) => System.Text.Encoding.UTF8.GetString(Decode(encoded));
}
