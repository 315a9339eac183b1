using System.Security.Cryptography;

namespace FastListener.SystemTests.Harness;

/// <summary>Where things lie in the tree these tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>Debug or Release, read off the folder these tests run from, so that both are built and tested alike.</summary>
    public static string Configuration { get; } = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    public static string Program { get; } =
        Path.Combine(Root, "src", "FastListener", "bin", Configuration, "net10.0", "fastlistener.dll");

    public static string Corpus { get; } = Path.Combine(Root, "tests", "corpus");

    public static string Clients { get; } = Path.Combine(Root, "tests", "clients");

    public static string CrashpadDumpPath { get; } = DumpPath("crashpad-renderer-chromium156-linux-x64.dmp");

    public static string BreakpadDumpPath { get; } = DumpPath("breakpad-nullwrite-linux-x64.dmp");

    /// <summary>A genuine Crashpad minidump, 120,496 bytes.</summary>
    public static byte[] CrashpadDump { get; } = File.ReadAllBytes(CrashpadDumpPath);

    /// <summary>A genuine Breakpad minidump, 46,048 bytes.</summary>
    public static byte[] BreakpadDump { get; } = File.ReadAllBytes(BreakpadDumpPath);

    public static string Sha256(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    public static string Sha256OfFile(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private static string DumpPath(string name) => Path.Combine(Root, "tests", "data", name);

    private static string FindRoot()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "FastListener.sln")))
            {
                return at.FullName;
            }
        }

        throw new InvalidOperationException("These tests run from inside the repository's bin folders only.");
    }
}
