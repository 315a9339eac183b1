using System.Collections.Concurrent;
using FastListener.Diagnostics;
using FastListener.Storage;

namespace FastListener.Intake;

/// <summary>Intakes between two connections: clients open a connection per crash, and an intake is worth keeping.</summary>
internal sealed class IntakePool(IntakeServices services, int kept = 256) : IDisposable
{
    private readonly ConcurrentStack<SubmissionIntake> _idle = new();
    private readonly ConcurrentDictionary<SubmissionIntake, bool> _all = new();
    private int _count;

    /// <summary>The uploads under way now.</summary>
    public IEnumerable<UploadInFlight> InFlight => _all.Keys.Select(intake => intake.InFlight).OfType<UploadInFlight>();

    /// <summary>An entry of the ledger, for the requests of one connection.</summary>
    public LedgerEntry NewEntry() => services.Store.NewEntry();

    /// <summary>An intake that nobody else uses.</summary>
    public SubmissionIntake Rent()
    {
        if (_idle.TryPop(out var intake))
        {
            Interlocked.Decrement(ref _count);
            return intake;
        }

        intake = new SubmissionIntake(services);
        _all.TryAdd(intake, true);
        return intake;
    }

    /// <summary>Takes an intake back that is between two requests.</summary>
    public void Return(SubmissionIntake intake)
    {
        if (Interlocked.Increment(ref _count) <= kept)
        {
            _idle.Push(intake);
        }
        else
        {
            Interlocked.Decrement(ref _count);
            _all.TryRemove(intake, out _);
            intake.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_idle.TryPop(out var intake))
        {
            intake.Dispose();
        }
    }
}
