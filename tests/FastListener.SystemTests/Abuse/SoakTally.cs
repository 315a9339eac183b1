using System.Globalization;

namespace FastListener.SystemTests.Abuse;

/// <summary>How often each kind of client did what it does, and how often it got the answer that it must get.</summary>
internal sealed class SoakTally
{
    private readonly SortedDictionary<string, (int Begun, int Answered)> _kinds = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    /// <summary>Names a kind, of which there must be one answer at least in the end.</summary>
    public void Expect(string kind) => Change(kind, begun: 0, answered: 0);

    public void Begin(string kind) => Change(kind, begun: 1, answered: 0);

    /// <summary>It was answered as it must be, or came to the end that it must come to.</summary>
    public void Answer(string kind) => Change(kind, begun: 0, answered: 1);

    /// <summary>How often kinds whose names begin so were answered.</summary>
    public int Answered(string beginning)
    {
        lock (_lock)
        {
            return _kinds.Where(kind => kind.Key.StartsWith(beginning, StringComparison.Ordinal)).Sum(kind => kind.Value.Answered);
        }
    }

    /// <summary>Every kind was there, and each of its clients got what it must get.</summary>
    public void AssertAnswered()
    {
        lock (_lock)
        {
            Assert.All(_kinds, kind => Assert.True(
                kind.Value.Answered == kind.Value.Begun && kind.Value.Answered > 0,
                string.Create(CultureInfo.InvariantCulture, $"{kind.Key}: {kind.Value.Answered} of {kind.Value.Begun} were answered as they must be.")));
        }
    }

    public override string ToString()
    {
        lock (_lock)
        {
            return string.Join("; ", _kinds.Select(kind => string.Create(CultureInfo.InvariantCulture, $"{kind.Key} {kind.Value.Answered}")));
        }
    }

    private void Change(string kind, int begun, int answered)
    {
        lock (_lock)
        {
            var now = _kinds.GetValueOrDefault(kind);
            _kinds[kind] = (now.Begun + begun, now.Answered + answered);
        }
    }
}
