using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace FastListener.ConformanceTests.Proxies;

/// <summary>What went over one connection between a proxy and the listener.</summary>
internal sealed partial class TappedConnection(byte[] mark)
{
    private readonly Lock _lock = new();
    private readonly List<byte> _requests = [];
    private readonly List<string> _violations = [];
    private readonly StringBuilder _replies = new();
    private readonly List<string> _receipts = [];
    private int _searched;
    private int _parsed;

    /// <summary>Requests that carry the proxy's mark.</summary>
    public int Marked { get; private set; }

    /// <summary>Final replies of the listener.</summary>
    public int Replies { get; private set; }

    public IReadOnlyList<string> Violations
    {
        get
        {
            lock (_lock)
            {
                return [.. _violations];
            }
        }
    }

    /// <summary>Every _rxid that the listener gave out on this connection.</summary>
    public IReadOnlyList<string> Receipts
    {
        get
        {
            lock (_lock)
            {
                return [.. _receipts];
            }
        }
    }

    public void TakeRequest(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            _requests.AddRange(bytes);
            var all = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_requests);
            while (all[_searched..].IndexOf(mark) is >= 0 and var found)
            {
                Marked++;
                _searched += found + mark.Length;
            }

            _searched = Math.Max(_searched, all.Length - mark.Length + 1);
        }
    }

    public void TakeReply(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            _replies.Append(Encoding.Latin1.GetString(bytes));
            var all = _replies.ToString();
            while (all.IndexOf("\r\n\r\n", _parsed, StringComparison.Ordinal) is >= 0 and var end)
            {
                var head = all[_parsed..end];
                var length = ContentLength().Match(head) is { Success: true } match ? int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : 0;
                var next = end + 4;
                if (head.StartsWith("HTTP/1.1 1", StringComparison.Ordinal))
                {
                    _parsed = next;
                    continue;
                }

                // Bodies are JSON: anything but a brace here belongs to the reply that follows a reply to HEAD.
                if (next < all.Length && all[next] == '{')
                {
                    next += length;
                }
                else if (next == all.Length)
                {
                    Count(head, "");
                    _parsed = next;
                    continue;
                }

                if (next > all.Length)
                {
                    return;
                }

                Count(head, all[(end + 4)..next]);
                _parsed = next;
            }
        }
    }

    private void Count(string head, string body)
    {
        Replies++;
        if (Receipt().Match(body) is { Success: true } receipt)
        {
            _receipts.Add(receipt.Groups[1].Value);
        }

        if (Replies > Marked)
        {
            var text = Encoding.Latin1.GetString([.. _requests]);
            _violations.Add($"Reply {Replies} ({head.Split('\r')[0]}) to {Marked} forwarded requests:\n{text[Math.Max(0, text.Length - 2000)..]}");
        }
    }

    [GeneratedRegex("\r\nContent-Length: ([0-9]+)")]
    private static partial Regex ContentLength();

    [GeneratedRegex("\"_rxid\":\"([0-9a-f-]{36})\"")]
    private static partial Regex Receipt();
}
