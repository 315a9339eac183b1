using FastListener.Fuzz.Checks;
using FastListener.Fuzz.Packs;
using FastListener.Fuzz.Running;
using FastListener.Storage;
using FastListener.Storage.Packs;

namespace FastListener.Fuzz.Targets;

/// <summary>Reading a pack without a catalog, and each of its records with one. Selectors: committed end (1 byte), then a <see cref="PackSketch"/>.</summary>
internal sealed class PackTarget : IFuzzTarget, IDisposable
{
    private const long Pack = 1;
    private readonly ScratchDirectory _directory = new("pack");
    private readonly Transcript _one = new();
    private readonly Transcript _other = new();

    public string Name => "pack";

    public void Run(ReadOnlySpan<byte> input)
    {
        var selectors = new FuzzInput(input);
        var knownEnd = selectors.Byte() * (long)PackLayout.Alignment;
        var file = PackSketch.Expand(selectors.Rest, Pack);
        var layout = new StoreLayout(_directory.Path);
        File.WriteAllBytes(layout.Pack(Pack), file);
        Scan(layout, file, knownEnd, _one);
        Scan(layout, file, knownEnd, _other);
        Invariant.Same(_one.Written, _other.Written, "A pack reads the same twice.");
    }

    public void Dispose() => _directory.Dispose();

    private static void Scan(StoreLayout layout, byte[] file, long knownEnd, Transcript transcript)
    {
        transcript.Clear();
        var skipped = new List<string>();
        using var reader = new PackReader(layout);
        using var scanner = new PackScanner(layout, Pack, knownEnd, skipped);
        var end = (long)PackLayout.FileHeaderSize;
        var lastWasProved = true;
        foreach (var (records, isProved) in scanner.Batches())
        {
            Invariant.Holds(lastWasProved, "Nothing follows a batch whose commit is not proved.");
            lastWasProved = isProved;
            foreach (var record in records)
            {
                Invariant.Holds(record.Place.Offset >= end, "Records come in order and do not overlap.");
                end = record.Place.Offset + record.Place.Length;
                Check(reader, record, file, isProved);
                transcript.Add(record.ObjectId);
                transcript.Add(record.Place.Offset);
                transcript.Add(isProved);
                Invariant.Holds(scanner.HighestId >= record.ObjectId, "The highest id is the highest.");
            }

            Invariant.Holds(scanner.End >= end && scanner.End <= file.Length, "What was given out ends within the file.");
        }

        foreach (var record in scanner.Doubtful)
        {
            Check(reader, record, file, isProved: false);
            transcript.Add(record.Place.Offset);
        }

        transcript.Add(scanner.End);
        transcript.Add(skipped.Count);
    }

    private static void Check(PackReader reader, StoredRecord record, ReadOnlySpan<byte> file, bool isProved)
    {
        var payloads = record.Payloads;
        PackBytes.Check(file, record.Place, record.ObjectId, payloads);
        _ = record.ClientAddress;
        _ = StoredAttribute.Effective(record.Attributes);
        var again = reader.Read(record.Place);
        Invariant.Holds(again.ObjectId == record.ObjectId && again.Random == record.Random && again.IsLate == record.IsLate, "A record reads the same by its place.");
        Invariant.Same(again.Table, record.Table, "A record's payloads are the same by its place.");
        foreach (var payload in payloads)
        {
            Invariant.Holds(isProved || !payload.IsInline || PackBytes.IsWhole(file, payload), "A record whose commit is not proved is whole.");
            Invariant.Holds(isProved || payload.File is null, "A file that is not there is not given out without proof.");
        }
    }
}
