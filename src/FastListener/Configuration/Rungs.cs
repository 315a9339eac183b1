namespace FastListener.Configuration;

/// <summary>What submissions may give up so that they need not be refused, from the least loss to the most.</summary>
[Flags]
internal enum Rungs : byte
{
    None = 0,

    /// <summary><c>without_attachments</c>: the report is kept; of attachments the name, size and checksum.</summary>
    WithoutAttachments = 1,

    /// <summary><c>metadata_only</c>: of the report, too, only name, size and checksum; attributes are kept.</summary>
    MetadataOnly = 2,
}

/// <summary>The words of the rungs, as settings and <c>tokens.json</c> have them.</summary>
internal static class RungWords
{
    /// <summary>Every word, in the order of the rungs.</summary>
    public static IReadOnlyList<string> Known { get; } = ["without_attachments", "metadata_only"];

    /// <summary>The words of a choice of rungs.</summary>
    public static IEnumerable<string> Of(Rungs rungs) => Known.Where((_, index) => rungs.HasFlag((Rungs)(1 << index)));

    /// <summary>Reads one word.</summary>
    public static bool TryRead(string word, out Rungs rung)
    {
        rung = word switch
        {
            "without_attachments" => Rungs.WithoutAttachments,
            "metadata_only" => Rungs.MetadataOnly,
            _ => Rungs.None,
        };
        return rung is not Rungs.None;
    }

    /// <summary>Reads words separated by commas. <c>none</c> is no rung at all.</summary>
    public static bool TryReadList(string text, out Rungs rungs)
    {
        rungs = Rungs.None;
        if (text is "none")
        {
            return true;
        }

        foreach (var word in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!TryRead(word, out var rung))
            {
                return false;
            }

            rungs |= rung;
        }

        return true;
    }
}
