using System.Net;
using System.Runtime.CompilerServices;
using FastListener.Intake;
using FastListener.Overload;

namespace FastListener.Connections;

/// <summary>
/// One connection's standing at the gates of <see cref="OverloadControl"/>: a place among the uploads for as long as a request lasts, and
/// a turn for as long as what one read brought is taken in. Waiting here is our doing, so none of the client's deadlines runs meanwhile.
/// </summary>
internal sealed class Admission(OverloadControl control, ConnectionClock clock) : IDisposable
{
    private readonly GatePlace _connection = new();
    private readonly GatePlace _upload = new();
    private readonly GatePlace _turn = new();
    private GatePlace? _staging; // few forms ever need it
    private TimeSpan _enteringWaited; // for the connection, among the uploads and for a share of staging, together

    /// <summary>Who pays for what is read. Set as soon as a request has shown its token.</summary>
    public TokenTraffic Payer { get; set; } = control.Strangers;

    /// <summary>What the upload may give up instead of waiting; null while there is none.</summary>
    public Ladder? Ladder { get; set; }

    /// <summary>Whether the connection waits at a gate now. From any thread.</summary>
    public bool IsHeld => clock.IsHeld;

    /// <summary>Waits until the connection may be served. <see cref="RejectReason.None"/>: it may.</summary>
    public ValueTask<RejectReason> ConnectAsync() =>
        control.Connections.TryEnter(_connection, control.AnyConnection, cost: 1)
            ? new(RejectReason.None)
            : HoldToEnterAsync(control.Connections, _connection, RejectReason.TooManyConnections);

    /// <summary>Waits until the request may begin to send its body. <see cref="RejectReason.None"/>: it may.</summary>
    public ValueTask<RejectReason> EnterAsync() =>
        control.Uploads.TryEnter(_upload, Payer.Uploads, cost: 1)
            ? new(RejectReason.None)
            : HoldToEnterAsync(control.Uploads, _upload, RejectReason.TooManyUploads, RejectReason.TooManyUploadsOfToken);

    /// <summary>Takes the request over to another payer: its token came after its body had begun.</summary>
    public ValueTask<RejectReason> ChangePayerAsync(TokenTraffic payer)
    {
        EndTurn();
        EndStaging();
        control.Uploads.Leave(_upload);
        Payer = payer;
        return EnterAsync();
    }

    /// <summary>
    /// Waits until a form whose token has not come may stage more than each may. <see cref="RejectReason.None"/>: it may, until it shows a token or ends.
    /// </summary>
    public ValueTask<RejectReason> StageAsync(IPAddress? client)
    {
        _staging ??= new();
        if (_staging.IsInside)
        {
            return new(RejectReason.None);
        }

        EndTurn();
        return Wait();

        async ValueTask<RejectReason> Wait()
        {
            if (!control.Staging.TryEnter(_staging, control.Senders.Of(client), cost: 1)
                && await HoldToEnterAsync(control.Staging, _staging, RejectReason.TooManyWithoutToken) is var full and not RejectReason.None)
            {
                return full;
            }

            clock.Staging = control.Staging;
            return RejectReason.None;
        }
    }

    /// <summary>
    /// Waits for the turn to take in what a read has brought. <see cref="RejectReason.None"/>: go on. Bytes that will not be kept anyway
    /// need no turn.
    /// </summary>
    public ValueTask<RejectReason> TakeTurnAsync(int bytes)
    {
        if (Ladder is { HasRung: true } ladder && control.Pressure.Lasting is var lasting and not PressureLevel.None)
        {
            ladder.Yield(control.Pressure.Current, lasting);
        }

        return Ladder is { Keeps: false } || control.Reading.TryEnter(_turn, Payer.Reading, bytes)
            ? new(RejectReason.None)
            : WaitForTurnAsync(bytes);
    }

    /// <summary>What the last read brought has been taken in. Does nothing when there is no turn to end.</summary>
    public void EndTurn() => control.Reading.Leave(_turn);

    /// <summary>What turns have brought was more to take in than it was on the wire: by so many bytes.</summary>
    public void Charge(long bytes) => control.Reading.Charge(Payer.Reading, bytes);

    /// <summary>The request is over.</summary>
    public void End()
    {
        control.Reading.Leave(_turn);
        EndStaging();
        control.Uploads.Leave(_upload);
        Payer = control.Strangers;
        Ladder = null;
        _enteringWaited = TimeSpan.Zero;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        End();
        control.Connections.Leave(_connection);
    }

    private void EndStaging()
    {
        if (_staging is { IsInside: true })
        {
            clock.Staging = null;
            control.Staging.Leave(_staging);
        }
    }

    /// <summary>Before its bytes may come an upload meets several gates, and waits at all of them together no longer than at one.</summary>
    /// <param name="gate">The gate.</param>
    /// <param name="place">The place that waits there.</param>
    /// <param name="full">Why it does not enter: others have all the places.</param>
    /// <param name="fullOfItsOwn">The same where its payer has as many as it may; null where payers have no limit.</param>
    private async ValueTask<RejectReason> HoldToEnterAsync(FairGate gate, GatePlace place, RejectReason full, RejectReason? fullOfItsOwn = null)
    {
        var since = control.Time.GetTimestamp();
        var entered = await HoldAsync(gate, place, control.Options.MaxWait - _enteringWaited);
        _enteringWaited += control.Time.GetElapsedTime(since);
        return entered ? RejectReason.None
            : clock.StopIsOver ? RejectReason.Stopping
            : place.IsOverItsOwn ? fullOfItsOwn ?? full
            : full;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<RejectReason> WaitForTurnAsync(int bytes)
    {
        var since = control.Time.GetTimestamp();
        while (true)
        {
            var left = control.Options.MaxWait - control.Time.GetElapsedTime(since);
            var rung = Ladder is { HasRung: true } && control.Options.DegradeAfter < left;
            if (await HoldAsync(control.Reading, _turn, rung ? control.Options.DegradeAfter : left))
            {
                return RejectReason.None;
            }

            var own = _turn.IsOverItsOwn;
            if (rung)
            {
                Ladder!.TakeRung(own ? "token_rate" : control.Pressure.Current is { Word.Length: > 0 } pressure ? pressure.Word : "reading");
                if (!Ladder.Keeps)
                {
                    return RejectReason.None;
                }
            }

            if (clock.StopIsOver)
            {
                return RejectReason.Stopping;
            }

            if (control.Time.GetElapsedTime(since) >= control.Options.MaxWait)
            {
                return own ? RejectReason.TokenOverRate : RejectReason.Overloaded;
            }

            if (control.Reading.TryEnter(_turn, Payer.Reading, bytes, first: true))
            {
                return RejectReason.None;
            }
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> HoldAsync(FairGate gate, GatePlace place, TimeSpan patience)
    {
        var since = control.Time.GetTimestamp();
        while (true)
        {
            clock.BeginHold(gate, place, patience - control.Time.GetElapsedTime(since));
            var entered = await place.WaitAsync();
            clock.EndHold();
            if (entered || clock.StopIsOver || control.Time.GetElapsedTime(since) >= patience)
            {
                return entered;
            }

            // A heartbeat that came late has ended this wait in place of an earlier one: the place in front of the queue is still ours.
            if (gate.TryEnter(place, place.Share!, place.Cost, first: true))
            {
                return true;
            }
        }
    }
}
