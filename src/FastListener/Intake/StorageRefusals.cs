using FastListener.Storage;

namespace FastListener.Intake;

/// <summary>What a client is told about each kind of fault of the store.</summary>
internal static class StorageRefusals
{
    /// <summary>The refusal of a submission over such a fault.</summary>
    public static RejectReason Reason(StorageFaultKind kind) => kind switch
    {
        StorageFaultKind.DiskFull => RejectReason.StorageFull,
        StorageFaultKind.ReadOnly => RejectReason.StorageReadOnly,
        StorageFaultKind.Stopping => RejectReason.Stopping,
        StorageFaultKind.ObjectGone => RejectReason.UnknownObject,
        StorageFaultKind.ObjectFull => RejectReason.TooManyAttachments,
        StorageFaultKind.TooMuchMetadata => RejectReason.TooMuchMetadata,
        _ => RejectReason.StorageFault,
    };
}
