using System.CommandLine;
using System.Collections.Immutable;
using System.Text.Json;
using FastListener.Tokens;

namespace FastListener.Cli;

internal static class TokenCommand
{
    private const int ShortestPrefix = 4;

    public static Command Create(Terminal terminal) => new("token", "Say who may submit, and to which project.")
    {
        CreateAdd(terminal),
        CreateList(terminal),
        CreateSet(terminal),
        CreateSwitch(terminal, "disable", "Refuse a token; it stays in the list. A running server does so within a second, for uploads that begin afterwards.", enabled: false),
        CreateSwitch(terminal, "enable", "Accept a disabled token again.", enabled: true),
    };

    private static Command CreateAdd(Terminal terminal)
    {
        var project = Name("--project", "The project that the token submits to; made when it is new.", "P");
        project.Required = true;
        var universe = Name("--universe", "The universe (tenant) of the project; made when it is new.", "U");
        universe.DefaultValueFactory = _ => FirstStart.Universe;
        var value = new Option<string?>("--token")
        {
            Description = "The token itself. [default: a random one of 64 hex digits]",
            HelpName = "VALUE",
        };
        value.Validators.Add(result =>
        {
            if (result.Tokens.Any(token => token.Value.Length == 0 || token.Value.Any(c => char.IsControl(c) || char.IsSurrogate(c))))
            {
                result.AddError("--token takes a value that is neither empty nor holds control characters.");
            }
        });
        var capabilities = new Option<Capabilities>("--capability")
        {
            Description = $"What it may do: {string.Join(", ", CapabilityWords.Known)}. May be repeated. [default: error:post]",
            HelpName = "C",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
            CustomParser = result =>
            {
                var granted = Capabilities.None;
                foreach (var token in result.Tokens)
                {
                    if (CapabilityWords.TryRead(token.Value, out var flag))
                    {
                        granted |= flag;
                    }
                    else
                    {
                        result.AddError(
                            $"--capability knows {string.Join(", ", CapabilityWords.Known)}, not '{TerminalText.Escape(token.Value)}'.");
                    }
                }

                return granted;
            },
        };
        var limits = TokenLimitOption.Create();
        var data = OptionValues.Data();
        var command = new Command("add", "Add a token and print it. A running server takes it within a second.")
        {
            project, universe, value, capabilities, limits, data,
        };
        command.SetAction(parsed =>
        {
            var secret = parsed.GetValue(value) is { } given ? new TokenSecret(given) : TokenSecret.CreateRandom();
            var entry = new TokenEntry(
                secret, parsed.GetRequiredValue(universe), parsed.GetRequiredValue(project),
                parsed.GetResult(capabilities) is null ? Capabilities.ErrorPost : parsed.GetValue(capabilities),
                CreatedAt: terminal.Clock.GetUtcNow(),
                Limits: TokenLimitOption.Apply(null, parsed.GetValue(limits)));
            TokenFile.Edit(parsed.GetRequiredValue(data), document => document.Tokens.Any(token => token.Token.Equals(secret))
                ? throw new CommandFault($"The token {secret} exists already.")
                : document.With(entry));
            terminal.Out.WriteLine(secret.Reveal());
            terminal.Error.WriteLine(
                $"Added: {string.Join(", ", CapabilityWords.Of(entry.Capabilities))} in {entry.Universe}/{entry.Project}.");
        });
        return command;
    }

    private static Command CreateList(Terminal terminal)
    {
        var reveal = new Option<bool>("--reveal") { Description = "Print the tokens whole." };
        var json = OptionValues.Json();
        var data = OptionValues.Data();
        var command = new Command("list", "List the tokens, their middles left out.") { reveal, json, data };
        command.SetAction(parsed =>
        {
            var whole = parsed.GetValue(reveal);
            var tokens = TokenFile.Read(StoreAccess.Existing(parsed.GetRequiredValue(data))).Tokens;
            if (parsed.GetValue(json))
            {
                WriteJson(terminal, tokens, whole);
                return;
            }

            var listing = new Listing(
                terminal, "TOKEN", new("UNIVERSE", Breaks: 8), new("PROJECT", Breaks: 8), new("CAPABILITIES", Breaks: 12), new("LIMITS", Breaks: 16), "ENABLED", "CREATED", "KEY");
            foreach (var token in tokens)
            {
                listing.Add(
                    Shown(token, whole),
                    token.Universe,
                    token.Project,
                    string.Join(' ', CapabilityWords.Of(token.Capabilities)),
                    token.Limits is { } limits ? string.Join(' ', TokenLimitWords.Describe(limits)) : "",
                    token.Enabled ? "yes" : "no",
                    token.CreatedAt is { } created ? TerminalText.Time(created) : "",
                    token.Token.Key);
            }

            listing.End();
        });
        return command;
    }

    private static Command CreateSet(Terminal terminal)
    {
        var which = Which();
        var limits = TokenLimitOption.Create();
        limits.Required = true;
        var data = OptionValues.Data();
        var command = new Command("set", "Change a token's limits. A running server takes them within a second: maxUploads, bytesPerSecond and burstBytes for uploads under way, too, the others for those that begin afterwards.")
        {
            which, limits, data,
        };
        command.SetAction(parsed =>
        {
            TokenEntry? found = null;
            TokenLimits? now = null;
            TokenFile.Edit(StoreAccess.Existing(parsed.GetRequiredValue(data)), document =>
            {
                found = Find(document.Tokens, parsed.GetRequiredValue(which));
                now = TokenLimitOption.Apply(found.Limits, parsed.GetValue(limits));
                return document with { Tokens = document.Tokens.Replace(found, found with { Limits = now }) };
            });
            terminal.Out.WriteLine($"{found!.Token} in {TerminalText.Escape($"{found.Universe}/{found.Project}")}: {Shown(now)}.");
        });
        return command;
    }

    private static Command CreateSwitch(Terminal terminal, string verb, string description, bool enabled)
    {
        var which = Which();
        var data = OptionValues.Data();
        var command = new Command(verb, description) { which, data };
        command.SetAction(parsed =>
        {
            TokenEntry? found = null;
            var changed = false;
            TokenFile.Edit(StoreAccess.Existing(parsed.GetRequiredValue(data)), document =>
            {
                found = Find(document.Tokens, parsed.GetRequiredValue(which));
                changed = found.Enabled != enabled;
                return changed
                    ? document with { Tokens = document.Tokens.Replace(found, found with { Enabled = enabled }) }
                    : document;
            });
            terminal.Out.WriteLine(
                $"{found!.Token} in {TerminalText.Escape($"{found.Universe}/{found.Project}")} {(changed ? "is now" : "was already")} {verb}d.");
        });
        return command;
    }

    private static Argument<string> Which() => new("TOKEN")
    {
        Description = "The token, its key, its masked form, or enough of the beginning of either to tell it from the others.",
    };

    private static TokenEntry Find(ImmutableArray<TokenEntry> tokens, string text)
    {
        if (tokens.FirstOrDefault(token => token.Token.Reveal() == text || token.Token.Key == text) is { } exact)
        {
            return exact;
        }

        var near = text.Length < ShortestPrefix ? [] : tokens.Where(token =>
            token.Token.StartsWith(text) || token.Token.Key.StartsWith(text, StringComparison.Ordinal) || token.Token.Masked == text).ToList();
        return near.Count switch
        {
            1 => near[0],
            0 => throw new CommandFault("There is no such token."),
            var count => throw new CommandFault($"{count} tokens begin like this: give more of the one that is meant, or its key."),
        };
    }

    private static void WriteJson(Terminal terminal, ImmutableArray<TokenEntry> tokens, bool whole)
    {
        var bytes = terminal.Bytes;
        using (var json = new Utf8JsonWriter(bytes, ObjectJson.Options))
        {
            json.WriteStartArray();
            foreach (var token in tokens)
            {
                json.WriteStartObject();
                json.WriteString("token", Shown(token, whole));
                json.WriteString("key", token.Token.Key);
                json.WriteString("universe", token.Universe);
                json.WriteString("project", token.Project);
                json.WriteStartArray("capabilities");
                foreach (var word in CapabilityWords.Of(token.Capabilities))
                {
                    json.WriteStringValue(word);
                }

                json.WriteEndArray();
                json.WriteBoolean("enabled", token.Enabled);
                json.WritePropertyName("limits");
                TokenLimitWords.Write(json, token.Limits ?? TokenLimits.None);
                json.WriteString("createdAt", token.CreatedAt is { } created ? TerminalText.Time(created) : null);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        bytes.WriteByte((byte)'\n');
    }

    private static string Shown(TokenLimits? limits) =>
        limits is null ? "no limits of its own" : string.Join(' ', TokenLimitWords.Describe(limits));

    private static string Shown(TokenEntry token, bool whole) => whole ? token.Token.Reveal() : token.Token.Masked;

    private static Option<string> Name(string name, string description, string helpName)
    {
        var option = new Option<string>(name) { Description = description, HelpName = helpName };
        option.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
            {
                if (TokenDocumentReader.FaultOfName(token.Value) is { } fault)
                {
                    result.AddError($"{name} {fault}.");
                }
            }
        });
        return option;
    }
}
