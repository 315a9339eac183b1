using FastListener.Storage.Catalog;
using FastListener.Storage.Payloads;

namespace FastListener.Storage.Packs;

/// <summary>
/// Reads many records that lie one after the other in one go. Only what lies between the first and the last of them is read: beyond it a server may be
/// writing, and what was read there would be older than the row that names it later. One thread at a time.
/// </summary>
internal sealed class PackRuns(PackReader packs) : IDisposable
{
    public const int RunBytes = 1024 * 1024;
    private const int LargestGap = 64 * 1024; // a read over it costs less than a second one

    private readonly AlignedBuffer _buffer = new(RunBytes);
    private RecordPlace _run;

    /// <summary>Forgets what was read: the next places are from a newer look at the catalog.</summary>
    public void Forget() => _run = default;

    /// <summary>
    /// The whole record at a place of the list, with those that follow it already on their way. Empty when it is too large to be read at once or cannot be
    /// read; the bytes live until the next call.
    /// </summary>
    public ReadOnlySpan<byte> Record(IReadOnlyList<RecordPlace> places, int index)
    {
        var place = places[index];
        if (!Holds(_run, place))
        {
            Read(places, index);
        }

        return Holds(_run, place) ? _buffer.Span.Slice((int)(place.Offset - _run.Offset), (int)place.Length) : default;
    }

    public void Dispose() => _buffer.Dispose();

    private static bool Holds(in RecordPlace run, in RecordPlace place) =>
        place.Pack == run.Pack && place.Length > 0 && place.Length <= run.Length && place.Offset >= run.Offset && place.Offset - run.Offset <= run.Length - place.Length;

    private void Read(IReadOnlyList<RecordPlace> places, int index)
    {
        _run = default;
        var first = places[index];
        if (first.Offset < 0 || first.Length is <= 0 or > RunBytes)
        {
            return;
        }

        var length = first.Length;
        for (var i = index + 1; i < places.Count && Follows(places[i], first, length); i++)
        {
            length = places[i].Offset - first.Offset + places[i].Length;
        }

        try
        {
            var read = PackReader.ReadFully(packs.Open(first.Pack), _buffer.Span[..(int)length], first.Offset);
            _run = new(first.Pack, first.Offset, read);
        }
        catch (IOException)
        {
            // Whoever reads the records one by one learns which of them it is, and why.
        }
    }

    private static bool Follows(in RecordPlace next, in RecordPlace first, long length) =>
        next.Pack == first.Pack && next.Length > 0 && next.Offset >= first.Offset + length && next.Offset - first.Offset - length <= LargestGap
        && next.Length <= RunBytes && next.Offset - first.Offset + next.Length <= RunBytes;
}
