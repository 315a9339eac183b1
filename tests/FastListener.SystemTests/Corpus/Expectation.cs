namespace FastListener.SystemTests.Corpus;

/// <summary>What one request of a case must bring about: its reply, the connection's fate, the stored object.</summary>
internal sealed class Expectation
{
    private readonly Dictionary<string, string> _attributes = new(StringComparer.Ordinal);
    private readonly List<ExpectedPayload> _attachments = [];
    private readonly List<string> _says = [];
    private readonly List<string> _kept = [];
    private readonly List<string> _notes = [];

    /// <summary>Three digits, or "4xx" where the contract leaves open which refusal it is.</summary>
    public string Status { get; private set; } = "";

    /// <summary>True: the connection takes another request. False: it is closed. Null: the case does not say.</summary>
    public bool? Keep { get; private set; }

    /// <summary>The whole body, where the contract fixes it.</summary>
    public string? Reply { get; private set; }

    /// <summary>The word in <c>FastListener-Reason</c>, where it matters which refusal it is.</summary>
    public string? Reason { get; private set; }

    /// <summary>Texts that the error's message holds.</summary>
    public IReadOnlyList<string> Says => _says;

    /// <summary>The start of a header line that the reply carries.</summary>
    public string? HeaderLine { get; private set; }

    /// <summary>The name in the reply to a late attachment.</summary>
    public string? Attached { get; private set; }

    /// <summary>The client ends its sending side after the last byte, as one that is cut off.</summary>
    public bool Leaves { get; private set; }

    /// <summary>The connection ends without any reply.</summary>
    public bool NoReply { get; private set; }

    public string Project { get; private set; } = "game";

    public string? Format { get; private set; }

    /// <summary>Whether the object may have attributes that the file does not name.</summary>
    public bool MoreAttributes { get; private set; }

    public IReadOnlyDictionary<string, string> Attributes => _attributes;

    /// <summary>Entries "source name=value" that must be among all that was kept.</summary>
    public IReadOnlyList<string> Kept => _kept;

    public IReadOnlyList<string> Notes => _notes;

    public ExpectedPayload? Report { get; private set; }

    public IReadOnlyList<ExpectedPayload> Attachments => _attachments;

    public static Expectation Parse(string name, IEnumerable<string> lines)
    {
        var expected = new Expectation();
        foreach (var line in lines.Where(line => line.Length > 0 && !line.StartsWith('#')))
        {
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            var (key, value) = space < 0 ? (line, "") : (line[..space], line[(space + 1)..]);
            if (!expected.Take(key, value))
            {
                throw new InvalidDataException($"{name}.expect: unknown line '{line}'");
            }
        }

        return expected;
    }

    private bool Take(string key, string value)
    {
        switch (key)
        {
            case "status": Status = value; break;
            case "keep": Keep = true; break;
            case "close": Keep = false; break;
            case "reply": Reply = value; break;
            case "reason": Reason = value; break;
            case "says": _says.Add(value); break;
            case "header": HeaderLine = value; break;
            case "attached": Attached = value; break;
            case "leaves": Leaves = true; break;
            case "no-reply": NoReply = true; break;
            case "project": Project = value; break;
            case "format": Format = value; break;
            case "attributes" when value == "more": MoreAttributes = true; break;
            case "attribute": _attributes.Add(value[..value.IndexOf('=')], value[(value.IndexOf('=') + 1)..]); break;
            case "kept": _kept.Add(value); break;
            case "note": _notes.Add(value); break;
            case "report": Report = ExpectedPayload.Parse(value); break;
            case "attachment": _attachments.Add(ExpectedPayload.Parse(value)); break;
            default: return false;
        }

        return true;
    }
}

/// <summary>"NAME | FILENAME | CONTENT"; a name of <c>*</c> is not checked.</summary>
internal sealed record ExpectedPayload(string Name, string FileName, string Content)
{
    public static ExpectedPayload Parse(string value)
    {
        var parts = value.Split(" | ", 3);
        return parts.Length == 3
            ? new ExpectedPayload(parts[0], parts[1], parts[2])
            : throw new InvalidDataException($"Not 'NAME | FILENAME | CONTENT': {value}");
    }
}
