using System.Text;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using FastListener.Benchmarks.Running;
using FastListener.Configuration;
using FastListener.Intake;
using FastListener.Storage;
using FastListener.TestInputs;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastListener.Benchmarks.Attributes;

/// <summary>
/// 45 attributes from what a client sent into a submission: handed over one by one as form fields are, and read out of a JSON report.
/// The peer makes a JSON document of the fields, and takes the report apart with <see cref="JsonDocument"/>.
/// </summary>
[MemoryDiagnoser]
public class SubmissionAttributesBenchmarks
{
    private readonly IntakeLimits _limits = new();
    private readonly ReportAttributes _reader = new();
    private readonly byte[] _report = Report();
    private ObjectStore? _store;

    [ParamsAllValues]
    public Origin From { get; set; }

    public enum Origin
    {
        Fields,
        JsonReport,
    }

    [GlobalSetup]
    public async Task Setup()
    {
        _store = await ObjectStore.OpenAsync(new StoreOptions { DataDirectory = DiskRoom.NewDirectory("attributes") }, NullLogger.Instance);
        if (Json() == 0 || FastListener() != CrashpadAttributes.Count)
        {
            throw new InvalidOperationException("An attribute was lost.");
        }
    }

    [GlobalCleanup]
    public async Task Cleanup()
    {
        _reader.Return();
        await _store!.DisposeAsync();
    }

    [Benchmark(Baseline = true)]
    public int Json()
    {
        if (From is Origin.Fields)
        {
            var buffer = new System.Buffers.ArrayBufferWriter<byte>();
            using var json = new Utf8JsonWriter(buffer);
            json.WriteStartObject();
            foreach (var (name, value) in CrashpadAttributes.All)
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
            json.Flush();
            return buffer.WrittenCount;
        }

        using var document = JsonDocument.Parse(_report);
        var bytes = 0;
        foreach (var property in document.RootElement.GetProperty("attributes").EnumerateObject())
        {
            bytes += property.Name.Length + property.Value.ToString().Length;
        }

        return bytes;
    }

    [Benchmark]
    public int FastListener()
    {
        using var submission = _store!.Begin();
        if (From is Origin.Fields)
        {
            foreach (var (name, value) in CrashpadAttributes.All)
            {
                submission.AddAttribute(AttributeSource.Field, name, value);
            }
        }
        else
        {
            _reader.Reset();
            _reader.Append(_report, submission, _limits);
        }

        return submission.AttributeCount;
    }

    private static byte[] Report()
    {
        using var report = new MemoryStream();
        using (var json = new Utf8JsonWriter(report))
        {
            json.WriteStartObject();
            json.WriteString("uuid", "5d6c0a6e-7f1b-4b5e-9a51-1f0f6d2f7a11");
            json.WriteStartObject("attributes");
            foreach (var (name, value) in CrashpadAttributes.All)
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
            json.WriteStartArray("frames");
            for (var i = 0; i < 64; i++)
            {
                json.WriteStringValue(Encoding.ASCII.GetBytes($"Example.Scenes.Editor.OnFrame (line {i})"));
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return report.ToArray();
    }
}
