namespace FastListener.Peers.AspNet;

/// <summary>What the command line chose: <c>--mode form|reader|discard [--tuned] [--decompress] --dir DIR --url URL [--certificate PEM --key PEM]</c>.</summary>
internal sealed record PeerOptions(string Mode, bool Tuned, bool Decompress, string Directory, string Url, string? Certificate, string? Key)
{
    public static PeerOptions Parse(string[] args)
    {
        string? Value(string name) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;
        var mode = Value("--mode") ?? "reader";
        if (mode is not ("form" or "reader" or "discard"))
        {
            throw new ArgumentException($"--mode {mode}: form, reader or discard.");
        }

        return new PeerOptions(
            mode,
            args.Contains("--tuned"),
            args.Contains("--decompress"),
            Value("--dir") ?? throw new ArgumentException("--dir is missing."),
            Value("--url") ?? throw new ArgumentException("--url is missing."),
            Value("--certificate"),
            Value("--key"));
    }
}
