namespace FastListener.Tests.Tokens;

/// <summary>An empty directory of the test's own, gone when the test is.</summary>
internal sealed class DataDirectory : IDisposable
{
    public DataDirectory() => Path = Directory.CreateTempSubdirectory("fastlistener-").FullName;

    public string Path { get; }

    public string TokensJson => System.IO.Path.Combine(Path, "tokens.json");

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void WriteTokens(string json) => System.IO.File.WriteAllText(TokensJson, json);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
