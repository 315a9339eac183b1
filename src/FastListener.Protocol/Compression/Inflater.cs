using System.Diagnostics;
using FastListener.Protocol.Http;

namespace FastListener.Protocol.Compression;

/// <summary>
/// A push inflater for <c>Content-Encoding: gzip</c> (RFC 1952) and <c>deflate</c> (RFC 1950, and raw RFC 1951 as some clients send it;
/// the first two bytes tell). Given slices of any size, it says how much it took and wrote, checks checksum and length of every gzip
/// member, takes several members in a row, and knows at the end whether the stream was whole.
/// </summary>
/// <remarks>
/// Why P/Invoke: <c>GZipStream</c> ends without an error on a truncated stream, hides how much input it used, and can only be pulled. A cut
/// dump must be refused, so the runtime's own zlib-ng is called directly, through the exports that <c>System.IO.Compression</c> uses.
/// They are not a public contract; should a runtime change them, a managed inflater or a zlib package can take this class's place behind the same four members.
/// Limits on inflated size and ratio are the caller's, from <see cref="InputBytes"/> and <see cref="OutputBytes"/>. Not thread-safe;
/// poolable: <see cref="Reset"/> keeps the native state, and nothing is allocated per use.
/// </remarks>
public sealed class Inflater : IDisposable
{
    private InflateHandle? _handle;
    private Step _step = Step.Unset;
    private byte _firstByte;

    private enum Step : byte
    {
        Unset,
        DeflateFirst, // deciding between zlib and raw
        DeflateSecond,
        Member, // inside a member, or before the first byte of the first
        GzipBetween, // a whole member has ended; another may follow
        Padding, // nothing but zeros may follow
        Rejected,
    }

    private enum Wrapper : byte
    {
        Gzip, Zlib, Raw,
    }

    private Wrapper Wrapping { get; set; }

    /// <summary>Compressed bytes taken since <see cref="Reset"/>.</summary>
    public long InputBytes { get; private set; }

    /// <summary>Inflated bytes written since <see cref="Reset"/>.</summary>
    public long OutputBytes { get; private set; }

    /// <summary>Makes ready for a stream.</summary>
    /// <param name="coding"><see cref="ContentCoding.Gzip"/> or <see cref="ContentCoding.Deflate"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">Another coding.</exception>
    /// <exception cref="InsufficientMemoryException">The native state could not be allocated.</exception>
    public void Reset(ContentCoding coding)
    {
        InputBytes = OutputBytes = 0;
        switch (coding)
        {
            case ContentCoding.Gzip:
                Begin(Wrapper.Gzip);
                break;
            case ContentCoding.Deflate:
                _step = Step.DeflateFirst;
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(coding), coding, "Only gzip and deflate can be inflated.");
        }
    }

    /// <summary>Inflates as much as input and output allow.</summary>
    /// <param name="input">The bytes that follow those consumed before; may be empty.</param>
    /// <param name="output">Where inflated bytes go; must not be empty.</param>
    /// <param name="consumed">Input bytes taken; all of them with <see cref="InflateStatus.NeedMore"/>.</param>
    /// <param name="written">Output bytes written, with any status.</param>
    /// <returns>See <see cref="InflateStatus"/>.</returns>
    /// <exception cref="ArgumentException">The output is empty.</exception>
    /// <exception cref="InvalidOperationException">No coding has been set.</exception>
    public InflateStatus Next(ReadOnlySpan<byte> input, Span<byte> output, out int consumed, out int written)
    {
        if (output.IsEmpty)
        {
            throw new ArgumentException("There must be room for output.", nameof(output));
        }

        consumed = written = 0;
        while (true)
        {
            switch (_step)
            {
                case Step.Member:
                    var status = InflateMember(input, output, ref consumed, ref written);
                    if (_step == Step.Member)
                    {
                        return status;
                    }

                    break;
                case Step.Rejected:
                    return InflateStatus.Rejected;
                case Step.Unset:
                    throw new InvalidOperationException("The inflater has no coding: call Reset first.");
                default:
                    if (consumed == input.Length)
                    {
                        return InflateStatus.NeedMore;
                    }

                    TakeOutside(input[consumed], ref consumed, output, ref written);
                    break;
            }
        }
    }

    /// <summary>Whether everything taken so far is a whole stream: at least one member, none of them cut.</summary>
    /// <returns>True only when the input may end here.</returns>
    public bool Complete() => _step is Step.GzipBetween or Step.Padding;

    /// <summary>Frees the native state. The inflater could be used again after <see cref="Reset"/>.</summary>
    public void Dispose()
    {
        _handle?.Dispose();
        _handle = null;
        _step = Step.Unset;
    }

    private InflateStatus InflateMember(ReadOnlySpan<byte> input, Span<byte> output, ref int consumed, ref int written)
    {
        Debug.Assert(_handle is not null, "A member has begun.");
        var code = _handle.Inflate(input[consumed..], output[written..], out var took, out var gave);
        consumed += took;
        written += gave;
        InputBytes += took;
        OutputBytes += gave;
        switch (code)
        {
            case ZlibNative.StreamEnd:
                _step = Wrapping == Wrapper.Gzip ? Step.GzipBetween : Step.Padding;
                return InflateStatus.NeedMore;
            case ZlibNative.Ok or ZlibNative.BufferError: // the latter: no progress without more input or room
                return written == output.Length ? InflateStatus.Output : InflateStatus.NeedMore;
            default:
                _step = Step.Rejected;
                return InflateStatus.Rejected;
        }
    }

    /// <summary>One byte that does not go to zlib as it comes: before a deflate stream, between gzip members, after the end.</summary>
    private void TakeOutside(byte found, ref int consumed, Span<byte> output, ref int written)
    {
        switch (_step)
        {
            case Step.DeflateFirst:
                _firstByte = found;
                _step = Step.DeflateSecond;
                break;
            case Step.DeflateSecond:
                Begin(LooksLikeZlib(_firstByte, found) ? Wrapper.Zlib : Wrapper.Raw);
                var none = 0;
                InflateMember([_firstByte], output, ref none, ref written);
                InputBytes -= none; // counted when it came
                return; // the second byte goes to zlib with what follows it
            case Step.GzipBetween when found == 0x1F:
                Begin(Wrapper.Gzip);
                return;
            case Step.GzipBetween or Step.Padding when found == 0:
                _step = Step.Padding;
                break;
            default:
                _step = Step.Rejected;
                return;
        }

        consumed++;
        InputBytes++;
    }

    private void Begin(Wrapper wrapper)
    {
        Wrapping = wrapper;
        var window = wrapper switch
        {
            Wrapper.Gzip => ZlibNative.GzipWindow,
            Wrapper.Zlib => ZlibNative.ZlibWindow,
            _ => ZlibNative.RawWindow,
        };
        if (_handle is null)
        {
            _handle = new(window);
        }
        else
        {
            _handle.Reset(window);
        }

        _step = Step.Member;
    }

    /// <summary>RFC 1950 2.2: method 8, a window of at most 32 KiB, a check that makes it a multiple of 31, no preset dictionary.</summary>
    private static bool LooksLikeZlib(byte first, byte second) =>
        (first & 0x0F) == 8 && first >> 4 <= 7 && ((first << 8) | second) % 31 == 0 && (second & 0x20) == 0;
}
