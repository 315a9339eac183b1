namespace FastListener.Load.Engines;

/// <summary>Which engine this build carries: ours, or NBomber's when built with <c>-p:LoadEngine=nbomber</c>.</summary>
internal static class LoadEngines
{
    /// <param name="reports">Where an engine with reports of its own puts them, in a directory below.</param>
    public static ILoadEngine Chosen(string reports)
    {
#if NBOMBER
        return new NBomberEngine(reports);
#else
        _ = reports;
        return new SocketEngine();
#endif
    }
}
