using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FastListener.Storage;

namespace FastListener.Cli;

internal static class ShowCommand
{
    public static Command Create(Terminal terminal)
    {
        var id = OptionValues.Id();
        var json = OptionValues.Json();
        var data = OptionValues.Data();
        var command = new Command("show", "Show all there is to know about one object.") { id, json, data };
        command.SetAction(parsed =>
        {
            using var reader = StoreAccess.Open(parsed.GetRequiredValue(data));
            var item = reader.Require(parsed.GetValue(id));
            if (parsed.GetValue(json))
            {
                WriteJson(terminal, item);
            }
            else
            {
                WriteText(terminal, item);
            }
        });
        return command;
    }

    private static void WriteJson(Terminal terminal, ObjectDetails item)
    {
        var bytes = terminal.Bytes;
        using (var json = new Utf8JsonWriter(bytes, ObjectJson.Options))
        {
            ObjectJson.Write(json, item);
        }

        bytes.WriteByte((byte)'\n');
    }

    private static void WriteText(Terminal terminal, ObjectDetails item)
    {
        void Line(string label, string value) => terminal.Out.WriteLine($"{label,-10} {TerminalText.Escape(value)}");

        Line("Object", item.Id.ToString("x", CultureInfo.InvariantCulture));
        Line("_rxid", item.Rxid);
        Line("Project", $"{item.Universe}/{item.Project}");
        Line("Format", item.Format.Name());
        Line("Received", TerminalText.Time(item.ReceivedAt));
        Line("Committed", TerminalText.Time(item.CommittedAt));
        Line("Client", item.ClientAddress?.ToString() ?? "(unknown)");
        if (item.Account is { Length: > 0 } account)
        {
            Line("Account", account);
        }

        if (item.Degradation is not Degradation.None)
        {
            Line("Degraded", $"{ObjectJson.Sentence(item.Degradation)}: {item.DegradedReason}");
        }

        if (item.Unconfirmed)
        {
            Line("Salvaged", "found where no commit could be proved; it may never have been acknowledged");
        }

        if (item.Damage is { } damage)
        {
            Line("Damaged", damage);
        }

        foreach (var note in item.Notes)
        {
            Line("Note", note);
        }

        terminal.Out.WriteLine();
        var payloads = new Listing(
            terminal, "PART", "KIND", new("NAME", Breaks: 20), new("FILE NAME", Breaks: 12), new("CONTENT TYPE", Breaks: 12), "SIZE", "XXH3-128", "ADDED", new("KEPT", Breaks: 12));
        foreach (var payload in item.Payloads)
        {
            payloads.Add(
                payload.Index.ToString(CultureInfo.InvariantCulture),
                ObjectJson.Word(payload.Kind),
                payload.Name,
                payload.FileName,
                payload.ContentType,
                payload.Size.ToString(CultureInfo.InvariantCulture),
                payload.Checksum,
                TerminalText.Time(payload.AddedAt),
                payload.OmittedReason is { } reason ? $"no: {reason}" : "yes");
        }

        payloads.End();
        if (item.Attributes.Count == 0)
        {
            return;
        }

        terminal.Out.WriteLine();
        var effective = item.EffectiveAttributes.ToDictionary(StringComparer.Ordinal);
        var attributes = new Listing(terminal, new("ATTRIBUTE", Breaks: 16), new("VALUE", Breaks: 16), "FROM");
        foreach (var attribute in item.Attributes)
        {
            var from = ObjectJson.Word(attribute.Source);
            attributes.Add(attribute.Name, attribute.Value, effective[attribute.Name] == attribute.Value ? from : $"{from} (overridden)");
        }

        attributes.End();
    }
}
