using System.Diagnostics;

namespace FastListener.SystemTests.Harness;

/// <summary>Waits for a state that another process reaches in its own time.</summary>
internal static class Eventually
{
    public static Task TrueAsync(Func<bool> condition, string what, TimeSpan? within = null) =>
        TrueAsync(() => Task.FromResult(condition()), what, within);

    public static async Task TrueAsync(Func<Task<bool>> condition, string what, TimeSpan? within = null)
    {
        var limit = within ?? TimeSpan.FromSeconds(30);
        var waiting = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(waiting.Elapsed < limit, $"Not within {limit}: {what}");
            await Task.Delay(20);
        }
    }
}
