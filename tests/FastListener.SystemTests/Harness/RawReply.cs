using System.Globalization;
using System.Text.RegularExpressions;

namespace FastListener.SystemTests.Harness;

/// <summary>One reply as it came over the wire.</summary>
internal sealed partial record RawReply(int Status, string StatusLine, IReadOnlyList<string> HeaderLines)
{
    public string Body { get; init; } = "";

    /// <summary>Statuses of the 1xx replies that came before this one.</summary>
    public IReadOnlyList<int> Interim { get; init; } = [];

    public bool SaysClose => string.Equals(Header("Connection"), "close", StringComparison.OrdinalIgnoreCase);

    /// <summary>The receipt of a stored submission.</summary>
    public string Rxid => RxidPattern().Match(Body) is { Success: true } match
        ? match.Groups[1].Value
        : throw new InvalidDataException($"No _rxid in {this}");

    public string? Header(string name) => HeaderLines
        .Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
        .Select(line => line[(name.Length + 1)..].Trim())
        .FirstOrDefault();

    public static RawReply ParseHead(string head)
    {
        var lines = head.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var words = lines[0].Split(' ');
        return words is [_, { Length: 3 } status, ..]
            ? new RawReply(int.Parse(status, CultureInfo.InvariantCulture), lines[0], lines[1..])
            : throw new InvalidDataException($"Not a status line: {lines[0]}");
    }

    /// <summary>
    /// What clients demand of every reply (wire contract 5.3 and 3.7): Crashpad's socket transport wants one space after each colon,
    /// no empty value, <c>Content-Length</c> in this spelling and above zero, and cannot read chunks; a browser must be let in.
    /// </summary>
    public void AssertReadableByEveryClient()
    {
        Assert.Matches("^HTTP/1\\.1 [2-5][0-9][0-9] [A-Za-z]", StatusLine);
        Assert.All(HeaderLines, line => Assert.Matches("^[!-9;-~]+: [!-~]", line));
        Assert.Single(HeaderLines, line => Regex.IsMatch(line, "^Content-Length: [1-9][0-9]*$"));
        Assert.Null(Header("Transfer-Encoding"));
        Assert.Equal("application/json", Header("Content-Type"));
        Assert.Equal("*", Header("Access-Control-Allow-Origin"));
        Assert.NotInRange(Status, 300, 399);
        Assert.StartsWith("{", Body, StringComparison.Ordinal);
        Assert.DoesNotContain("\"status\"", Body, StringComparison.OrdinalIgnoreCase);
    }

    public override string ToString() => $"{StatusLine}\n{string.Join('\n', HeaderLines)}\n\n{Body}";

    [GeneratedRegex("\"_rxid\":\\s*\"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\"")]
    private static partial Regex RxidPattern();
}
