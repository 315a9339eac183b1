using System.CommandLine;
using FastListener.Load.Inputs;
using FastListener.Load.Scenarios;

namespace FastListener.Load.Cli;

/// <summary><c>list</c>: scenarios and inputs by name.</summary>
internal static class ListCommand
{
    public static Command Create()
    {
        var command = new Command("list", "Names the scenarios and the inputs");
        command.SetAction(_ =>
        {
            Console.Out.WriteLine("Scenarios");
            foreach (var (name, description) in ScenarioCatalog.All)
            {
                Console.Out.WriteLine($"  {name,-20} {description}");
            }

            Console.Out.WriteLine();
            Console.Out.WriteLine("Inputs");
            foreach (var name in InputCatalog.Names)
            {
                var body = InputCatalog.Get(name);
                Console.Out.WriteLine(FormattableString.Invariant($"  {name,-20} {body.Wire.Length,13:#,0} bytes on the wire: {body.Description}"));
            }
        });
        return command;
    }
}
