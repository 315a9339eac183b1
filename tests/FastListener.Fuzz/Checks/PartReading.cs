using System.Text.Unicode;
using FastListener.Protocol.Multipart;

namespace FastListener.Fuzz.Checks;

/// <summary>What must hold for the headers of any part, whatever was sent.</summary>
internal static class PartReading
{
    public static void Describe(PartHeaders part, Transcript transcript)
    {
        CheckText(part.Name);
        CheckText(part.FileName);
        CheckText(part.ContentType);
        Invariant.Holds(part.HasName || part.Name.IsEmpty, "Without a name parameter there is no name.");
        Invariant.Holds(part.HasFileName || part.FileName.IsEmpty, "Without a file name parameter there is no file name.");
        Invariant.Holds(!part.BaseName.ContainsAny((byte)'/', (byte)'\\') && part.FileName.EndsWith(part.BaseName), "A base name has no directory.");
        Invariant.Same(part.Key, part.Name.IsEmpty ? part.FileName : part.Name, "A part goes by its name, or else by its file name.");
        transcript.Add(part.HasName);
        transcript.Add(part.Name);
        transcript.Add(part.HasFileName);
        transcript.Add(part.FileName);
        transcript.Add(part.ContentType);
        transcript.Add((int)part.TransferEncoding);
    }

    private static void CheckText(ReadOnlySpan<byte> text) =>
        Invariant.Holds(Utf8.IsValid(text) && !text.Contains((byte)0), "A part's texts are UTF-8 without NUL.");
}
