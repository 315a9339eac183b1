namespace FastListener.Storage;

/// <summary>Proof of a commit: whoever holds one may tell the client that its bytes are safe.</summary>
/// <param name="ObjectId">The object the submission became, or (late attachment) the object it was added to.</param>
/// <param name="Random">The object's random word; 0 for a late attachment, whose reply carries the zero-filled form.</param>
/// <param name="AttachmentId">0 for a new object. For a late attachment the index of its (first) payload within the object.</param>
public readonly record struct Receipt(long ObjectId, uint Random, int AttachmentId)
{
    /// <summary>Writes the <c>_rxid</c>, <see cref="ReceiptId.RxidLength"/> bytes.</summary>
    public void FormatRxid(Span<byte> destination) => ReceiptId.FormatRxid(ObjectId, Random, destination);

    /// <summary>Writes the <c>_rxid</c> with zeros in place of the random word, <see cref="ReceiptId.RxidLength"/> bytes.</summary>
    public void FormatZeroFilled(Span<byte> destination) => ReceiptId.FormatRxid(ObjectId, 0, destination);

    /// <summary>Writes the id in hex; returns its length, at most <see cref="ReceiptId.MaxObjectLength"/>.</summary>
    public int FormatObject(Span<byte> destination) => ReceiptId.FormatObject(ObjectId, destination);
}
