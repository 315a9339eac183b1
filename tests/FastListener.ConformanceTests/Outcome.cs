using FastListener.SystemTests.Harness;

namespace FastListener.ConformanceTests;

/// <summary>What one delivery of one case brought about.</summary>
internal sealed record Outcome(Delivery Delivery, IReadOnlyList<RawReply> Replies, string? Failure)
{
    public IEnumerable<string> Receipts => Replies
        .Where(reply => reply.Status == 200 && reply.Body.Contains("\"_rxid\"", StringComparison.Ordinal))
        .Select(reply => reply.Rxid);
}
