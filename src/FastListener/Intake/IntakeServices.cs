using FastListener.Configuration;
using FastListener.Storage;
using FastListener.Tokens;

namespace FastListener.Intake;

/// <summary>What an intake needs of the rest of the program.</summary>
internal sealed record IntakeServices(
    ObjectStore Store,
    TokenRefresher Tokens,
    IntakeLimits Limits,
    UnauthenticatedBudget Unauthenticated,
    TokenGuesses Guesses,
    TimeProvider Time,
    ILogger Log);
