using System.Globalization;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Restart;

/// <summary>Holds what a data directory shows against what was sent and what was acknowledged.</summary>
internal static class StoredTruth
{
    /// <summary>
    /// Everything acknowledged is there; whatever is there was sent and is whole; <c>verify</c> finds no wrong byte, <c>audit</c> no gap.
    /// Lists only; <see cref="AssertIdenticalAsync"/> compares the bytes as well.
    /// </summary>
    public static async Task<IReadOnlyList<StoredObject>> AssertCompleteAsync(DataDirectory data, UploadLoad load, Promise promise)
    {
        var verify = await data.VerifyAsync();
        Assert.True(verify.ExitCode == 0, $"verify: {verify.Output}\n{verify.Error}");

        var audit = await data.AuditAsync();
        Assert.True(audit.ExitCode == 0, $"audit: {audit.Output}\n{audit.Error}");

        var stored = await data.ListAsync();
        var byRxid = stored.ToDictionary(item => item.Rxid);
        var lost = promise.Submissions.Keys.Where(rxid => !byRxid.ContainsKey(rxid)).ToList();
        Assert.True(lost.Count == 0, $"{lost.Count} of {promise.Submissions.Count} acknowledged objects are gone, first {lost.FirstOrDefault()}.");

        foreach (var ((rxid, name), _) in promise.LateAttachments)
        {
            Assert.True(
                byRxid[rxid].Attachments.Count(payload => payload.Name == name) == 1,
                $"The acknowledged late attachment {name} of {rxid} is gone or doubled.");
        }

        foreach (var item in stored)
        {
            var attempt = AttemptOf(item, load);
            Assert.True(
                !promise.Submissions.TryGetValue(item.Rxid, out var number) || number == attempt.Number,
                $"{item.Rxid} was acknowledged for attempt {number} and holds {attempt.Number}.");
            Assert.Equal(attempt.ReportLength, item.Report.Size);
            Assert.Equal(attempt.AttachmentHash is null ? 0 : 1, item.Attachments.Count(payload => payload.Name == "early.bin"));
            Assert.All(
                item.Attachments.Where(payload => payload.Name != "early.bin"),
                payload => Assert.True(load.LateSent.ContainsKey((item.Rxid, payload.Name)), $"Nobody sent {payload.Name} to {item.Rxid}."));
        }

        Assert.Equal(
            stored.Count,
            stored.Select(item => item.Attributes["attempt"]).Distinct(StringComparer.Ordinal).Count());
        return stored;
    }

    /// <summary>All of the above, and every byte of every object is the one that was sent.</summary>
    public static async Task AssertIdenticalAsync(DataDirectory data, UploadLoad load, Promise promise)
    {
        var stored = await AssertCompleteAsync(data, load, promise);
        var exported = await data.ExportAllAsync();
        foreach (var item in stored)
        {
            var attempt = AttemptOf(item, load);
            Assert.True(exported.ReportHash(item.Rxid) == attempt.ReportHash, $"The report of {item.Rxid} is not what was sent.");
            Assert.Equal(
                item.Attachments
                    .Select(payload => payload.Name == "early.bin" ? attempt.AttachmentHash! : load.LateSent[(item.Rxid, payload.Name)])
                    .Order(StringComparer.Ordinal),
                exported.AttachmentHashes(item.Rxid));
        }
    }

    private static Attempt AttemptOf(StoredObject item, UploadLoad load) =>
        load.Attempts[int.Parse(item.Attributes["attempt"], CultureInfo.InvariantCulture)];
}
