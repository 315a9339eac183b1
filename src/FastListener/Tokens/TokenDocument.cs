using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace FastListener.Tokens;

/// <summary>A project and the universe (tenant) it lives in.</summary>
internal sealed record ProjectEntry(string Universe, string Project);

/// <summary>One token as the file has it. Limits of null: the member is not there.</summary>
internal sealed record TokenEntry(
    TokenSecret Token,
    string Universe,
    string Project,
    Capabilities Capabilities,
    bool Enabled = true,
    DateTimeOffset? CreatedAt = null,
    TokenLimits? Limits = null);

/// <summary>The content of tokens.json: immutable, so an edit is a function from one document to the next.</summary>
internal sealed record TokenDocument(ImmutableArray<ProjectEntry> Projects, ImmutableArray<TokenEntry> Tokens)
{
    public const int FormatVersion = 1;

    public static TokenDocument Empty { get; } = new([], []);

    /// <summary>The document with the token added, and with its project when that is new.</summary>
    public TokenDocument With(TokenEntry token)
    {
        var project = new ProjectEntry(token.Universe, token.Project);
        return new(Projects.Contains(project) ? Projects : Projects.Add(project), Tokens.Add(token));
    }

    /// <summary>As indented UTF-8 JSON that ends with a line feed: people read and edit this file.</summary>
    public byte[] ToJson()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("version", FormatVersion);
            json.WriteStartArray("projects");
            foreach (var project in Projects)
            {
                json.WriteStartObject();
                json.WriteString("universe", project.Universe);
                json.WriteString("project", project.Project);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("tokens");
            foreach (var token in Tokens)
            {
                Write(json, token);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }

    public bool Equals(TokenDocument? other) =>
        other is not null && Projects.AsSpan().SequenceEqual(other.Projects.AsSpan()) && Tokens.AsSpan().SequenceEqual(other.Tokens.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Projects.Length, Tokens.Length);

    private static void Write(Utf8JsonWriter json, TokenEntry token)
    {
        json.WriteStartObject();
        json.WriteString("token", token.Token.Reveal());
        json.WriteString("universe", token.Universe);
        json.WriteString("project", token.Project);
        json.WriteStartArray("capabilities");
        foreach (var word in CapabilityWords.Of(token.Capabilities))
        {
            json.WriteStringValue(word);
        }

        json.WriteEndArray();
        json.WriteBoolean("enabled", token.Enabled);
        if (token.CreatedAt is { } created)
        {
            json.WriteString("createdAt", created.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture));
        }

        if (token.Limits is { } limits)
        {
            json.WritePropertyName("limits");
            TokenLimitWords.Write(json, limits);
        }

        json.WriteEndObject();
    }
}

/// <summary>tokens.json cannot be used. Every fault found is named; no token is quoted whole.</summary>
internal sealed class TokenFileException(string path, IReadOnlyList<string> faults)
    : Exception(new StringBuilder(path).Append(" cannot be used: ").AppendJoin("; ", faults).Append('.').ToString())
{
    public IReadOnlyList<string> Faults { get; } = faults;
}
