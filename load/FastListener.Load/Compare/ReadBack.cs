using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using FastListener.Load.Inputs;

namespace FastListener.Load.Compare;

/// <summary>What a read-back found.</summary>
internal sealed record Verified(bool Good, long Objects, string Words);

/// <summary>A request that was answered 200, and the input it carried.</summary>
internal sealed record Acknowledgements(SubmissionBody Body, IReadOnlyCollection<ulong> Sequences);

/// <summary>
/// Reads everything back after a run: each acknowledged submission must be there with the bytes that were sent, and whatever else is there must be whole, too.
/// It shows that the right bytes were stored; that they survive a power cut is what the system tests are for.
/// </summary>
internal static class ReadBack
{
    public static Verified Check(Peer peer, PeerPlace place, IReadOnlyList<Acknowledgements> acknowledged)
    {
        var expected = new Dictionary<ulong, SubmissionBody>();
        foreach (var part in acknowledged)
        {
            foreach (var sequence in part.Sequences)
            {
                expected[sequence] = part.Body;
            }
        }

        return peer.Stored switch
        {
            StoredAs.Nothing => new Verified(true, 0, "nothing is kept"),
            StoredAs.ReportFiles => Files(Path.Combine(place.Directory, peer.StoredUnder), expected, whole: false),
            StoredAs.BodyFiles => Files(Path.Combine(place.Directory, peer.StoredUnder), expected, whole: true),
            StoredAs.Listener => Listener(place, expected),
            _ => throw new UnreachableException($"No read-back for {peer.Stored}."),
        };
    }

    private static Verified Files(string directory, Dictionary<ulong, SubmissionBody> expected, bool whole)
    {
        var buffer = new byte[1024 * 1024];
        var other = new byte[1024 * 1024];
        var missing = new HashSet<ulong>(expected.Keys);
        long good = 0, unasked = 0;
        foreach (var path in Directory.EnumerateFiles(directory))
        {
            var name = Path.GetFileName(path).Split('-', '.')[0];
            if (!ulong.TryParse(name, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var sequence) || name.Length != ByteImage.SequenceDigits)
            {
                continue;
            }

            if (!expected.TryGetValue(sequence, out var body))
            {
                unasked++; // sent, but the answer never came: it may be there, in whatever state
                continue;
            }

            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0);
            var matches = whole
                ? body.Wire.Matches(stream, 0, body.Wire.Length, sequence, buffer, other)
                : body.Report.Matches(stream, body.ReportOffset, body.ReportLength, sequence, buffer, other);
            if (!matches)
            {
                return new Verified(false, good, $"{Path.GetFileName(path)} differs from what was sent");
            }

            missing.Remove(sequence);
            good++;
        }

        return Verdict(good, unasked, missing);
    }

    private static Verified Listener(PeerPlace place, Dictionary<ulong, SubmissionBody> expected)
    {
        var verify = Process("verify", place);
        if (verify.ExitCode != 0)
        {
            return new Verified(false, 0, $"verify ended with {verify.ExitCode}: {FirstLine(verify.Text)}");
        }

        var buffer = new byte[1024 * 1024];
        var missing = new HashSet<ulong>(expected.Keys);
        var constant = new Dictionary<SubmissionBody, string>();
        long good = 0, unasked = 0;
        var start = new ProcessStartInfo("dotnet", [place.Listener, "list", "--data", place.Directory, "--json", "--limit", "0"]) { RedirectStandardOutput = true };
        using var list = System.Diagnostics.Process.Start(start) ?? throw new InvalidOperationException("list does not start.");
        foreach (var stored in JsonSerializer.DeserializeAsyncEnumerable<StoredObject>(list.StandardOutput.BaseStream, s_json).ToBlockingEnumerable())
        {
            if (stored is null
                || !stored.Attributes.TryGetValue("seq", out var text)
                || !ulong.TryParse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var sequence)
                || !expected.TryGetValue(sequence, out var body))
            {
                unasked++;
                continue;
            }

            var report = stored.Payloads.FirstOrDefault(p => p.Kind == "report");
            if (!constant.TryGetValue(body, out var checksum))
            {
                checksum = body.Report.Checksum(body.ReportOffset, body.ReportLength, sequence, buffer);
                if (body.Report.SequenceOffset < 0)
                {
                    constant[body] = checksum;
                }
            }

            if (report is null || report.Size != body.ReportLength || report.Checksum != checksum || stored.Payloads.Count != body.Payloads)
            {
                list.Kill();
                return new Verified(false, good, $"object {stored.Id} differs from what was sent");
            }

            missing.Remove(sequence);
            good++;
        }

        list.WaitForExit();
        return list.ExitCode == 0 ? Verdict(good, unasked, missing) : new Verified(false, good, $"list ended with {list.ExitCode}");
    }

    private static Verified Verdict(long good, long unasked, HashSet<ulong> missing) => missing.Count > 0
        ? new Verified(false, good, string.Create(CultureInfo.InvariantCulture, $"{missing.Count} acknowledged submissions are not there"))
        : new Verified(true, good, string.Create(CultureInfo.InvariantCulture, $"{good:#,0} read back{(unasked > 0 ? $", {unasked:#,0} more unacknowledged" : "")}"));

    private static (int ExitCode, string Text) Process(string verb, PeerPlace place)
    {
        var start = new ProcessStartInfo("dotnet", [place.Listener, verb, "--data", place.Directory]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = System.Diagnostics.Process.Start(start) ?? throw new InvalidOperationException($"{verb} does not start.");
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, (output + error.Result).Trim());
    }

    private static string FirstLine(string text) => text.Split('\n')[0] is { Length: > 300 } line ? line[..300] : text.Split('\n')[0];

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    private sealed record StoredObject(string Id, [property: JsonRequired] Dictionary<string, string> Attributes, [property: JsonRequired] List<StoredPayload> Payloads);

    private sealed record StoredPayload(string Kind, long Size, string Checksum);
}
