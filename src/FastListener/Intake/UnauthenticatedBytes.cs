using FastListener.Protocol.Multipart;

namespace FastListener.Intake;

/// <summary>
/// What one submission has brought before its token: how much of it there may be, and when it needs a share of what all strangers may stage.
/// Once the token is known nothing is taken here any more.
/// </summary>
internal sealed class UnauthenticatedBytes(UnauthenticatedBudget budget)
{
    /// <summary>Names, file names and types of files, together, that are held in memory for somebody who has shown no token: a kibibyte for each of a thousand.</summary>
    public const int MaxNameBytes = 1024 * 1024;

    private long _taken;
    private int _names;

    /// <summary>Whether it is more than each may bring without a share.</summary>
    public bool NeedsShare => _taken > UnauthenticatedBudget.FreeBytes;

    /// <summary>Takes bytes about to be staged; there may not be many.</summary>
    public RejectReason Take(int bytes)
    {
        if (_taken + bytes > budget.MaxBytes)
        {
            return RejectReason.TokenTooLate;
        }

        budget.Take(bytes);
        _taken += bytes;
        return RejectReason.None;
    }

    /// <summary>Takes what a part is called.</summary>
    public RejectReason TakeNames(PartHeaders part)
    {
        var bytes = part.Name.Length + part.FileName.Length + part.ContentType.Length;
        _names += bytes;
        return _names > MaxNameBytes ? RejectReason.TokenTooLate : Take(bytes);
    }

    /// <summary>Gives back what was taken: it has an owner now, or is gone.</summary>
    public void Settle()
    {
        budget.Return(_taken);
        _taken = _names = 0;
    }
}
