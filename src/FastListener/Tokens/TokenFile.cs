using System.Diagnostics;
using FastListener.Files;

namespace FastListener.Tokens;

/// <summary>
/// tokens.json in a data directory. Read by anyone at any time; edited under an exclusive lock on tokens.lock, so that
/// of two editors at once neither loses the other's change.
/// </summary>
internal static class TokenFile
{
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(30);

    public static string PathIn(string dataDirectory) => Path.Combine(dataDirectory, "tokens.json");

    /// <summary>The document; an empty one when there is no file.</summary>
    /// <exception cref="TokenFileException">The file has faults.</exception>
    public static TokenDocument Read(string dataDirectory)
    {
        var path = PathIn(dataDirectory);
        try
        {
            return Parse(path, File.ReadAllBytes(path));
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return TokenDocument.Empty;
        }
    }

    /// <summary>
    /// Applies one change and returns what the file now holds, durable and readable by its owner only. Creates the
    /// data directory when it is new. A change that returns its input writes nothing.
    /// </summary>
    /// <exception cref="TokenFileException">The file has faults; it is left as it is.</exception>
    /// <exception cref="IOException">The file cannot be written, or another editor holds the lock for too long.</exception>
    public static TokenDocument Edit(string dataDirectory, Func<TokenDocument, TokenDocument> change)
    {
        PrivateDirectory.Create(dataDirectory);
        using var held = Lock(Path.Combine(dataDirectory, "tokens.lock"));
        var before = Read(dataDirectory);
        var after = change(before);
        if (!ReferenceEquals(before, after))
        {
            var path = PathIn(dataDirectory);
            var json = after.ToJson();
            Parse(path, json); // nothing is written that could not be read again
            DurableReplacement.Write(path, json);
        }

        return after;
    }

    /// <exception cref="TokenFileException">The content has faults.</exception>
    public static TokenDocument Parse(string path, byte[] utf8) =>
        TokenDocumentReader.TryRead(utf8, out var document, out var faults) ? document : throw new TokenFileException(path, faults);

    /// <summary>Opening a file for oneself alone is an flock on Unix; the system drops it when its holder dies.</summary>
    private static FileStream Lock(string path)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                var isNew = !File.Exists(path);
                var held = new FileStream(path, PrivateFile.Options(FileMode.OpenOrCreate));
                if (isNew)
                {
                    DurableReplacement.GiveToOwnerOf(Path.GetDirectoryName(Path.GetFullPath(path))!, path);
                }

                return held;
            }
            catch (IOException busy) when (IsHeldElsewhere(busy))
            {
                if (Stopwatch.GetElapsedTime(started) > LockPatience)
                {
                    throw new IOException($"Another edit of the tokens has held {path} for {LockPatience.TotalSeconds:0} seconds.", busy);
                }

                Thread.Sleep(Random.Shared.Next(2, 12));
            }
        }
    }

    private static bool IsHeldElsewhere(IOException failure) => failure is not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException)
        && (OperatingSystem.IsWindows() || failure.HResult == WouldBlock);

    private static int WouldBlock => OperatingSystem.IsMacOS() || OperatingSystem.IsFreeBSD() ? 35 : 11; // EWOULDBLOCK
}
