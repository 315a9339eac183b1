using System.Net;

namespace FastListener.Overload;

/// <summary>
/// The payers at a gate where nobody has shown a token: whoever shares an address shares one part, so that a thousand connections from one
/// get as much as one from another.
/// </summary>
/// <remarks>A fixed table (stochastic fairness queueing, McKenney, 1990): addresses that fall into the same slot share their part, too.</remarks>
internal sealed class SenderShares
{
    private const int Slots = 256;

    private readonly GateShare[] _shares = [.. Enumerable.Range(0, Slots).Select(_ => new GateShare())];

    /// <summary>The part of an address; of all that have none together.</summary>
    public GateShare Of(IPAddress? address) =>
        _shares[address is null ? 0 : (uint)HashCode.Combine(AddressCap.KeyOf(address)) % Slots]; // seeded anew in each process
}
