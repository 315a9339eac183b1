namespace FastListener.ConformanceTests.Cases;

/// <summary>One case of a chapter file: what goes over one connection, the clause it stands on, and what must come of it.</summary>
internal sealed class ConformanceCase
{
    public required string Chapter { get; init; }

    /// <summary>A sentence.</summary>
    public required string Name { get; init; }

    /// <summary>Where the file has it, for whoever looks for a red case.</summary>
    public required int Line { get; init; }

    public string Id => $"{Chapter}: {Name}";

    /// <summary>The clauses that say so: "RFC 9112 6.3". A decision of this project is named as such, beside the RFC it departs from.</summary>
    public List<string> Clauses { get; } = [];

    /// <summary>Why the project differs from the letter, where it does.</summary>
    public string? Note { get; set; }

    public Expected Expected { get; set; } = new();

    public List<CaseMessage> Messages { get; } = [];

    /// <summary>The client ends its sending side behind the last byte.</summary>
    public bool Ends { get; set; }

    /// <summary>Everything the client sends, and where its first message ends.</summary>
    public CaseBytes Bytes()
    {
        var messages = Messages.Select(message => message.Bytes()).ToList();
        return new CaseBytes([.. messages.SelectMany(message => message)], messages[0].Length);
    }
}

/// <summary>A case as bytes.</summary>
internal sealed record CaseBytes(byte[] All, int FirstMessage)
{
    /// <summary>Just behind the first empty line, or -1 when there is none.</summary>
    public int HeadEnd => All.AsSpan().IndexOf("\r\n\r\n"u8) is >= 0 and var at ? at + 4 : -1;
}

/// <summary>The replies, the connection's fate and the object that a case must bring about.</summary>
internal sealed class Expected
{
    public List<ExpectedReply> Replies { get; } = [];

    /// <summary>The client sends its body only when an interim 100 has come.</summary>
    public bool Continue { get; set; }

    public Fate Fate { get; set; }

    /// <summary>The report's bytes, in the escapes of the file; null when the case does not say.</summary>
    public string? Report { get; set; } = "MDMPdump";

    /// <summary>"name=value"; null when the case does not say.</summary>
    public List<string>? Attributes { get; set; } = [];

    /// <summary>Names of the attachments in order.</summary>
    public List<string> Attachments { get; } = [];

    /// <summary>The report's file name, where the case says one.</summary>
    public string? FileName { get; set; }

    /// <summary>Starts of header lines that the last reply has.</summary>
    public List<string> Headers { get; } = [];
}

/// <summary>One final reply: status and the word in <c>FastListener-Reason</c>; for 200 whether it is a receipt.</summary>
internal sealed record ExpectedReply(int Status, string Word)
{
    public bool Stores => Status == 200 && Word == "stored";
}

internal enum Fate
{
    Unsaid,

    /// <summary>The next request on the connection is answered.</summary>
    Kept,

    /// <summary>Nothing that follows on the connection is ever answered.</summary>
    Closed,

    /// <summary>
    /// Kept when the listener had the whole body before it refused, closed when not: how the bytes arrived decides. What the reply says
    /// must be what happens.
    /// </summary>
    Either,

    /// <summary>No reply and no close: the listener waits for the rest.</summary>
    Waits,
}
