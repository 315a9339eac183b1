using System.CommandLine;
using FastListener.Load.Cli;

var root = new RootCommand("Load for a crash listener on this machine: scenarios, reports, and a comparison with its peers.")
{
    ListCommand.Create(),
    RunCommand.Create(),
    CompareCommand.Create(),
};
return await root.Parse(args).InvokeAsync();
