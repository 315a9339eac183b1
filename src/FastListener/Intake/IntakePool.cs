using System.Collections.Concurrent;

namespace FastListener.Intake;

/// <summary>Intakes between two connections: clients open a connection per crash, and an intake is worth keeping.</summary>
internal sealed class IntakePool(IntakeServices services, int kept = 256) : IDisposable
{
    private readonly ConcurrentStack<SubmissionIntake> _idle = new();
    private int _count;

    /// <summary>An intake that nobody else uses.</summary>
    public SubmissionIntake Rent()
    {
        if (_idle.TryPop(out var intake))
        {
            Interlocked.Decrement(ref _count);
            return intake;
        }

        return new SubmissionIntake(services);
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
