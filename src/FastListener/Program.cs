using FastListener.Cli;
using FastListener.Hosting;

// The verbs are in Cli/, the server behind `serve` is in Hosting/; ARCHITECTURE.md follows one request from there.
return await CommandLine.RunAsync(args, Serve.RunAsync);
