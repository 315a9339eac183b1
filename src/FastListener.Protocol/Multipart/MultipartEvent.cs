namespace FastListener.Protocol.Multipart;

/// <summary>What <see cref="MultipartParser.Next"/> found.</summary>
public enum MultipartEvent : byte
{
    /// <summary>Everything given was taken; give more.</summary>
    NeedMore,

    /// <summary>A part begins; <see cref="MultipartParser.Part"/> describes it until the next part begins.</summary>
    PartBegin,

    /// <summary>Bytes of the part; <see cref="MultipartParser.Data"/> holds them until the next call.</summary>
    Bytes,

    /// <summary>The part is complete: its delimiter has been seen whole.</summary>
    PartEnd,

    /// <summary>The closing delimiter has been seen (or a lenient ending was accepted). What follows is epilogue and ignored.</summary>
    End,

    /// <summary>The body is not valid; <see cref="MultipartParser.Fault"/> says why.</summary>
    Rejected,
}
