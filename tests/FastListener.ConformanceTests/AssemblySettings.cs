using Xunit.v3;

// One listener under many connections is the load; classes side by side would only take each other's processor.
[assembly: Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
