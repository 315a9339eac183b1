using FastListener.Intake;

namespace FastListener.Connections;

/// <summary>What one read of a body gave.</summary>
internal enum BodyState : byte
{
    /// <summary>Bytes of the body.</summary>
    Data,

    /// <summary>The body is complete: its framing has ended and, when compressed, its last checksum was right.</summary>
    End,

    /// <summary>The body cannot be read any further.</summary>
    Refused,
}

/// <summary>One slice of a body. <see cref="Bytes"/> stays valid until the next read.</summary>
internal readonly record struct BodyRead(BodyState State, ReadOnlyMemory<byte> Bytes, RejectReason Reason)
{
    public static BodyRead End => new(BodyState.End, default, RejectReason.None);

    public static BodyRead Data(ReadOnlyMemory<byte> bytes) => new(BodyState.Data, bytes, RejectReason.None);

    public static BodyRead Refused(RejectReason reason) => new(BodyState.Refused, default, reason);
}
