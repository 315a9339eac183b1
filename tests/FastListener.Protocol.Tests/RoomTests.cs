using FastListener.Protocol.Http;

namespace FastListener.Protocol.Tests;

/// <summary>Rules of the house that a compiler does not check.</summary>
public class RoomTests
{
    [Fact]
    public void Protocol_references_only_System() =>
        Assert.All(typeof(RequestHeadParser).Assembly.GetReferencedAssemblies(), a => Assert.StartsWith("System.", a.Name, StringComparison.Ordinal));

    [Fact]
    public void Protocol_has_no_asynchronous_members() =>
        Assert.DoesNotContain(
            typeof(RequestHeadParser).Assembly.GetTypes().SelectMany(t => t.GetMethods()),
            m => typeof(Task).IsAssignableFrom(m.ReturnType) || m.ReturnType == typeof(ValueTask));
}
