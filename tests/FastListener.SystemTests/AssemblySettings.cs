using Xunit.v3;

// Every test class starts servers and clients of its own; two at a time is what two cores can honestly time.
[assembly: Parallelization(MaxThreads = 2)]
