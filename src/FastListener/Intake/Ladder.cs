using System.Text;
using FastListener.Configuration;
using FastListener.Overload;
using FastListener.Storage;

namespace FastListener.Intake;

/// <summary>
/// What one upload has given up, and may still give up, of the bytes it brings, so that the rest can be kept. A rung, once taken, holds
/// for everything that still comes. Names, sizes and checksums are kept of all that is given up.
/// </summary>
/// <param name="mayBecomeReport">Whether a payload may still turn out to be the report, although it was not sent as one.</param>
/// <remarks>One per intake, used again. Which payload is omitted for which reason is stored with the object.</remarks>
internal sealed class Ladder(Func<Payload, bool> mayBecomeReport)
{
    private Submission? _submission;
    private Rungs _named;
    private Rungs _taken;
    private byte[] _why = [];

    /// <summary>Whether there is a rung left that the operator has named.</summary>
    public bool HasRung => Next is not Rungs.None;

    /// <summary>What has been given up so far.</summary>
    public Degradation Given { get; private set; }

    /// <summary>The reason of the first thing that was given up; empty while nothing is.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Whether attachments may be given up when they are too large or too many.</summary>
    public bool MayDropAttachments => _named.HasFlag(Rungs.WithoutAttachments);

    /// <summary>Whether what arrives now is kept. What is only counted and hashed costs the listener little, and need not wait for a turn.</summary>
    public bool Keeps => _taken is Rungs.None
        || (!_taken.HasFlag(Rungs.MetadataOnly) && !(_submission!.Payloads is { Count: > 0 } payloads && payloads[^1] is { IsOmitted: true, IsComplete: false }));

    private Rungs Next => _taken is Rungs.None && _named.HasFlag(Rungs.WithoutAttachments) ? Rungs.WithoutAttachments
        : !_taken.HasFlag(Rungs.MetadataOnly) && _named.HasFlag(Rungs.MetadataOnly) ? Rungs.MetadataOnly
        : Rungs.None;

    /// <summary>Prepares for the next upload, of which nothing may be given up until <see cref="Allow"/>.</summary>
    public void Begin(Submission submission)
    {
        _submission = submission;
        _named = _taken = Rungs.None;
        _why = [];
        Given = Degradation.None;
        Reason = "";
    }

    /// <summary>Names the rungs.</summary>
    public void Allow(Rungs rungs) => _named = rungs;

    /// <summary>Takes what pressure that lasts asks for: one rung while it is slow, all of them while nothing may be read.</summary>
    public void Yield(PressureState pressure, PressureLevel lasting)
    {
        while (HasRung && pressure.Word.Length > 0 && (lasting is PressureLevel.Hold || (lasting is PressureLevel.Slow && _taken is Rungs.None)))
        {
            TakeRung(pressure.Word);
        }
    }

    /// <summary>Takes the next rung: what is held of the payloads that it gives up is erased. No write may be under way.</summary>
    /// <param name="reason">Why, in one word; stored with what is given up.</param>
    public void TakeRung(string reason)
    {
        _taken |= Next;
        _why = Encoding.UTF8.GetBytes(reason);
        foreach (var payload in _submission!.Payloads)
        {
            Consider(payload);
        }
    }

    /// <summary>Gives a payload up if a rung that was taken asks for it. Call when one begins, and when its first bytes are known.</summary>
    public void Consider(Payload payload)
    {
        if (_taken.HasFlag(Rungs.MetadataOnly)
            || (_taken is not Rungs.None && payload.Kind is PayloadKind.Attachment && !mayBecomeReport(payload)))
        {
            Omit(payload, _why);
        }
    }

    /// <summary>Gives one attachment up for a reason of its own.</summary>
    public void Omit(Payload payload, ReadOnlySpan<byte> reason)
    {
        if (payload.IsOmitted)
        {
            return;
        }

        payload.Omit(reason);
        var given = payload.Kind is PayloadKind.Report ? Degradation.MetadataOnly : Degradation.WithoutAttachments;
        if (given > Given)
        {
            Given = given;
            Reason = Encoding.UTF8.GetString(reason);
        }
    }

    /// <summary>The upload is over.</summary>
    public void End() => _submission = null;
}
