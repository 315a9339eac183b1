using System.CommandLine;

namespace FastListener.Cli;

/// <summary>
/// What was said on the command line; null where nothing was, so that the environment and appsettings.json have their
/// say. The listener checks the values, together with everything else that is configured.
/// </summary>
/// <param name="DataDirectory">The data directory.</param>
/// <param name="Http">ADDRESS:PORT, or <c>off</c>.</param>
/// <param name="Https">ADDRESS:PORT, or <c>off</c>.</param>
/// <param name="Admin">ADDRESS:PORT, or <c>off</c>.</param>
internal sealed record ServeArguments(string? DataDirectory, string? Http, string? Https, string? Admin = null);

internal static class ServeCommand
{
    public static Command Create(Func<ServeArguments, CancellationToken, Task<int>> serve)
    {
        var data = new Option<string?>("--data")
        {
            Description = "The data directory; made on the first start. [default: ./data]",
            HelpName = "DIR",
            DefaultValueFactory = _ => null, // or an empty variable would not be looked at
        }.RefuseEmpty("a directory", OptionValues.DataVariable);
        var http = new Option<string?>("--http")
        {
            Description = "Where to listen for plain HTTP, or off. Port 0 takes any free one. [default: every address on 6097]",
            HelpName = "ADDR:PORT",
        };
        var https = new Option<string?>("--https")
        {
            Description = "Where to listen for HTTPS, or off. Port 0 takes any free one. [default: every address on 6098]",
            HelpName = "ADDR:PORT",
        };
        var admin = new Option<string?>("--admin")
        {
            Description = "Where to answer /healthz, /readyz, /metrics and /requests over plain HTTP, or off. [default: 127.0.0.1:6099]",
            HelpName = "ADDR:PORT",
        };
        var command = new Command("serve", "Listen for crash reports and keep them.") { data, http, https, admin };
        command.SetAction((parsed, cancel) => serve(
            new(parsed.GetValue(data), parsed.GetValue(http), parsed.GetValue(https), parsed.GetValue(admin)), cancel));
        return command;
    }
}
