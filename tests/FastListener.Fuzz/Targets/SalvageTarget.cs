using FastListener.Fuzz.Checks;
using FastListener.Fuzz.Packs;
using FastListener.Fuzz.Running;
using FastListener.Storage;
using FastListener.Storage.Catalog;
using FastListener.Storage.Packs;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastListener.Fuzz.Targets;

/// <summary>
/// Salvage over a directory of damaged packs: it ends, with a catalog of which every row is a sound record. Selectors: what lies in the
/// directory (1 byte), where the first pack's sketch ends (2 bytes).
/// </summary>
internal sealed class SalvageTarget : IFuzzTarget, IDisposable
{
    private const byte SecondPack = 1;
    private const byte SameTwice = 2;
    private const byte WithoutFiles = 4;
    private const byte Serve = 8;
    private readonly ScratchDirectory _directory = new("salvage");

    public string Name => "salvage";

    public void Run(ReadOnlySpan<byte> input)
    {
        var selectors = new FuzzInput(input);
        var flags = selectors.Byte();
        var first = selectors.UInt16();
        var sketch = (flags & SecondPack) != 0 ? selectors.Take(first) : selectors.Rest;
        var packs = new Dictionary<long, byte[]> { [1] = PackSketch.Expand(sketch, 1) };
        if ((flags & SecondPack) != 0)
        {
            packs.Add(2, PackSketch.Expand((flags & SameTwice) != 0 ? sketch : selectors.Rest, 2));
        }

        _directory.Renew();
        var layout = new StoreLayout(_directory.Path);
        foreach (var (pack, bytes) in packs)
        {
            File.WriteAllBytes(layout.Pack(pack), bytes);
        }

        if ((flags & WithoutFiles) == 0)
        {
            Directory.CreateDirectory(layout.Files);
        }

        var report = Salvage.Run(layout.Data);
        var found = CheckCatalog(layout, packs, report);
        var again = Salvage.Run(layout.Data);
        Invariant.Holds(again.OldCatalog is not null && again.Objects == report.Objects && again.LateAttachments == report.LateAttachments, "Salvage finds the same twice.");
        Invariant.Holds(again.Unconfirmed == report.Unconfirmed, "What is not confirmed does not become so by salvage.");
        Invariant.Holds(CheckCatalog(layout, packs, again).SetEquals(found), "Salvage finds the same objects twice.");
        if ((flags & Serve) != 0)
        {
            ObjectStore.OpenAsync(new() { DataDirectory = layout.Data }, NullLogger.Instance).GetAwaiter().GetResult().DisposeAsync().AsTask().GetAwaiter().GetResult();
            Invariant.Holds(CheckCatalog(layout, packs, again).SetEquals(found), "A server's start keeps what was salvaged.");
        }
    }

    public void Dispose() => _directory.Dispose();

    private static HashSet<long> CheckCatalog(StoreLayout layout, Dictionary<long, byte[]> packs, SalvageReport report)
    {
        var ids = new HashSet<long>();
        using var reader = StoreReader.Open(layout.Data);
        foreach (var row in reader.Catalog.All())
        {
            ids.Add(row.Numbers.Id);
            var payloads = StoreReader.Payloads(row);
            Check(packs, row.Numbers.Place, row.Numbers.Id, payloads, row.Unconfirmed);
            Invariant.Holds(payloads.Count == row.Numbers.PayloadCount && payloads.Sum(p => p.Size) == row.Numbers.PayloadBytes, "A row counts its payloads.");
            Invariant.Holds(reader.Details(row).Damage is null, "A salvaged object's record is sound.");
            foreach (var late in reader.Catalog.LateAttachments(row.Numbers.Id))
            {
                Check(packs, late.Place, row.Numbers.Id, StoreReader.Payloads(late), (late.Flags & ObjectRow.Unconfirmed) != 0);
            }
        }

        Invariant.Holds(ids.Count == report.Objects, "Salvage reports as many objects as there are in the catalog.");
        foreach (var damage in Verification.Run(layout.Data).Damaged)
        {
            Invariant.Holds(damage.PayloadIndex >= 0 || damage.Problem.Contains("object is missing", StringComparison.Ordinal), "Only payloads may be damaged after salvage, never records or the catalog.");
        }

        Invariant.Holds(reader.List(new()).Count() == ids.Count, "Every salvaged object is listed.");
        return ids;
    }

    private static void Check(Dictionary<long, byte[]> packs, in RecordPlace place, long id, List<PayloadInfo> payloads, bool unconfirmed)
    {
        Invariant.Holds(packs.TryGetValue(place.Pack, out var file), "A salvaged record lies in a pack.");
        PackBytes.Check(file, place, id, payloads);
        foreach (var payload in payloads)
        {
            Invariant.Holds(!unconfirmed || !payload.IsInline || PackBytes.IsWhole(file, payload), "An object whose commit is not proved is whole.");
        }
    }
}
