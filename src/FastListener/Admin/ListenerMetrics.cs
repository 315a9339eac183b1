using System.Reflection;
using FastListener.Diagnostics;
using FastListener.Overload;
using FastListener.Storage;

namespace FastListener.Admin;

/// <summary>Every figure an operator can plot. Reads what the rooms count anyway: nothing is counted for this alone.</summary>
internal sealed class ListenerMetrics(RequestFigures figures, Pressure pressure, ObjectStore store, long payloadMemoryBytes)
{
    private static readonly string Version = typeof(ListenerMetrics).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    /// <summary>All of it, in Prometheus' text format.</summary>
    public byte[] Write()
    {
        var text = new MetricsText();
        text.Add("fastlistener_build_info", "1, with the version.", [(MetricsText.Label("version", Version), 1)]);
        AddRequests(text);
        AddStore(text, store.Statistics);
        text.Add(
            "fastlistener_pressure", "What runs short: 0 nothing, 1 reading is slowed, 2 nothing is read.",
            pressure.Levels.Select(source => (MetricsText.Label("source", source.Word), (double)source.Level)));
        foreach (var gauge in figures.Gauges)
        {
            text.Add("fastlistener_" + gauge.Name, gauge.Help, gauge.Value());
        }

        ProcessMetrics.Add(text);
        return text.ToBytes();
    }

    private void AddRequests(MetricsText text)
    {
        text.Add("fastlistener_accepted_total", "Requests answered with 200 because what they brought is stored, degraded ones included.", figures.Accepted);
        text.Add("fastlistener_degraded_total", "Those of them that gave up bytes, by rung and reason.", figures.Degraded.Select(count =>
            ($"{MetricsText.Label("rung", count.Level)},{MetricsText.Label("reason", count.Reason)}", (double)count.Count)));
        text.Add("fastlistener_refused_total", "Requests refused, by the word of the refusal.", figures.Refused.Where(pair => pair.Key != "none").Select(pair =>
            (MetricsText.Label("reason", pair.Key), (double)pair.Value)));
        text.Add("fastlistener_received_bytes_total", "Bytes of bodies as they came over the wire, counted when a request is over.", figures.ReceivedWireBytes);
        text.Add("fastlistener_accepted_bytes_total", "Those of them that came with requests answered with 200.", figures.AcceptedWireBytes);
        text.Add("fastlistener_uploads_in_flight", "Uploads under way.", figures.InFlight().Count());
    }

    private void AddStore(MetricsText text, StoreStatistics now)
    {
        text.Add("fastlistener_objects_committed_total", "Objects committed.", now.Objects);
        text.Add("fastlistener_late_attachments_committed_total", "Late attachments committed.", now.LateAttachments);
        text.Add("fastlistener_payload_bytes_committed_total", "Payload bytes committed, in packs and files.", now.PayloadBytes);
        text.Add("fastlistener_large_payloads_committed_total", "Payloads committed to files of their own.", now.LargePayloads);
        var times = store.CommitDurations;
        text.AddHistogram(
            "fastlistener_commit_seconds", "How long group commits took.",
            CommitDurations.Bounds.Select(bound => bound.TotalSeconds), times.Counts, times.Sum.TotalSeconds);
        text.Add("fastlistener_commits_failed_total", "Group commits that failed.", now.FailedBatches);
        text.Add("fastlistener_submissions_failed_total", "Submissions that failed with them.", now.FailedSubmissions);
        text.Add("fastlistener_commit_fault", "1 while the most recent commit has failed.", now.CurrentFault is null ? 0 : 1);
        text.Add("fastlistener_commit_queue", "Submissions that wait for the committer.", now.Queued);
        text.Add("fastlistener_committing", "Submissions in the batch that is being committed.", now.Committing);
        text.Add("fastlistener_payload_memory_bytes", "Memory in use for payloads.", now.PayloadMemory);
        text.Add("fastlistener_payload_memory_limit_bytes", "What it may grow to; then payloads go to files.", payloadMemoryBytes);
        text.Add("fastlistener_payload_memory_spills_total", "Times it was spent, and a payload went to a file.", now.MemorySpills);
    }
}
