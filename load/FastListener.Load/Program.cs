using System.CommandLine;
using FastListener.Load.Cli;

var root = new RootCommand("Load for a crash listener on this machine: scenarios, reports, and a comparison with its peers.")
{
    ListCommand.Create(),
    RunCommand.Create(),
    CompareCommand.Create(),
};

// SIGTERM and Ctrl+C end the run early; what was measured is still drained and reported.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(2) });
