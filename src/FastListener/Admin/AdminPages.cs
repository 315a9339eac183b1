using System.Buffers;
using System.Text;
using System.Text.Json;
using FastListener.Diagnostics;
using FastListener.Overload;
using FastListener.Protocol.Http;

namespace FastListener.Admin;

/// <summary>One answer of the admin endpoint.</summary>
/// <param name="Status">Code and phrase.</param>
/// <param name="ContentType">What the body is.</param>
/// <param name="Body">UTF-8.</param>
internal sealed record AdminPage(string Status, string ContentType, byte[] Body)
{
    /// <summary>The answer to what is no request.</summary>
    public static AdminPage Malformed { get; } = Text("400 Bad Request", "The request is malformed.\n");

    public static AdminPage Text(string status, string text) => new(status, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(text));
}

/// <summary>What the admin endpoint answers, path by path. It shows tokens by their key and masked, never whole.</summary>
internal sealed class AdminPages(Readiness readiness, ListenerMetrics metrics, RequestFigures figures)
{
    private const string Contents = """
        /healthz   200 while the process lives
        /readyz    200 while uploads are taken, else 503; says what runs short
        /metrics   figures in Prometheus' text format
        /requests  uploads under way

        """;

    /// <summary>Answers one request. From any thread; may block while the disk does.</summary>
    public AdminPage Answer(RequestHead head)
    {
        var path = head.PathAndQuery;
        path = path.IndexOf((byte)'?') is >= 0 and var query ? path[..query] : path;
        var known = Encoding.Latin1.GetString(path) switch
        {
            "/" => (Func<AdminPage>)(() => AdminPage.Text("200 OK", Contents)),
            "/healthz" => () => AdminPage.Text("200 OK", "ok\n"),
            "/readyz" => Ready,
            "/metrics" => () => new("200 OK", "text/plain; version=0.0.4; charset=utf-8", metrics.Write()),
            "/requests" => () => new("200 OK", "application/json", Json(json => WriteRequests(json, figures))),
            _ => null,
        };
        return known is null ? AdminPage.Text("404 Not Found", Contents)
            : head.Method is RequestMethod.Get or RequestMethod.Head ? known()
            : AdminPage.Text("405 Method Not Allowed", "There is nothing to change here: GET.\n");
    }

    private AdminPage Ready()
    {
        var state = readiness.Look();
        return new(state.Ready ? "200 OK" : "503 Service Unavailable", "application/json", Json(json =>
        {
            json.WriteStartObject();
            json.WriteBoolean("ready", state.Ready);
            json.WriteStartObject("short");
            foreach (var (word, how) in state.Short)
            {
                json.WriteString(word, how);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }));
    }

    /// <summary>The uploads under way, oldest first, as an array.</summary>
    public static void WriteRequests(Utf8JsonWriter json, RequestFigures figures)
    {
        json.WriteStartArray();
        foreach (var upload in figures.InFlight().OrderByDescending(upload => upload.Age))
        {
            json.WriteStartObject();
            json.WriteString("token", upload.Token);
            json.WriteString("key", upload.Account);
            json.WriteString("project", upload.Project);
            json.WriteString("client", upload.Client);
            json.WriteNumber("ageSeconds", Math.Round(upload.Age.TotalSeconds, 3));
            json.WriteNumber("wireBytes", upload.WireBytes);
            json.WriteString("stage", Word(upload.Stage));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static string Word(UploadStage stage) => stage switch
    {
        UploadStage.Head => "head",
        UploadStage.Waiting => "waiting",
        UploadStage.Body => "body",
        UploadStage.HeldBack => "held_back",
        _ => "commit",
    };

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true }))
        {
            write(json);
        }

        bytes.Write("\n"u8);
        return bytes.WrittenSpan.ToArray();
    }
}
