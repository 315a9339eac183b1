using System.Text.Json;

namespace FastListener.SystemTests.Harness;

/// <summary>A data directory of one test, with the command-line verbs that look into it.</summary>
internal sealed class DataDirectory : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fastlistener-systest-").FullName;

    public DataDirectory() => Location = Path.Combine(_folder, "data");

    /// <summary>A directory that exists already (a mounted image, say) and is not ours to delete.</summary>
    public DataDirectory(string location) => Location = location;

    public string Location { get; }

    /// <summary>Room beside the data for what a test exports or sends.</summary>
    public string Scratch(string name)
    {
        var folder = Path.Combine(_folder, "scratch");
        Directory.CreateDirectory(folder);
        return Path.Combine(folder, name);
    }

    public async Task<string> AddTokenAsync(string project, params string[] capabilities)
    {
        var token = Tokens.New();
        await GrantAsync(project, token, capabilities);
        return token;
    }

    public async Task GrantAsync(string project, string token, params string[] capabilities)
    {
        string[] granted = [.. capabilities.SelectMany(capability => new[] { "--capability", capability })];
        (await RunAsync(["token", "add"], ["--universe", "acme", "--project", project, "--token", token, .. granted])).Expect();
    }

    public async Task GrantLimitedAsync(string project, string token, params string[] limits) =>
        (await RunAsync(["token", "add"], ["--universe", "acme", "--project", project, "--token", token, .. Options(limits)])).Expect();

    /// <summary>Sets limits of a token, each as KEY=VALUE.</summary>
    public async Task SetLimitsAsync(string token, params string[] limits) =>
        (await RunAsync(["token", "set"], [token, .. Options(limits)])).Expect();

    public async Task<IReadOnlyList<StoredObject>> ListAsync()
    {
        var reply = (await RunAsync(["list"], ["--json", "--limit", "1000000"])).Expect();
        using var document = JsonDocument.Parse(reply.OutputBytes);
        return [.. document.RootElement.EnumerateArray().Select(StoredObject.Read)];
    }

    public async Task<StoredObject> ShowAsync(string id)
    {
        var reply = (await RunAsync(["show"], [id, "--json"])).Expect();
        using var document = JsonDocument.Parse(reply.OutputBytes);
        return StoredObject.Read(document.RootElement);
    }

    /// <summary>The report's bytes, or one named part's, as <c>export</c> prints them.</summary>
    public async Task<byte[]> ExportAsync(string id, string? part = null)
    {
        string[] choice = part is null ? [] : ["--part", part];
        return (await RunAsync(["export"], [id, .. choice, "-o", "-"])).Expect().OutputBytes;
    }

    public async Task<ExportedFolder> ExportAllAsync()
    {
        var folder = Scratch($"export-{Guid.NewGuid():N}");
        (await RunAsync(["export"], ["--all", "--to", folder])).Expect();
        return new ExportedFolder(folder);
    }

    public Task<CommandResult> VerifyAsync() => RunAsync(["verify"], []);

    /// <summary>No byte is wrong, and the books balance.</summary>
    public async Task AssertSoundAsync()
    {
        (await VerifyAsync()).Expect();
        (await AuditAsync()).Expect();
    }

    public Task<CommandResult> AuditAsync(params string[] options) => RunAsync(["audit"], options);

    /// <summary>The books, when they balance.</summary>
    public async Task<Books> BooksAsync() => new((await AuditAsync("--json")).Expect().OutputBytes);

    /// <summary>Files below staging/, but for the process's own lock: what the listener has taken and not committed.</summary>
    public string[] StagedFiles()
    {
        var staging = Path.Combine(Location, "staging");
        return Directory.Exists(staging)
            ? [.. Directory.GetFiles(staging, "*", SearchOption.AllDirectories).Where(path => Path.GetFileName(path) != "lock")]
            : [];
    }

    public void Dispose()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    private static IEnumerable<string> Options(string[] limits) => limits.SelectMany(limit => new[] { "--limit", limit });

    private Task<CommandResult> RunAsync(string[] verb, string[] rest) =>
        Command.FastListenerAsync([.. verb, "--data", Location, .. rest]);
}
