using FastListener.Load.Engines;

namespace FastListener.Load.Cli;

/// <summary>Progress on standard error: one line that renews itself on a terminal, a line every five seconds elsewhere.</summary>
internal sealed class ConsoleProgress
{
    private readonly bool _live = !Console.IsErrorRedirected;
    private double _lastLine = double.NegativeInfinity;
    private string _scenario = "";

    public void Tell(LoadProgress progress)
    {
        if (progress.Scenario != _scenario)
        {
            _scenario = progress.Scenario;
            _lastLine = double.NegativeInfinity;
        }

        if (!_live && progress.Seconds - _lastLine < 5)
        {
            return;
        }

        _lastLine = progress.Seconds;
        var text = FormattableString.Invariant(
            $"  {progress.Seconds,5:0.0} of {progress.TotalSeconds:0} s  {progress.RatePerSecond,8:#,0}/s  p50 {Milliseconds(progress.P50Microseconds)}  p99 {Milliseconds(progress.P99Microseconds)}  answered {progress.Answered:#,0}  failed {progress.Failed:#,0}  in flight {progress.InFlight}  waiting {progress.Backlog}");
        if (_live)
        {
            Console.Error.Write("\r\u001b[K" + text);
        }
        else
        {
            Console.Error.WriteLine(text);
        }
    }

    public void Done()
    {
        if (_live)
        {
            Console.Error.Write("\r\u001b[K");
        }
    }

    public static string Milliseconds(long microseconds) => FormattableString.Invariant($"{microseconds / 1000.0:0.0} ms");
}
