namespace FastListener.Intake;

/// <summary>What a part of a form is to a submission.</summary>
internal enum PartRole : byte
{
    /// <summary>A text field: an attribute, or a token or format.</summary>
    Attribute,

    /// <summary>The report itself.</summary>
    Report,

    /// <summary>An attachment.</summary>
    Attachment,
}

/// <summary>
/// Tells the parts of a form apart by their key, which is the name or, where a client leaves that out (Unity), the
/// file name.
/// </summary>
internal static class PartClass
{
    /// <summary>The role of a part, and the name under which an attachment is kept.</summary>
    /// <param name="key">Name of the part, or its file name when it has none.</param>
    /// <param name="hasFileName">Whether the part names a file.</param>
    /// <param name="name">The key without an <c>attachment_</c> or <c>attachment.</c> prefix, and without any directory.</param>
    public static PartRole Of(ReadOnlySpan<byte> key, bool hasFileName, out ReadOnlySpan<byte> name)
    {
        name = key;
        if (key.StartsWith("upload_file"u8))
        {
            return PartRole.Report;
        }

        if (key.StartsWith("attachment_"u8) || key.StartsWith("attachment."u8))
        {
            var bare = key["attachment_"u8.Length..];
            if (!bare.IsEmpty)
            {
                name = BaseName(bare);
                return PartRole.Attachment;
            }
        }

        if (hasFileName)
        {
            name = BaseName(key);
            return PartRole.Attachment;
        }

        return PartRole.Attribute;
    }

    /// <summary>What follows the last slash or backslash; everything when that would be nothing.</summary>
    public static ReadOnlySpan<byte> BaseName(ReadOnlySpan<byte> path)
    {
        var at = path.LastIndexOfAny((byte)'/', (byte)'\\');
        return at < 0 || at == path.Length - 1 ? path : path[(at + 1)..];
    }
}
