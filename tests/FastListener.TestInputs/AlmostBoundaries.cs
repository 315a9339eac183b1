using System.Text;

namespace FastListener.TestInputs;

/// <summary>
/// A part's worth of bytes made of what a delimiter begins with and then is not: every prefix of <c>CRLF--B</c> with the wrong byte after
/// it, and the whole of it followed by what makes it data (a letter, one dash, blanks and a letter, a lone CR). The worst a sender can do
/// to a boundary search.
/// </summary>
public static class AlmostBoundaries
{
    /// <summary>So many such bytes. None of them ends the part, however they are cut.</summary>
    public static byte[] Fill(int length, string boundary)
    {
        var cycle = Cycle(Encoding.ASCII.GetBytes("\r\n--" + boundary));
        var bytes = new byte[length];
        for (var at = 0; at < length;)
        {
            var take = Math.Min(cycle.Length, length - at);
            cycle.AsSpan(0, take).CopyTo(bytes.AsSpan(at));
            at += take;
        }

        if (length > 0)
        {
            bytes[^1] = (byte)'.'; // whatever the cut left begun is not begun
        }

        return bytes;
    }

    private static byte[] Cycle(ReadOnlySpan<byte> delimiter)
    {
        using var cycle = new MemoryStream();
        for (var prefix = 1; prefix < delimiter.Length; prefix++)
        {
            cycle.Write(delimiter[..prefix]);
            cycle.WriteByte((byte)'!');
        }

        foreach (var tail in (string[])["x", "-x", "  x", "\t\rx", "\rx"])
        {
            cycle.Write(delimiter);
            cycle.Write(Encoding.ASCII.GetBytes(tail));
        }

        return cycle.ToArray();
    }
}
