using FastListener.Hosting;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace FastListener.Tests.Hosting;

public sealed class SilentHandshakeTests
{
    private readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stop_ends_after_a_second_whoever_has_not_greeted_and_nobody_else(bool greeted)
    {
        var connection = new Connection();
        var handshake = new TaskCompletionSource();
        var served = SilentHandshake.Watch(_ => handshake.Task, _time)(connection);
        if (greeted)
        {
            connection.Features.Get<SilentHandshake>()!.Dispose(); // what TLS does with the client's greeting
        }

        connection.RequestClose();
        _time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.False(connection.IsAborted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(!greeted, connection.IsAborted);
        handshake.SetResult();
        await served;
    }

    [Fact]
    public async Task A_connection_that_is_over_is_left_alone()
    {
        var connection = new Connection();
        var handshake = new TaskCompletionSource();
        var served = SilentHandshake.Watch(_ => handshake.Task, _time)(connection);
        connection.RequestClose();
        handshake.SetResult();
        await served;
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(connection.IsAborted);
    }

    private sealed class Connection : DefaultConnectionContext, IConnectionLifetimeNotificationFeature
    {
        private readonly CancellationTokenSource _stop = new();

        public Connection() => Features.Set<IConnectionLifetimeNotificationFeature>(this);

        public bool IsAborted { get; private set; }

        public CancellationToken ConnectionClosedRequested
        {
            get => _stop.Token;
            set => throw new NotSupportedException();
        }

        public void RequestClose() => _stop.Cancel();

        public override void Abort(ConnectionAbortedException abortReason) => IsAborted = true;
    }
}
