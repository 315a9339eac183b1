namespace FastListener.Fuzz;

/// <summary>
/// Something that is given any bytes at all and states what must hold for them. One instance, one thread; it may keep buffers from one
/// input to the next, so that an input also meets what the one before left behind.
/// </summary>
internal interface IFuzzTarget
{
    /// <summary>The word it is chosen by, and the name of its folder of seeds.</summary>
    string Name { get; }

    /// <summary>Runs one input. Any exception that leaves is a finding, <see cref="InvariantException"/> the usual one.</summary>
    void Run(ReadOnlySpan<byte> input);
}
