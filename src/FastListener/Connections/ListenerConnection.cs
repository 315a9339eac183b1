using System.IO.Pipelines;
using System.Net;
using System.Runtime.CompilerServices;
using FastListener.Intake;
using FastListener.Protocol.Http;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace FastListener.Connections;

/// <summary>
/// One connection's life: heads, bodies, replies, keep-alive and pipelining (RFC 9112 section 9.3). With
/// <see cref="BodyReader"/> and <see cref="ResponseWriter"/> the only code that touches the two pipes.
/// </summary>
internal sealed class ListenerConnection : IDisposable
{
    /// <summary>
    /// Requests in a row, none of which had to be waited for, after which a connection gives others their turn: a client that pipelines without end never
    /// has to be waited for, and the thread it is served on polls for many.
    /// </summary>
    private const int RequestsInTurn = 16;

    private readonly ConnectionContext _connection;
    private readonly ListenerServices _services;
    private readonly PipeReader _input;
    private readonly PipeWriter _output;
    private readonly ConnectionClock _clock;
    private readonly Admission _admission;
    private readonly RequestHeadParser _heads;
    private readonly BodyReader _wire;
    private readonly RequestBody _body;
    private readonly IPAddress? _client;
    private bool _counted;
    private int _inTurn;

    public ListenerConnection(ConnectionContext connection, ListenerServices services)
    {
        _connection = connection;
        _services = services;
        _input = connection.Transport.Input;
        _output = connection.Transport.Output;
        _clock = new ConnectionClock(services.Settings.Deadlines, services.Time, _input, () =>
            connection.Abort(new ConnectionAbortedException("The client did not take its reply in time.")), services.Overload.Connections);
        _admission = new Admission(services.Overload, _clock);
        _heads = new RequestHeadParser(services.HeadLimits);
        _wire = new BodyReader(_input, _clock, _admission, services.Intakes.NewEntry(), SendContinueAsync);
        _body = new RequestBody(_wire, services.Settings.Limits);
        _client = (connection.RemoteEndPoint as IPEndPoint)?.Address;
    }

    /// <summary>Serves requests until one side has had enough. Faults of the network end here and are no errors of ours.</summary>
    public async Task RunAsync()
    {
        _clock.Enter(ConnectionPhase.Idle);
        _connection.Features.Get<IConnectionHeartbeatFeature>()?.OnHeartbeat(static state => ((ConnectionClock)state).Tick(), _clock);
        var lifetime = _connection.Features.Get<IConnectionLifetimeNotificationFeature>();
        using var stopping = lifetime?.ConnectionClosedRequested.UnsafeRegister(static state => ((ConnectionClock)state!).Stop(), _clock);
        if (!await BeginAsync())
        {
            return;
        }

        var intake = _services.Intakes.Rent();
        try
        {
            while (await ServeOneAsync(intake))
            {
                if (++_inTurn >= RequestsInTurn)
                {
                    _inTurn = 0;
                    await Task.Yield();
                }
            }
        }
        catch (Exception fault) when (fault is IOException or ConnectionAbortedException or OperationCanceledException or ObjectDisposedException)
        {
            ConnectionLog.Lost(_services.Log, _connection.ConnectionId, fault.GetType().Name);
        }
        finally
        {
            _services.Intakes.Return(intake);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _clock.Dispose();
        _admission.Dispose();
        if (_counted)
        {
            _services.Addresses.Leave(_client);
        }

        _heads.Dispose();
        _body.Dispose();
    }

    /// <summary>Whether this connection may be served at all. When there are too many it waits, unread, for one to end.</summary>
    private async ValueTask<bool> BeginAsync()
    {
        try
        {
            _counted = _services.Addresses.TryEnter(_client);
            if (!_counted)
            {
                await RefuseAndCloseAsync(RejectReason.TooManyConnectionsOfAddress);
                return false;
            }

            if (await _admission.ConnectAsync() is var full and not RejectReason.None)
            {
                await RefuseAndCloseAsync(full);
                return false;
            }
        }
        catch (Exception fault) when (fault is IOException or ConnectionAbortedException or OperationCanceledException or ObjectDisposedException)
        {
            ConnectionLog.Lost(_services.Log, _connection.ConnectionId, fault.GetType().Name);
            return false;
        }

        _clock.Enter(ConnectionPhase.Idle);
        return true;
    }

    /// <summary>One request and its reply. False when the connection is over.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> ServeOneAsync(SubmissionIntake intake)
    {
        _heads.Reset();
        var reason = await ReadHeadAsync();
        if (reason is null)
        {
            return false;
        }

        if (reason is not RejectReason.None)
        {
            await RefuseAndCloseAsync(reason.Value);
            return false;
        }

        var head = _heads.Head;
        _wire.Entry.Open();
        _wire.Begin(head.Framing, head.ExpectContinue);
        ReplyMessage reply;
        try
        {
            _clock.Enter(ConnectionPhase.Ours);
            reply = await intake.HandleAsync(head, _body, _client);
        }
        catch (Exception fault) when (!_wire.ClientLost)
        {
            ConnectionLog.InternalFault(_services.Log, _connection.ConnectionId, fault);
            reply = intake.Refuse(RejectReason.InternalFault);
        }
        finally
        {
            _wire.Entry.Close(_wire.ReceivedBytes);
            _services.Figures.CountReceived(_wire.ReceivedBytes);
            _body.Release();
            _admission.End();
        }

        // A body that was not read to its end leaves bytes that must never be taken for a request.
        var keepAlive = head.KeepAlive && !reply.Closes && _wire.Complete && !_clock.Stopping;
        _wire.Release();
        _clock.Enter(ConnectionPhase.Reply);
        var flush = await ResponseWriter.WriteAsync(_output, reply, keepAlive, head.Method is RequestMethod.Head);
        if (flush.IsCompleted)
        {
            return false;
        }

        if (!keepAlive)
        {
            if (!_wire.Complete)
            {
                await DrainAsync();
            }

            return false;
        }

        _clock.Enter(ConnectionPhase.Idle);
        return true;
    }

    /// <summary>Reads one head. Null: the connection ended between requests, and nothing is owed.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<RejectReason?> ReadHeadAsync()
    {
        while (true)
        {
            if (!_input.TryRead(out var result))
            {
                var reading = _input.ReadAsync();
                if (!reading.IsCompleted)
                {
                    _inTurn = 0;
                }

                result = await reading;
            }

            var buffer = result.Buffer;
            var status = ParseStatus.NeedMore;
            var taken = buffer.Start;
            foreach (var segment in buffer)
            {
                status = _heads.Append(segment.Span, out var consumed);
                taken = buffer.GetPosition(consumed, taken);
                if (status is not ParseStatus.NeedMore)
                {
                    break;
                }
            }

            var arrived = !buffer.IsEmpty;
            _input.AdvanceTo(taken, status is ParseStatus.NeedMore ? buffer.End : taken);
            if (status is ParseStatus.Done)
            {
                return RejectReason.None;
            }

            if (status is ParseStatus.Rejected)
            {
                return HeadFaults.Reason(_heads.Fault);
            }

            if (result.IsCompleted)
            {
                return _heads.Started ? RejectReason.MalformedHead : null;
            }

            if (result.IsCanceled && _clock.Expired)
            {
                return _heads.Started ? RejectReason.HeadTimeout : null;
            }

            if (arrived && _heads.Started && _clock.Phase is ConnectionPhase.Idle)
            {
                _clock.Enter(ConnectionPhase.Head);
            }
        }
    }

    private async ValueTask RefuseAndCloseAsync(RejectReason reason)
    {
        _services.Figures.CountRefused((int)reason);
        ConnectionLog.Refused(_services.Log, Refusal.For(reason).Word, _client);
        _clock.Enter(ConnectionPhase.Reply);
        var flush = await ResponseWriter.WriteAsync(_output, ErrorReply.Create(reason), keepAlive: false, headOnly: false);
        if (!flush.IsCompleted)
        {
            await DrainAsync();
        }
    }

    /// <summary>
    /// The lingering close: closing with unread bytes in the receive buffer makes the kernel send a reset, which can
    /// destroy the answer before the client has read it. So what is still coming is read and dropped, within bounds.
    /// </summary>
    private async ValueTask DrainAsync()
    {
        _clock.Enter(ConnectionPhase.Drain);
        await Task.Yield(); // what is dropped may come faster than we read it: not on a thread that polls for others
        var dropped = 0L;
        while (dropped < Refusal.DrainBytes)
        {
            var result = await _input.ReadAsync();
            dropped += result.Buffer.Length;
            _input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted || _clock.Expired)
            {
                return;
            }
        }
    }

    private async ValueTask SendContinueAsync()
    {
        await ResponseWriter.WriteContinueAsync(_output);
    }
}
