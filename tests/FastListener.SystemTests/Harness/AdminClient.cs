using System.Globalization;
using System.Text.Json;

namespace FastListener.SystemTests.Harness;

/// <summary>Asks a listener's admin endpoint.</summary>
internal static class AdminClient
{
    public static RawReply Get(int port, string path) => Ask(port, $"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n");

    public static RawReply Ask(int port, string request)
    {
        using var client = RawClient.Connect(port);
        client.Send(request);
        return client.ReadReply();
    }

    /// <summary>The JSON of a path, whatever its status.</summary>
    public static JsonElement Json(int port, string path) => JsonDocument.Parse(Get(port, path).Body).RootElement;

    /// <summary>Every value of <c>/metrics</c> by its name and labels, as they stand there.</summary>
    public static Dictionary<string, double> Metrics(int port) => Get(port, "/metrics").Body
        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Where(line => line[0] != '#')
        .Select(line => line.LastIndexOf(' ') is var at ? (Name: line[..at], Value: line[(at + 1)..]) : default)
        .ToDictionary(item => item.Name, item => double.Parse(item.Value, CultureInfo.InvariantCulture));
}
