using FastListener.Intake;
using FastListener.Protocol.Http;

namespace FastListener.Connections;

/// <summary>From what the parser found to what the client is told.</summary>
internal static class HeadFaults
{
    /// <summary>The refusal for a fault in a request head.</summary>
    public static RejectReason Reason(HttpFault fault) => fault switch
    {
        HttpFault.HeadTooLarge => RejectReason.HeadTooLarge,
        HttpFault.TooManyFields => RejectReason.TooManyFields,
        HttpFault.TargetTooLong => RejectReason.TargetTooLong,
        HttpFault.UnsupportedVersion => RejectReason.UnsupportedVersion,
        HttpFault.LengthWithTransferEncoding
            or HttpFault.SeveralContentLengths
            or HttpFault.BadContentLength
            or HttpFault.BadTransferEncoding => RejectReason.AmbiguousFraming,
        _ => RejectReason.MalformedHead,
    };
}
