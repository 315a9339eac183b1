using System.Globalization;
using System.Text.Json;
using FastListener.Storage;

namespace FastListener.Cli;

/// <summary>
/// An object as <c>list --json</c> and <c>show --json</c> print it. The default encoder writes everything that is not
/// ASCII as an escape, so the text is safe on a terminal whatever the wire put into it.
/// </summary>
internal static class ObjectJson
{
    public static readonly JsonWriterOptions Options = new() { Indented = true };

    public static void Write(Utf8JsonWriter json, ObjectDetails item)
    {
        json.WriteStartObject();
        json.WriteString("id", item.Id.ToString("x", CultureInfo.InvariantCulture));
        json.WriteString("rxid", item.Rxid);
        json.WriteString("universe", item.Universe);
        json.WriteString("project", item.Project);
        json.WriteString("format", item.Format.Name());
        WriteTime(json, "receivedAt", item.ReceivedAt);
        WriteTime(json, "committedAt", item.CommittedAt);
        json.WriteString("clientAddress", item.ClientAddress?.ToString());
        json.WriteStartObject("attributes");
        foreach (var (name, value) in item.EffectiveAttributes)
        {
            json.WriteString(name, value);
        }

        json.WriteEndObject();
        json.WriteStartArray("allAttributes");
        foreach (var attribute in item.Attributes)
        {
            json.WriteStartObject();
            json.WriteString("name", attribute.Name);
            json.WriteString("value", attribute.Value);
            json.WriteString("source", Word(attribute.Source));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("notes");
        foreach (var note in item.Notes)
        {
            json.WriteStringValue(note);
        }

        json.WriteEndArray();
        json.WriteStartArray("payloads");
        foreach (var payload in item.Payloads)
        {
            Write(json, payload);
        }

        json.WriteEndArray();
        json.WriteString("account", item.Account);
        json.WriteNumber("wireBytes", item.WireBytes);
        if (item.Degradation is Degradation.None)
        {
            json.WriteNull("degraded");
        }
        else
        {
            json.WriteStartObject("degraded");
            json.WriteString("level", item.Degradation.Word());
            json.WriteString("reason", item.DegradedReason);
            json.WriteEndObject();
        }

        json.WriteBoolean("unconfirmed", item.Unconfirmed);
        json.WriteString("damage", item.Damage);
        json.WriteEndObject();
    }

    /// <summary><c>report</c>, <c>query</c> or <c>field</c>.</summary>
    public static string Word(AttributeSource source) => source switch
    {
        AttributeSource.Report => "report",
        AttributeSource.Query => "query",
        AttributeSource.Field => "field",
        _ => ((byte)source).ToString(CultureInfo.InvariantCulture),
    };

    /// <summary><c>report</c> or <c>attachment</c>.</summary>
    public static string Word(PayloadKind kind) => kind is PayloadKind.Report ? "report" : "attachment";

    /// <summary>What a degraded object lacks, for people.</summary>
    public static string Sentence(Degradation level) => level is Degradation.WithoutAttachments ? "without attachments" : "metadata only";

    private static void Write(Utf8JsonWriter json, PayloadInfo payload)
    {
        json.WriteStartObject();
        json.WriteNumber("index", payload.Index);
        json.WriteString("kind", Word(payload.Kind));
        json.WriteString("name", payload.Name);
        json.WriteString("fileName", payload.FileName);
        json.WriteString("contentType", payload.ContentType);
        json.WriteNumber("size", payload.Size);
        json.WriteString("checksum", payload.Checksum);
        WriteTime(json, "addedAt", payload.AddedAt);
        json.WriteString("omitted", payload.OmittedReason);
        json.WriteEndObject();
    }

    private static void WriteTime(Utf8JsonWriter json, string name, DateTimeOffset time) =>
        json.WriteString(name, time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
}
