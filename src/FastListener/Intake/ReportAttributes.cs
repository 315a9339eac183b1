using System.Buffers;
using System.Text.Json;
using FastListener.Configuration;
using FastListener.Storage;

namespace FastListener.Intake;

/// <summary>
/// Reads the attributes out of a JSON report while it streams past: the scalars of the object <c>attributes</c> at the
/// top (or under <c>body</c>, as one sample in the vendor's documentation wraps it). Holds one JSON token at most.
/// </summary>
/// <remarks>
/// The report itself is stored as sent; this is only so that its attributes can be searched. So nothing here refuses
/// a submission: what cannot be read is noted.
/// </remarks>
internal sealed class ReportAttributes : IDisposable
{
    private const int MaxTokenBytes = 1024 * 1024;

    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    private JsonReaderState _state;
    private byte[]? _rest;
    private int _restLength;
    private byte[]? _text;
    private int _nameLength;
    private bool _started;
    private bool _leftOut;
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
        _restLength = 0;
        _started = false;
        _leftOut = false;
        _bodyDepth = 0;
        _attributesDepth = 0;
        _named = Named.Nothing;
        Finished = false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Return(ref _rest);
        Return(ref _text);
    }

    /// <summary>Looks at the next bytes of the report.</summary>
    public void Append(ReadOnlySpan<byte> bytes, Submission submission, IntakeLimits limits)
    {
        if (Finished || bytes.IsEmpty)
        {
            return;
        }

        try
        {
            if (_started && _restLength == 0)
            {
                Keep(bytes[Read(bytes, submission, limits)..]);
            }
            else
            {
                Join(bytes, submission, limits);
            }
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string of the report is not UTF-8.
            submission.AddNote("the report is not well-formed JSON; attributes after the fault were not read"u8);
            Finish();
        }

        if (_restLength > MaxTokenBytes)
        {
            submission.AddNote("the report holds a value too long to look past; attributes after it were not read"u8);
            Finish();
        }
    }

    /// <summary>Reads on from what an earlier slice left: the beginning of a token, or of the report itself.</summary>
    private void Join(ReadOnlySpan<byte> bytes, Submission submission, IntakeLimits limits)
    {
        Keep(bytes);
        var all = _rest.AsSpan(0, _restLength);
        var skipped = 0;
        if (!_started)
        {
            if (all.Length < ByteOrderMark.Length && ByteOrderMark.AsSpan().StartsWith(all))
            {
                return;
            }

            skipped = all.StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0;
            skipped += all[skipped..].Length - all[skipped..].TrimStart(" \t\r\n"u8).Length;
            if (skipped == all.Length)
            {
                return;
            }

            if (all[skipped] != (byte)'{')
            {
                Finish();
                return;
            }

            _started = true;
        }

        var used = skipped + Read(all[skipped..], submission, limits);
        if (!Finished)
        {
            all[used..].CopyTo(_rest);
            _restLength -= used;
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
            if (!_leftOut)
            {
                _leftOut = true; // said once: a report may hold millions
                submission.AddNote("attributes of the report are too large or too many to be searched by; the report holds them"u8);
            }

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

    /// <summary>Adds to the bytes that wait for the next slice.</summary>
    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (Finished || bytes.IsEmpty)
        {
            return;
        }

        if (_rest is null || _rest.Length < _restLength + bytes.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(_restLength + bytes.Length);
            _rest.AsSpan(0, _restLength).CopyTo(larger);
            Return(ref _rest);
            _rest = larger;
        }

        bytes.CopyTo(_rest.AsSpan(_restLength));
        _restLength += bytes.Length;
    }

    private void Finish()
    {
        Finished = true;
        _restLength = 0;
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
