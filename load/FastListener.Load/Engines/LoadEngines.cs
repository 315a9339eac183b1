namespace FastListener.Load.Engines;

/// <summary>Which engine this build carries: ours, or NBomber's when built with <c>-p:LoadEngine=nbomber</c>.</summary>
internal static class LoadEngines
{
    public static ILoadEngine Chosen() =>
#if NBOMBER
        new NBomberEngine();
#else
        new SocketEngine();
#endif
}
