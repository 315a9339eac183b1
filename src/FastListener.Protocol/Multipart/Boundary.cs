using System.Text;

namespace FastListener.Protocol.Multipart;

/// <summary>
/// Finds the boundary of a multipart body. More than RFC 2046 5.1.1 allows is accepted, because clients send it: <c>*****</c> without
/// quotes and without a space before <c>boundary</c>, and up to 256 bytes.
/// </summary>
public static class Boundary
{
    /// <summary>The longest boundary accepted, in bytes.</summary>
    public const int MaxBytes = 256;

    /// <summary>Whether a Content-Type says <c>multipart/…</c>, in any case and with any parameters, or none.</summary>
    /// <param name="contentType">The field's value.</param>
    /// <returns>True for every multipart type, with or without a usable boundary.</returns>
    public static bool IsMultipart(ReadOnlySpan<byte> contentType) => StartsWithIgnoreCase(contentType.TrimStart(" \t"u8), "multipart/"u8);

    /// <summary>Reads the boundary parameter of a multipart Content-Type.</summary>
    /// <param name="contentType">The field's value.</param>
    /// <param name="destination">Where the boundary goes, without quotes; <see cref="MaxBytes"/> long.</param>
    /// <param name="length">Its length, 0 on failure.</param>
    /// <returns>False when the type is not multipart, or the boundary is missing, empty, too long for the destination, given twice with
    /// different values, or holds CR, LF or NUL.</returns>
    public static bool TryRead(ReadOnlySpan<byte> contentType, Span<byte> destination, out int length)
    {
        length = 0;
        if (!IsMultipart(contentType))
        {
            return false;
        }

        var parameters = HeaderParameters.Of(contentType, out _);
        ReadOnlySpan<byte> first = default;
        var found = false;
        while (parameters.MoveNext())
        {
            if (!parameters.NameIs("boundary"u8))
            {
                continue;
            }

            var value = parameters.RawValue;
            if (found)
            {
                if (!value.SequenceEqual(first))
                {
                    length = 0;
                    return false;
                }

                continue;
            }

            if (value.Length > destination.Length)
            {
                return false;
            }

            found = true;
            first = value;
            if (parameters.IsQuoted)
            {
                length = HeaderParameters.Unescape(value, destination);
            }
            else
            {
                value.CopyTo(destination);
                length = value.Length;
            }
        }

        if (!parameters.Malformed && IsUsable(destination[..length]))
        {
            return true;
        }

        length = 0;
        return false;
    }

    /// <summary>
    /// Recognises a form inside a part: old Electron on Linux wrote the whole multipart body into its dump file and uploaded that
    /// (<c>--boundary CR LF Content-Disposition:</c>). The dump then lies in a part of that inner form.
    /// </summary>
    /// <param name="startOfPart">The first bytes of the part; 320 are enough for every boundary.</param>
    /// <param name="destination">Where the inner boundary goes; <see cref="MaxBytes"/> long.</param>
    /// <param name="length">Its length, 0 on failure.</param>
    /// <returns>True when the part begins like a form.</returns>
    public static bool TryReadNested(ReadOnlySpan<byte> startOfPart, Span<byte> destination, out int length)
    {
        length = 0;
        var end = startOfPart.IndexOf("\r\n"u8);
        if (end < 3 || !startOfPart.StartsWith("--"u8) || !StartsWithIgnoreCase(startOfPart[(end + 2)..], "content-disposition:"u8))
        {
            return false;
        }

        var boundary = startOfPart[2..end].TrimEnd(" \t"u8);
        if (boundary.Length > destination.Length || !IsUsable(boundary))
        {
            return false;
        }

        boundary.CopyTo(destination);
        length = boundary.Length;
        return true;
    }

    internal static bool IsUsable(ReadOnlySpan<byte> boundary) =>
        boundary.Length is > 0 and <= MaxBytes && boundary.IndexOfAny((byte)'\r', (byte)'\n', (byte)0) < 0;

    private static bool StartsWithIgnoreCase(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lowerCase) =>
        text.Length >= lowerCase.Length && Ascii.EqualsIgnoreCase(text[..lowerCase.Length], lowerCase);
}
