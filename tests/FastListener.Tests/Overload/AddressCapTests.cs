using System.Net;
using FastListener.Overload;
using Xunit;

namespace FastListener.Tests.Overload;

public class AddressCapTests
{
    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7", true)]
    [InlineData("203.0.113.7", "::ffff:203.0.113.7", true)]
    [InlineData("2001:db8::1", "2001:db8::ffff:2", true)]
    [InlineData("203.0.113.7", "203.0.113.8", false)]
    [InlineData("2001:db8::1", "2001:db8:0:1::1", false)]
    public void An_address_is_a_sender_and_an_IPv6_network_is_one_too(string first, string second, bool same)
    {
        var cap = new AddressCap(1);
        Assert.True(cap.TryEnter(IPAddress.Parse(first)));
        Assert.Equal(!same, cap.TryEnter(IPAddress.Parse(second)));
    }

    [Fact]
    public void A_connection_that_ends_makes_room_for_another()
    {
        var cap = new AddressCap(2);
        var address = IPAddress.Loopback;
        Assert.True(cap.TryEnter(address));
        Assert.True(cap.TryEnter(address));
        Assert.False(cap.TryEnter(address));
        cap.Leave(address);
        Assert.True(cap.TryEnter(address));
        cap.Leave(address);
        cap.Leave(address);
        Assert.True(cap.TryEnter(address));
    }

    [Fact]
    public void Without_a_limit_there_is_none()
    {
        var cap = new AddressCap(0);
        Assert.All(Enumerable.Range(0, 1000), _ => Assert.True(cap.TryEnter(IPAddress.Loopback)));
    }
}
