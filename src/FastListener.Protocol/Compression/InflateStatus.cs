namespace FastListener.Protocol.Compression;

/// <summary>What <see cref="Inflater.Next"/> says.</summary>
public enum InflateStatus : byte
{
    /// <summary>All input was taken and everything that it gives was written; give more input. Bytes may have been written.</summary>
    NeedMore,

    /// <summary>The output is full and there may be more: empty it and call again with the rest of the input, an empty rest too.</summary>
    Output,

    /// <summary>The stream is damaged, or something that is no stream follows it. Bytes may have been written; they prove nothing.</summary>
    Rejected,
}
