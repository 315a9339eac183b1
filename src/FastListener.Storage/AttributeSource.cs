namespace FastListener.Storage;

/// <summary>
/// Where an attribute came from, in rising order of precedence: when a name repeats, the value of the highest source counts,
/// and within a source the last one. All of them are kept. The values are stored: never renumber.
/// </summary>
public enum AttributeSource : byte
{
    /// <summary>The report itself (a JSON report's <c>attributes</c>).</summary>
    Report = 0,

    /// <summary>The query string.</summary>
    Query = 1,

    /// <summary>A form field.</summary>
    Field = 2,
}

/// <summary>What a payload is to its object. The values are stored: never renumber.</summary>
public enum PayloadKind : byte
{
    /// <summary>The report: the dump, the JSON document.</summary>
    Report = 0,

    /// <summary>A file that came with the report or after it.</summary>
    Attachment = 1,
}
