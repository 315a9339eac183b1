using System.Diagnostics.CodeAnalysis;

namespace FastListener.Fuzz.Checks;

/// <summary>Says what must hold.</summary>
internal static class Invariant
{
    public static void Holds([DoesNotReturnIf(false)] bool condition, string sentence)
    {
        if (!condition)
        {
            throw new InvariantException(sentence);
        }
    }

    public static void Same(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other, string sentence) => Holds(one.SequenceEqual(other), sentence);
}

/// <summary>Something that must hold does not.</summary>
internal sealed class InvariantException(string sentence) : Exception(sentence);
