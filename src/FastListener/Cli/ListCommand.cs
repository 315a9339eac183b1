using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FastListener.Storage;

namespace FastListener.Cli;

internal static class ListCommand
{
    private const int ShownAttributes = 4;

    /// <summary>What most often tells one crash from another, in the clients' own spellings.</summary>
    private static readonly string[] Telling =
    [
        "application", "product", "prod", "_productName", "application.version", "version", "ver", "_version",
        "error.message", "classifiers", "process_type", "ptype", "platform", "plat", "hostname",
    ];

    public static Command Create(Terminal terminal)
    {
        var data = OptionValues.Data();
        var universe = new Option<string?>("--universe") { Description = "Only this universe.", HelpName = "U" };
        var project = new Option<string?>("--project") { Description = "Only this project.", HelpName = "P" };
        var attributes = OptionValues.Pairs("--attribute", "Only objects whose attribute has this value.");
        var since = OptionValues.Since(terminal.Clock);
        var limit = new Option<int>("--limit")
        {
            Description = "At most so many; 0 lists all.",
            HelpName = "N",
            DefaultValueFactory = _ => 100,
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
                {
                    result.AddError($"--limit takes a number of 0 or more, not '{TerminalText.Escape(text)}'.");
                }

                return count;
            },
        };
        var json = OptionValues.Json();
        var command = new Command("list", "List what is stored, newest first.") { universe, project, attributes, since, limit, json, data };
        command.SetAction(parsed =>
        {
            var query = new ObjectQuery
            {
                Universe = parsed.GetValue(universe),
                Project = parsed.GetValue(project),
                Attributes = parsed.GetRequiredValue(attributes),
                Since = parsed.GetValue(since),
                Limit = parsed.GetValue(limit) is var count and > 0 ? count : int.MaxValue,
            };
            using var reader = StoreAccess.Open(parsed.GetRequiredValue(data));
            var found = reader.ListDetails(query);
            if (parsed.GetValue(json))
            {
                WriteJson(terminal, found);
            }
            else
            {
                WriteRows(terminal, found, [.. query.Attributes.Select(pair => pair.Key)]);
            }
        });
        return command;
    }

    private static void WriteJson(Terminal terminal, IEnumerable<ObjectDetails> found)
    {
        var bytes = terminal.Bytes;
        using (var json = new Utf8JsonWriter(bytes, ObjectJson.Options))
        {
            json.WriteStartArray();
            foreach (var item in found)
            {
                ObjectJson.Write(json, item);
                json.Flush();
            }

            json.WriteEndArray();
        }

        bytes.WriteByte((byte)'\n');
    }

    private static void WriteRows(Terminal terminal, IEnumerable<ObjectDetails> found, List<string> asked)
    {
        var listing = new Listing(
            terminal, "ID", new("_RXID", Spare: 3), "RECEIVED", new("PROJECT", Breaks: 12), new("FORMAT", Spare: 1), "SIZE", new("ATTACHMENTS", Spare: 2), new("ATTRIBUTES", Breaks: 16));
        foreach (var item in found)
        {
            var size = item.Payloads.Sum(payload => payload.IsOmitted ? 0 : payload.Size);
            var id = item.Id.ToString("x", CultureInfo.InvariantCulture);
            var marks = Marks(item);
            var attributes = SomeAttributes(item, asked);
            listing.Add(
                new(id + marks, id),
                item.Rxid,
                new(TerminalText.Time(item.ReceivedAt), TerminalText.TimeToSeconds(item.ReceivedAt)),
                $"{item.Universe}/{item.Project}",
                item.Format.Name(),
                new(size.ToString(CultureInfo.InvariantCulture), TerminalText.Size(size)),
                item.Payloads.Count(payload => payload.Kind is PayloadKind.Attachment).ToString(CultureInfo.InvariantCulture),
                attributes with { OnTerminal = $"{marks} {attributes.OnTerminal}".TrimStart() }); // marks are sentences: no table has room for them beside the id
        }

        listing.End();
    }

    private static string Marks(ObjectDetails item) =>
        (item.Unconfirmed ? " (unconfirmed)" : "")
        + (item.Damage is null ? "" : " (damaged)")
        + (item.Degradation is Degradation.None ? "" : $" (degraded, {ObjectJson.Sentence(item.Degradation)}: {item.DegradedReason})");

    private static Listing.Cell SomeAttributes(ObjectDetails item, List<string> asked)
    {
        var all = item.EffectiveAttributes;
        var chosen = all
            .Select(attribute => (attribute, rank: Rank(attribute.Key, asked)))
            .OrderBy(ranked => ranked.rank)
            .Take(Math.Max(ShownAttributes, asked.Count))
            .Select(ranked => $"{ranked.attribute.Key}={ranked.attribute.Value}")
            .ToList();
        var more = all.Count > chosen.Count ? string.Create(CultureInfo.InvariantCulture, $" (+{all.Count - chosen.Count})") : "";
        return new(
            string.Join(' ', chosen.Select(text => TerminalText.Shorten(text, 200))) + more,
            string.Join(' ', chosen.Select(text => TerminalText.Shorten(text, 40))) + more);
    }

    private static int Rank(string name, List<string> asked)
    {
        var rank = asked.IndexOf(name);
        if (rank >= 0)
        {
            return rank;
        }

        rank = Array.IndexOf(Telling, name);
        return asked.Count + (rank >= 0 ? rank : Telling.Length);
    }
}
