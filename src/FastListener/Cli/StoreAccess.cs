using FastListener.Storage;

namespace FastListener.Cli;

/// <summary>Opens what a verb reads, and says plainly when it is not there.</summary>
internal static class StoreAccess
{
    /// <exception cref="CommandFault">There is no such directory.</exception>
    public static string Existing(string dataDirectory) => Directory.Exists(dataDirectory)
        ? dataDirectory
        : throw new CommandFault($"There is no data directory {TerminalText.Escape(Path.GetFullPath(dataDirectory))}.");

    public static StoreReader Open(string dataDirectory) => StoreReader.Open(Existing(dataDirectory));

    /// <exception cref="CommandFault">There is no such object.</exception>
    public static ObjectDetails Require(this StoreReader reader, ObjectReference reference) =>
        reader.Find(reference) ?? throw new CommandFault($"There is no object {reference}.");
}
