using FastListener.Connections;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace FastListener.Hosting;

/// <summary>
/// Ends, at a stop, TLS connections whose client has not said anything yet. They are idle ones like any other, but no handler of ours has
/// them before the handshake, so that each would hold the stop up until the handshake's own deadline.
/// </summary>
internal sealed class SilentHandshake(ConnectionContext connection, TimeProvider time) : IDisposable
{
    private readonly Lock _lock = new();
    private ITimer? _patience;
    private bool _over;

    /// <summary>The middleware, in front of TLS.</summary>
    public static ConnectionDelegate Watch(ConnectionDelegate next, TimeProvider time) => async connection =>
    {
        using var silent = new SilentHandshake(connection, time);
        connection.Features.Set(silent);
        var lifetime = connection.Features.Get<IConnectionLifetimeNotificationFeature>();
        using var stopping = lifetime?.ConnectionClosedRequested.UnsafeRegister(static state => ((SilentHandshake)state!).Stop(), silent);
        await next(connection);
    };

    /// <summary>The client has greeted: from here on the handshake's deadline and ours hold.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _over = true;
            _patience?.Dispose();
        }
    }

    private void Stop()
    {
        lock (_lock)
        {
            if (!_over)
            {
                _patience ??= time.CreateTimer(static state => ((SilentHandshake)state!).End(), this, ConnectionClock.OnItsWay, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void End()
    {
        lock (_lock)
        {
            if (!_over)
            {
                connection.Abort(new ConnectionAbortedException("The server is stopping, and the client has not begun its handshake."));
            }
        }
    }
}
