using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using FastListener.Load.Measuring;
using FastListener.Load.Scenarios;
using FastListener.Load.Sockets;
using NBomber.Contracts;
using NBomber.CSharp;

namespace FastListener.Load.Engines;

/// <summary>A population's connections and counts while NBomber calls it from many threads.</summary>
internal sealed class NBomberPopulation(Scenarios.Scenario scenario, Population population, ulong firstSequence, CancellationToken stop) : IDisposable
{
    private readonly ConcurrentBag<TaskClient> _idle = [];
    private readonly SemaphoreSlim _connections = new(population.Workload.Connections);
    private readonly TaskCompletionSource _allAnswered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _most = population.Workload is ClosedLoop { RequestsEach: < long.MaxValue } counted ? counted.RequestsEach * counted.FixedConnections : long.MaxValue;
    private readonly CancellationTokenSource _over = new();
    private readonly Lock _lock = new();
    private long _sequence = (long)firstSequence - 1;
    private long _start;
    private long _end;
    private long _issued;
    private long _ended;
    private long _lastAnswer;
    private int _inFlight;
    private int _waiting;
    private int _surplus;

    public string Name => population.Name;

    public Population Population => population;

    public Recorder Recorder { get; } = new();

    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Calls that wait for a connection.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Calls that NBomber counted although everything had been sent.</summary>
    public int Surplus => _surplus;

    /// <summary>All was counted out, or the run was stopped.</summary>
    public bool EndedEarly => Interlocked.Read(ref _ended) == _most || stop.IsCancellationRequested;

    public double LastAnswerSeconds => _lastAnswer == 0 ? 0 : Stopwatch.GetElapsedTime(_start, _lastAnswer).TotalSeconds;

    public double LastRate => Recorder.Timeline is [.., var last] ? last.AnsweredPerSecond : 0;

    public long LastP50 => Recorder.Timeline is [.., var last] ? last.P50 : 0;

    public long LastP99 => Recorder.Timeline is [.., var last] ? last.P99 : 0;

    public void Begin(TimeSpan planned)
    {
        _start = Stopwatch.GetTimestamp();
        _end = _start + (long)(planned.TotalSeconds * Stopwatch.Frequency);
    }

    /// <summary>What NBomber calls and measures: one submission, and its late attachment where the population sends one.</summary>
    public async Task<IResponse> OneAsync(IScenarioContext context)
    {
        if (stop.IsCancellationRequested)
        {
            context.StopCurrentTest("interrupted");
            return Response.Fail(statusCode: "interrupted");
        }

        if (Interlocked.Increment(ref _issued) > _most)
        {
            // NBomber knows time, not counts: whoever comes too late waits until it is told to stop.
            Interlocked.Increment(ref _surplus);
            await _allAnswered.Task;
            return Response.Ok(statusCode: "none");
        }

        var called = Stopwatch.GetTimestamp();
        Count(r => r.Offer());
        Interlocked.Increment(ref _waiting);
        try
        {
            await _connections.WaitAsync(_over.Token);
        }
        catch (OperationCanceledException)
        {
            return NeverSent();
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }

        if (_over.IsCancellationRequested)
        {
            _connections.Release(); // freed by one that was cut off
            return NeverSent();
        }

        var client = _idle.TryTake(out var kept) ? kept : new TaskClient(scenario.Target, population);
        Interlocked.Increment(ref _inFlight);
        try
        {
            var problem = await SendAsync(client, population.Request, called);
            long bytes = population.Request.Length;
            if (population.FollowUp is { } followUp && problem is null && client.TakeObjectId())
            {
                Count(r => r.Offer());
                problem = await SendAsync(client, followUp, Stopwatch.GetTimestamp());
                bytes += followUp.Length;
            }

            return problem is null
                ? Response.Ok(statusCode: client.Status.ToString(CultureInfo.InvariantCulture), sizeBytes: bytes)
                : Response.Fail(statusCode: problem, message: problem, sizeBytes: 0); // NBomber keeps one message for each code
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
            _idle.Add(client);
            _connections.Release();
            if (Interlocked.Increment(ref _ended) == _most)
            {
                context.StopScenario(Name, "all requests were sent and answered");
                _allAnswered.SetResult();
            }
        }
    }

    public void CloseInterval()
    {
        lock (_lock)
        {
            Recorder.CloseInterval(Stopwatch.GetElapsedTime(_start).TotalSeconds, InFlight, Waiting);
        }
    }

    public void CloseConnections()
    {
        while (_idle.TryTake(out var client))
        {
            client.Dispose();
        }
    }

    public void Dispose()
    {
        CloseConnections();
        _connections.Dispose();
        _over.Dispose();
    }

    /// <summary>Ends what NBomber no longer waits for, so that it does not run into the next scenario.</summary>
    public void Finish()
    {
        _over.Cancel();
        SpinWait.SpinUntil(() => InFlight + Waiting == 0, TimeSpan.FromSeconds(5));
        lock (_lock)
        {
            if (Recorder.HasOpenInterval)
            {
                Recorder.CloseInterval(Stopwatch.GetElapsedTime(_start).TotalSeconds, InFlight, Waiting);
            }
        }
    }

    private Response<object> NeverSent()
    {
        const string Problem = "never sent";
        Count(r => r.Fail(Problem));
        return Response.Fail(statusCode: Problem, message: Problem, sizeBytes: 0);
    }

    /// <summary>Null when the answer was the one hoped for; otherwise why not.</summary>
    private async Task<string?> SendAsync(TaskClient client, RequestTemplate request, long called)
    {
        var sequence = (ulong)Interlocked.Increment(ref _sequence);
        var began = Stopwatch.GetTimestamp();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_over.Token);
        patience.CancelAfter(scenario.RequestTimeout);
        string problem;
        try
        {
            var status = await client.SendAsync(request, sequence, patience.Token);
            if (request.Expected.Contains(status))
            {
                var done = Stopwatch.GetTimestamp();
                Count(r =>
                {
                    _lastAnswer = done;
                    r.Answer(sequence, status, request.Length, called, began, done, late: done > _end);
                });
                return null;
            }

            problem = FormattableString.Invariant($"status {status}");
        }
        catch (IOException e)
        {
            problem = _over.IsCancellationRequested ? "unanswered at the end" : patience.IsCancellationRequested ? "timed out" : e.Message;
        }

        Count(r => r.Fail(problem));
        return problem;
    }

    private void Count(Action<Recorder> count)
    {
        lock (_lock)
        {
            count(Recorder);
        }
    }
}
