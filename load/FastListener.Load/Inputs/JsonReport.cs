using System.Globalization;
using System.Text;

namespace FastListener.Load.Inputs;

/// <summary>A managed client's report: three threads, forty frames, attributes; about 7 KiB.</summary>
internal static class JsonReport
{
    /// <summary>The report and where in it the sequence number goes.</summary>
    public static (byte[] Report, int SequenceAt) Build()
    {
        var json = new StringBuilder("{\"uuid\":\"0f3c9a52-4a5f-4f0c-");
        json.Append("8d1e-000000000000\",\"sequence\":\"");
        var sequenceAt = json.Length;
        json.Append('0', ByteImage.SequenceDigits);
        json.Append("\",\"timestamp\":1936000000,\"lang\":\"nodejs\",\"langVersion\":\"20.20.2\",\"agent\":\"backtrace-node\",\"agentVersion\":\"0.7.1\",\"mainThread\":\"main\",\"classifiers\":[\"TypeError\"],\"threads\":{");
        string[] threads = ["main", "worker-1", "worker-2"];
        for (var t = 0; t < threads.Length; t++)
        {
            json.Append(CultureInfo.InvariantCulture, $"{(t > 0 ? "," : "")}\"{threads[t]}\":{{\"name\":\"{threads[t]}\",\"fault\":{(t == 0 ? "true" : "false")},\"stack\":[");
            for (var frame = 0; frame < 14; frame++)
            {
                json.Append(CultureInfo.InvariantCulture, $"{(frame > 0 ? "," : "")}{{\"funcName\":\"module{t}.method{frame}\",\"library\":\"/srv/app/dist/module{t}/file{frame}.js\",\"line\":{100 + frame},\"column\":{frame * 3}}}");
            }

            json.Append("]}");
        }

        json.Append("},\"attributes\":{");
        json.AppendJoin(',', CrashForm.Attributes(30).Select(a => $"\"{a.Name}\":\"{a.Value}\""));
        json.Append("}}");
        return (Encoding.UTF8.GetBytes(json.ToString()), sequenceAt);
    }
}
