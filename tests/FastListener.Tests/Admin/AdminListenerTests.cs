using System.Net;
using System.Net.Sockets;
using FastListener.Admin;
using Xunit;

namespace FastListener.Tests.Admin;

public sealed class AdminListenerTests
{
    private readonly RecordedLog _log = new();

    [Fact]
    public async Task Every_address_of_a_kernel_without_IPv6_are_those_of_IPv4()
    {
        await using var listener = AdminListener.Start("*:0", pages: null!, _log, family =>
            family is AddressFamily.InterNetworkV6 ? throw new SocketException((int)SocketError.AddressFamilyNotSupported) : Make(family));
        Assert.Equal(IPAddress.Any, Assert.IsType<IPEndPoint>(listener!.Address).Address);
    }

    [Fact]
    public async Task A_socket_that_cannot_be_had_is_asked_for_again_and_fails_neither_start_nor_stop()
    {
        var calls = 0;
        var again = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var listener = AdminListener.Start("127.0.0.1:0", pages: null!, _log, _ =>
        {
            if (++calls == 2)
            {
                again.SetResult();
            }

            throw new SocketException((int)SocketError.TooManyOpenSockets);
        });
        Assert.Null(listener!.Address);
        Assert.Equal(151, Assert.Single(_log.Entries).Id);
        await again.Task;
        await listener.DisposeAsync();
    }

    private static Socket Make(AddressFamily family) => new(family, SocketType.Stream, ProtocolType.Tcp);
}
