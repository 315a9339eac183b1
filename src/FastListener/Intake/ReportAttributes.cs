using System.Buffers;
using System.Text;
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

    private JsonReaderState _state;
    private byte[]? _rest;
    private int _restLength;
    private bool _started;
    private int _bodyDepth;
    private int _attributesDepth;
    private string? _name;
    private byte[] _lastProperty = [];

    /// <summary>Whether there is nothing more to be found.</summary>
    public bool Finished { get; private set; }

    /// <summary>Prepares for the next report.</summary>
    public void Reset()
    {
        _state = new(new JsonReaderOptions { MaxDepth = 256, CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        _restLength = 0;
        _started = false;
        _bodyDepth = 0;
        _attributesDepth = 0;
        _name = null;
        Finished = false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_rest is { } rest)
        {
            _rest = null;
            ArrayPool<byte>.Shared.Return(rest);
        }
    }

    /// <summary>Looks at the next bytes of the report.</summary>
    public void Append(ReadOnlySpan<byte> bytes, Submission submission, IntakeLimits limits)
    {
        if (!_started)
        {
            if (bytes.IsEmpty)
            {
                return;
            }

            if (_restLength == 0 && ReportFormat.Sniff(bytes) is not ObjectFormat.Json)
            {
                Finished = true;
                return;
            }

            _started = true;
            if (bytes.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
            {
                bytes = bytes[3..];
            }
        }

        try
        {
            if (_restLength == 0)
            {
                Keep(bytes[Read(bytes, submission, limits)..]);
                return;
            }

            Keep(bytes, append: true);
            var used = Read(_rest.AsSpan(0, _restLength), submission, limits);
            _rest.AsSpan(used, _restLength - used).CopyTo(_rest);
            _restLength -= used;
        }
        catch (JsonException)
        {
            submission.AddNote("the report is not well-formed JSON; attributes after the fault were not read"u8);
            Finish();
        }

        if (_restLength > MaxTokenBytes)
        {
            submission.AddNote("the report holds a value too long to look past; attributes after it were not read"u8);
            Finish();
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
            case JsonTokenType.PropertyName when _attributesDepth == 0 && (depth == 1 || (_bodyDepth != 0 && depth == 2)):
                _lastProperty = reader.ValueTextEquals("attributes"u8) ? AttributesName
                    : depth == 1 && reader.ValueTextEquals("body"u8) ? BodyName
                    : [];
                break;

            case JsonTokenType.PropertyName when _attributesDepth != 0 && depth == _attributesDepth + 1:
                _name = reader.GetString();
                break;

            case JsonTokenType.StartObject when _attributesDepth == 0 && depth >= 1 && _lastProperty.Length != 0:
                if (ReferenceEquals(_lastProperty, AttributesName))
                {
                    _attributesDepth = depth;
                }
                else
                {
                    _bodyDepth = depth;
                }

                _lastProperty = [];
                break;

            case JsonTokenType.StartArray or JsonTokenType.StartObject:
                _lastProperty = [];
                break;

            case JsonTokenType.EndObject when depth == 0:
                Finish();
                break;

            case JsonTokenType.EndObject when depth == _attributesDepth && _attributesDepth != 0:
                _attributesDepth = 0;
                break;

            case JsonTokenType.String or JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null:
                if (_attributesDepth != 0 && depth == _attributesDepth + 1 && _name is { Length: > 0 } name)
                {
                    Add(name, ref reader, submission, limits);
                }

                _name = null;
                _lastProperty = [];
                break;

            default:
                break;
        }
    }

    private static void Add(string name, ref Utf8JsonReader reader, Submission submission, IntakeLimits limits)
    {
        var value = reader.TokenType is JsonTokenType.String ? Encoding.UTF8.GetBytes(reader.GetString()!) : reader.ValueSpan.ToArray();
        var key = Encoding.UTF8.GetBytes(name);
        if (key.Length > limits.MaxAttributeNameBytes
            || value.Length > limits.MaxAttributeValueBytes
            || submission.AttributeBytes + key.Length + value.Length > limits.MaxAttributeBytes)
        {
            submission.AddNote("an attribute of the report is too large to be searched by; the report holds it"u8);
            return;
        }

        submission.AddAttribute(AttributeSource.Report, key, value);
    }

    private void Keep(ReadOnlySpan<byte> bytes, bool append = false)
    {
        var start = append ? _restLength : 0;
        if (Finished || bytes.IsEmpty)
        {
            _restLength = start;
            return;
        }

        if (_rest is null || _rest.Length < start + bytes.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(start + bytes.Length);
            _rest.AsSpan(0, start).CopyTo(larger);
            Dispose();
            _rest = larger;
        }

        bytes.CopyTo(_rest.AsSpan(start));
        _restLength = start + bytes.Length;
    }

    private void Finish()
    {
        Finished = true;
        _restLength = 0;
    }

    private static readonly byte[] AttributesName = [1];
    private static readonly byte[] BodyName = [2];
}
