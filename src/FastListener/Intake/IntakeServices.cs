using FastListener.Configuration;
using FastListener.Diagnostics;
using FastListener.Overload;
using FastListener.Storage;
using FastListener.Tokens;

namespace FastListener.Intake;

/// <summary>What an intake needs of the rest of the program.</summary>
internal sealed record IntakeServices(
    ObjectStore Store,
    TokenRefresher Tokens,
    IntakeLimits Limits,
    TimeSpan WholeRequest,
    UnauthenticatedBudget Unauthenticated,
    TokenGuesses Guesses,
    OverloadControl Overload,
    RequestFigures Figures,
    TimeProvider Time,
    ILogger Log)
{
    /// <summary>Where faults of the store that only a request has met are told of.</summary>
    public StorageFaultReports StorageFaults { get; } = new(Time, Log);
}
