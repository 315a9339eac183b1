using System.Diagnostics;

namespace FastListener.Load.Compare;

/// <summary>What a peer leaves on disk, and how it is read back.</summary>
internal enum StoredAs
{
    /// <summary>Nothing is kept.</summary>
    Nothing,

    /// <summary>A file for each upload with the report in it, named SEQUENCE-anything.</summary>
    ReportFiles,

    /// <summary>A file for each upload with the whole request body in it, named SEQUENCE or SEQUENCE-anything.</summary>
    BodyFiles,

    /// <summary>FastListener's data directory.</summary>
    Listener,

    /// <summary>The C log's one file; the peer is a program that makes its own load.</summary>
    CLog,
}

/// <summary>Where a peer's step runs.</summary>
internal sealed record PeerPlace(string Directory, int Port, bool Tls, string Certificate, string Key, string BuildDirectory, string SourceDirectory, string Listener)
{
    public string Url => $"{(Tls ? "https" : "http")}://127.0.0.1:{Port}";

    public string AspNet => Path.Combine(BuildDirectory, "aspnet", "peer-aspnet.dll");

    /// <summary>The file beside a .NET program that says how its runtime is set up.</summary>
    public static string RuntimeConfig(string program) => Path.ChangeExtension(program, ".runtimeconfig.json");
}

/// <summary>A server to compare with, as configured for this comparison.</summary>
internal sealed record Peer
{
    public required string Key { get; init; }

    /// <summary>What it is, for the table.</summary>
    public required string Title { get; init; }

    /// <summary>How it was set up.</summary>
    public required string Settings { get; init; }

    /// <summary>What its 200 promises, and what it does not.</summary>
    public required string Promise { get; init; }

    public required StoredAs Stored { get; init; }

    /// <summary>Makes directories and configuration, then says how the server is started.</summary>
    public required Func<PeerPlace, ProcessStartInfo> Start { get; init; }

    public string Method { get; init; } = "POST";

    /// <summary>Path and query; {format}, {seq} and {token} are filled in.</summary>
    public string Target { get; init; } = "/post?format={format}&token={token}&seq={seq}";

    public int[] Expected { get; init; } = [200];

    public bool AnswersOk { get; init; } = true;

    /// <summary>Its data goes to memory (tmpfs), not to the disk under test.</summary>
    public bool InMemory { get; init; }

    /// <summary>Where under the step's directory stored files lie.</summary>
    public string StoredUnder { get; init; } = "";
}
