namespace FastListener.Protocol.Tests.Support;

/// <summary>The genuine minidumps under <c>tests/data</c>.</summary>
internal static class Dumps
{
    public const string Breakpad = "breakpad-nullwrite-linux-x64.dmp";
    public const string Crashpad = "crashpad-renderer-chromium156-linux-x64.dmp";

    public static byte[] Read(string name)
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "data", name)))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new FileNotFoundException("No tests/data above the test program.", name);
        }

        return File.ReadAllBytes(Path.Combine(folder, "data", name));
    }
}
