using FastListener.Storage;

namespace FastListener.Intake;

/// <summary>Which of the payloads is the report, and what it is.</summary>
internal static class ReportChoice
{
    /// <summary>The format, from what was named and what the content looks like.</summary>
    /// <param name="submission">Takes notes of what was decided.</param>
    /// <param name="request">What was named.</param>
    /// <param name="report">The report, complete.</param>
    /// <param name="reason">Why it cannot be that; <see cref="RejectReason.None"/> when it can.</param>
    public static ObjectFormat Decide(Submission submission, IntakeRequest request, Payload report, out RejectReason reason)
    {
        var format = request.NamedFormat;
        var seen = ReportFormat.Sniff(report.Head);
        if (request.FormatsDiffer)
        {
            submission.AddNote("two different formats were named; the content decided"u8);
            format = seen is ObjectFormat.Unknown ? request.LastNamedFormat : seen;
        }
        else if (format is ObjectFormat.Unknown)
        {
            format = seen is not ObjectFormat.Unknown ? seen
                : ReportFormat.Compression(report.Head).IsEmpty ? ObjectFormat.Btt
                : ObjectFormat.Minidump;
        }

        reason = ReportFormat.Judge(format, report.Head, report.Length);
        if (format is ObjectFormat.Minidump && ReportFormat.Compression(report.Head) is { IsEmpty: false } coding)
        {
            submission.AddNote(coding.SequenceEqual("gzip"u8) ? "the report is gzip data, kept as sent"u8
                : coding.SequenceEqual("zstd"u8) ? "the report is zstd data, kept as sent"u8
                : coding.SequenceEqual("xz"u8) ? "the report is xz data, kept as sent"u8
                : "the report is bzip2 data, kept as sent"u8);
        }

        return format;
    }

    /// <summary>A form without a part named upload_file: the first file that looks like what was announced is the report.</summary>
    public static Payload? Promote(Submission submission, IntakeRequest request)
    {
        var wanted = request.NamedFormat;
        for (var i = 0; i < submission.Payloads.Count; i++)
        {
            var payload = submission.Payloads[i];
            var seen = ReportFormat.Sniff(payload.Head);
            if (ReportFormat.IsSymbols(wanted) || (seen is not ObjectFormat.Unknown && (wanted == seen || wanted is ObjectFormat.Unknown)))
            {
                payload.Kind = PayloadKind.Report;
                submission.AddNote("the report was sent under another name than upload_file"u8);
                return payload;
            }
        }

        return null;
    }

    /// <summary>Whether a file that begins so may become the report for want of another.</summary>
    public static bool MayBecome(IntakeRequest request, Payload? report, ReadOnlySpan<byte> head) =>
        report is null && !request.IsAttachment
        && (ReportFormat.IsSymbols(request.NamedFormat) || ReportFormat.Sniff(head) is not ObjectFormat.Unknown);
}
