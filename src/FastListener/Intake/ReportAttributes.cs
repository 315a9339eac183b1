using System.Buffers;
using System.Text.Json;
using FastListener.Configuration;
using FastListener.Protocol;
using FastListener.Storage;

namespace FastListener.Intake;

/// <summary>
/// Reads the attributes out of a JSON report while it streams past: the scalars of the object <c>attributes</c> at the
/// top (or under <c>body</c>, as one sample in the vendor's documentation wraps it). Holds one JSON token at most.
/// </summary>
/// <remarks>
/// The report itself is stored as sent; this is only so that its attributes can be searched. So nothing here refuses
/// a submission: what cannot be read is noted. Whoever sends it may be a stranger still, so work is linear in the bytes, however they are cut.
/// </remarks>
internal sealed class ReportAttributes
{
    private const int MaxTokenBytes = 1024 * 1024;
    private const int FirstRent = 1024;

    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    private JsonReaderState _state;
    private RentedBytes _rest = new(FirstRent); // begins with a token whose end has not been found
    private int _worthReading; // how long the rest must be for another reading
    private byte[]? _text;
    private int _nameLength;
    private int _markLength; // how much of a byte order mark has come
    private bool _started;
    private int _bodyDepth;
    private int _attributesDepth;
    private Named _named;

    /// <summary>What the property just read announces.</summary>
    private enum Named : byte
    {
        Nothing,
        Attributes,
        Body,
        Attribute,
    }

    /// <summary>Whether there is nothing more to be found.</summary>
    public bool Finished { get; private set; }

    /// <summary>Prepares for the next report.</summary>
    public void Reset()
    {
        _state = new(new JsonReaderOptions { MaxDepth = 256, CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        _rest.Truncate(0);
        _markLength = 0;
        _started = false;
        _bodyDepth = 0;
        _attributesDepth = 0;
        _named = Named.Nothing;
        Finished = false;
    }

    /// <summary>Gives the buffers back: they may hold megabytes, and whoever owns this waits for the next report, perhaps for ever.</summary>
    public void Return()
    {
        _rest.Return();
        Return(ref _text);
    }

    /// <summary>Looks at the next bytes of the report.</summary>
    public void Append(ReadOnlySpan<byte> bytes, Submission submission, IntakeLimits limits)
    {
        if (!_started)
        {
            bytes = PassStart(bytes);
        }

        if (Finished || bytes.IsEmpty)
        {
            return;
        }

        if (_rest.Count == 0)
        {
            var used = TryRead(bytes, submission, limits);
            Keep(bytes[used..], submission);
            return;
        }

        // A token is read from its start each time. Were that done with every slice, one of a megabyte that comes byte by byte would cost minutes;
        // done when there is twice as much of it, it costs twice its length.
        _rest.Append(bytes);
        if (_rest.Count >= _worthReading)
        {
            ReadRest(submission, limits);
        }
    }

    /// <summary>The whole report has been seen: reads what was put off until there would be more of it.</summary>
    public void Complete(Submission submission, IntakeLimits limits)
    {
        if (!Finished && _rest.Count > 0)
        {
            ReadRest(submission, limits);
        }

        Finish();
    }

    /// <summary>Passes over what may stand before the report's object: a byte order mark, then blanks.</summary>
    private ReadOnlySpan<byte> PassStart(ReadOnlySpan<byte> bytes)
    {
        while (_markLength < ByteOrderMark.Length && !bytes.IsEmpty)
        {
            if (bytes[0] == ByteOrderMark[_markLength])
            {
                _markLength++;
                bytes = bytes[1..];
            }
            else if (_markLength == 0)
            {
                _markLength = ByteOrderMark.Length; // there is none
            }
            else
            {
                Finish();
                return default;
            }
        }

        bytes = bytes.TrimStart(" \t\r\n"u8);
        _started = !bytes.IsEmpty && bytes[0] == (byte)'{';
        if (!bytes.IsEmpty && !_started)
        {
            Finish();
        }

        return bytes;
    }

    /// <summary>Reads on from where the last token found ends.</summary>
    private void ReadRest(Submission submission, IntakeLimits limits)
    {
        var all = _rest.Span;
        var rest = all[TryRead(all, submission, limits)..];
        rest.CopyTo(all);
        _rest.Truncate(rest.Length);
        Keep(default, submission);
    }

    /// <summary>Keeps the beginning of a token for the slice that holds its end.</summary>
    private void Keep(ReadOnlySpan<byte> rest, Submission submission)
    {
        if (Finished)
        {
            _rest.Truncate(0);
            return;
        }

        _rest.Append(rest);
        _worthReading = Math.Min(2 * _rest.Count, MaxTokenBytes + 1);
        if (_rest.Count > MaxTokenBytes)
        {
            submission.AddNote("the report holds a value too long to look past; attributes after it were not read"u8);
            Finish();
        }
    }

    private int TryRead(ReadOnlySpan<byte> bytes, Submission submission, IntakeLimits limits)
    {
        try
        {
            return Read(bytes, submission, limits);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string of the report is not UTF-8.
            submission.AddNote("the report is not well-formed JSON; attributes after the fault were not read"u8);
            Finish();
            return 0;
        }
    }

    private int Read(ReadOnlySpan<byte> bytes, Submission submission, IntakeLimits limits)
    {
        var reader = new Utf8JsonReader(bytes, isFinalBlock: false, _state);
        while (!Finished && reader.Read())
        {
            Take(ref reader, submission, limits);
        }

        _state = reader.CurrentState;
        return (int)reader.BytesConsumed;
    }

    private void Take(ref Utf8JsonReader reader, Submission submission, IntakeLimits limits)
    {
        var depth = reader.CurrentDepth;
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName:
                _named = Announce(ref reader, depth);
                break;

            case JsonTokenType.StartObject when _named is Named.Attributes:
                _attributesDepth = depth;
                _named = Named.Nothing;
                break;

            case JsonTokenType.StartObject when _named is Named.Body:
                _bodyDepth = depth;
                _named = Named.Nothing;
                break;

            case JsonTokenType.StartArray or JsonTokenType.StartObject:
                _named = Named.Nothing;
                break;

            case JsonTokenType.EndObject when depth == 0:
                Finish();
                break;

            case JsonTokenType.EndObject when depth == _attributesDepth && _attributesDepth != 0:
                _attributesDepth = 0;
                break;

            case JsonTokenType.EndArray or JsonTokenType.EndObject:
                break;

            default:
                if (_named is Named.Attribute)
                {
                    Add(ref reader, submission, limits);
                }

                _named = Named.Nothing;
                break;
        }
    }

    private Named Announce(ref Utf8JsonReader reader, int depth)
    {
        if (_attributesDepth != 0)
        {
            if (depth != _attributesDepth + 1)
            {
                return Named.Nothing;
            }

            _nameLength = reader.CopyString(Room(reader.ValueSpan.Length));
            return _nameLength == 0 ? Named.Nothing : Named.Attribute;
        }

        if (depth != 1 && (_bodyDepth == 0 || depth != _bodyDepth + 1))
        {
            return Named.Nothing;
        }

        return reader.ValueTextEquals("attributes"u8) ? Named.Attributes
            : depth == 1 && reader.ValueTextEquals("body"u8) ? Named.Body
            : Named.Nothing;
    }

    private void Add(ref Utf8JsonReader reader, Submission submission, IntakeLimits limits)
    {
        var room = Room(_nameLength + reader.ValueSpan.Length);
        var value = reader.ValueSpan;
        if (reader.TokenType is JsonTokenType.String)
        {
            var length = reader.CopyString(room[_nameLength..]);
            value = room.Slice(_nameLength, length);
        }

        if (_nameLength > limits.MaxAttributeNameBytes
            || value.Length > limits.MaxAttributeValueBytes
            || submission.AttributeBytes + _nameLength + value.Length > limits.MaxAttributeBytes
            || (submission.AttributeCount >= limits.MaxAttributes && limits.MaxAttributes != 0))
        {
            submission.AddNote("attributes of the report are too large or too many to be searched by; the report holds them"u8);
            return;
        }

        submission.AddAttribute(AttributeSource.Report, room[.._nameLength], value);
    }

    /// <summary>The buffer of the present name and value, at least this long, its contents kept. Unescaping never lengthens.</summary>
    private Span<byte> Room(int length)
    {
        if (_text is null || _text.Length < length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(length, 1024));
            _text?.CopyTo(larger, 0);
            Return(ref _text);
            _text = larger;
        }

        return _text;
    }

    private void Finish()
    {
        Finished = true;
        _rest.Truncate(0);
    }

    private static void Return(ref byte[]? buffer)
    {
        if (buffer is { } rented)
        {
            buffer = null;
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
