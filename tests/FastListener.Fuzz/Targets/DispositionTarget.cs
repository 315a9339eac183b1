using System.Text;
using System.Text.Unicode;
using FastListener.Fuzz.Checks;
using FastListener.Fuzz.Running;
using FastListener.Protocol.Multipart;

namespace FastListener.Fuzz.Targets;

/// <summary>
/// The header lines of a part, Content-Disposition before all, and the boundary of a Content-Type. Selectors: style (1 byte), cut (2 bytes).
/// </summary>
internal sealed class DispositionTarget : IFuzzTarget, IDisposable
{
    private readonly PartHeaders _used = new();
    private readonly MultipartParser _parser = new(new MultipartLimits { MaxPartHeadBytes = 1024 * 1024 }); // a head alone has no limit either
    private readonly Transcript _one = new();
    private readonly Transcript _other = new();

    public string Name => "disposition";

    public void Run(ReadOnlySpan<byte> input)
    {
        var selectors = new FuzzInput(input);
        var style = selectors.Byte();
        var cut = selectors.UInt16();
        var bytes = selectors.Rest;
        byte[] head = (style & 1) == 0 ? [.. "Content-Disposition: form-data; "u8, .. bytes, .. "\r\n"u8] : bytes.ToArray();
        var valid = Read(_used, head, _one);
        using (var fresh = new PartHeaders())
        {
            Invariant.Holds(valid == Read(fresh, head, _other), "A part's head is valid or not, whatever was read before.");
            Invariant.Same(_one.Written, _other.Written, "A part's head reads the same, whatever was read before.");
        }

        ReadInBody(head, cut, valid);
        ReadBoundary(bytes);
        RoundTrip(bytes);
    }

    public void Dispose()
    {
        _used.Dispose();
        _parser.Dispose();
    }

    private static bool Read(PartHeaders part, ReadOnlySpan<byte> head, Transcript transcript)
    {
        transcript.Clear();
        var valid = part.TryRead(head.ToArray()); // it unfolds in place
        if (valid)
        {
            PartReading.Describe(part, transcript);
        }

        return valid;
    }

    /// <summary>The same head in a body says the same.</summary>
    private void ReadInBody(ReadOnlySpan<byte> head, int cut, bool valid)
    {
        if (head.IsEmpty || head.StartsWith("\r\n"u8) || !head.EndsWith("\r\n"u8) || head.IndexOf("\r\n\r\n"u8) >= 0)
        {
            return; // as the lines of a head never are
        }

        byte[] body = [.. "--B\r\n"u8, .. head, .. "\r\n"u8];
        _parser.Reset("B"u8);
        cut %= body.Length + 1;
        var found = _parser.Next(body.AsMemory(0, cut), out _);
        if (found == MultipartEvent.NeedMore)
        {
            found = _parser.Next(body.AsMemory(cut), out _);
        }

        Invariant.Holds(found == (valid ? MultipartEvent.PartBegin : MultipartEvent.Rejected), "A part's head is valid or not, alone and in a body.");
        _other.Clear();
        if (valid)
        {
            PartReading.Describe(_parser.Part, _other);
        }

        Invariant.Same(_one.Written, _other.Written, "A part's head reads the same, alone and in a body.");
    }

    private static void ReadBoundary(ReadOnlySpan<byte> bytes)
    {
        Span<byte> guarded = stackalloc byte[Boundary.MaxBytes + 1];
        guarded[^1] = 0xA5;
        byte[] contentType = [.. "multipart/form-data; "u8, .. bytes];
        if (Boundary.TryRead(contentType, guarded[..^1], out var length))
        {
            Invariant.Holds(length is > 0 and <= Boundary.MaxBytes && Boundary.IsUsable(guarded[..length]), "A boundary that was read is usable.");
        }

        if (Boundary.TryReadNested(bytes, guarded[..^1], out length))
        {
            Invariant.Holds(bytes[2..].StartsWith(guarded[..length]) && Boundary.IsUsable(guarded[..length]), "A nested boundary stands behind two dashes.");
        }

        Invariant.Holds(guarded[^1] == 0xA5, "Nothing is written behind a boundary.");
    }

    /// <summary>Any text can be sent as a name in the form of RFC 8187, and most in the form browsers use.</summary>
    private void RoundTrip(ReadOnlySpan<byte> name)
    {
        if (!Utf8.IsValid(name) || name.Contains((byte)0) || name.Length > 1000)
        {
            return;
        }

        var text = Encoding.UTF8.GetString(name);
        byte[] extended = [.. Encoding.ASCII.GetBytes($"Content-Disposition: form-data; name=x; name*=utf-8''{Uri.EscapeDataString(text)}; filename*=UTF-8'en'{Uri.EscapeDataString(text)}"), .. "\r\n"u8];
        Invariant.Holds(_used.TryRead(extended), "A name in the form of RFC 8187 is valid.");
        Invariant.Same(_used.Name, name, "A name in the form of RFC 8187 comes out as it went in.");
        Invariant.Same(_used.FileName, name, "A file name in the form of RFC 8187 comes out as it went in.");
        if (name.ContainsAny("%\\="u8) || name.ContainsAnyInRange((byte)1, (byte)31))
        {
            return; // these have several readings
        }

        byte[] quoted = [.. "Content-Disposition: form-data; name=\""u8, .. Encoding.UTF8.GetBytes(text.Replace("\"", "%22", StringComparison.Ordinal)), .. "\"; filename=\"f\"\r\n"u8];
        Invariant.Holds(_used.TryRead(quoted), "A quoted name is valid.");
        Invariant.Same(_used.Name, name, "A quoted name comes out as it went in.");
        Invariant.Same(_used.FileName, "f"u8, "A quoted name does not swallow what follows.");
    }
}
