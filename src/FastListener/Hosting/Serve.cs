using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using FastListener.Admin;
using FastListener.Cli;
using FastListener.Configuration;
using FastListener.Connections;
using FastListener.Diagnostics;
using FastListener.Files;
using FastListener.Hosting.Transport;
using FastListener.Intake;
using FastListener.Overload;
using FastListener.Storage;
using FastListener.Tokens;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace FastListener.Hosting;

/// <summary>
/// The verb <c>serve</c>: opens the store, tokens and certificate, starts Kestrel's endpoints, and takes everything down
/// in the order that loses nothing: stop accepting, let uploads finish, drain the committer, close the catalog.
/// </summary>
internal static class Serve
{
    private const int Failed = 1;
    private const int WrongUsage = 2;

    /// <summary>Runs until SIGTERM, Ctrl+C or <paramref name="stop"/>. Returns the exit code.</summary>
    public static async Task<int> RunAsync(ServeArguments arguments, CancellationToken stop)
    {
        var data = arguments.DataDirectory ?? Environment.GetEnvironmentVariable(OptionValues.DataVariable) ?? "data";
        if (!SettingsLoader.TryRead(data, out var configuration, out var unreadable))
        {
            return Refuse(unreadable);
        }

        if (!SettingsLoader.TryLoad(configuration, data, arguments.Http, arguments.Https, out var settings, out var faults, arguments.Admin))
        {
            return Refuse([.. faults]);
        }

        var inherited = InheritedSocket.Find(Environment.GetEnvironmentVariable);
        if (InheritedSocket.FaultOf(inherited, settings.Listen) is { } misfit)
        {
            return Refuse(misfit);
        }

        if (settings.Listen.Transport == "own")
        {
            InlineCompletions.Enable();
        }

        if (!TryCreateLogging(configuration, out var logging, out var wrong))
        {
            return Refuse(wrong);
        }

        using var closedLast = logging;
        var log = logging.CreateLogger("FastListener");
        var started = false;
        try
        {
            PrivateDirectory.Create(settings.DataDirectory);
            await using var store = await ObjectStore.OpenAsync(settings.Storage.ToOptions(settings.DataDirectory), log, TimeProvider.System);
            await using var tokens = TokenRefresher.Start(settings.DataDirectory, log, TimeProvider.System);
            using var overload = new OverloadControl(settings.Overload, settings.Limits, Sources(store, settings), TimeProvider.System);
            overload.Pressure.Changed += state => HostLog.PressureChanged(log, state);
            var figures = new RequestFigures(Refusal.Words);
            OverloadGauges.AddTo(figures, overload);
            figures.AddGauge("disk_free_bytes", "What the data directory's file system can still take.", () => store.Statistics.Disk.Free);
            figures.AddGauge("disk_free_inodes", "How many more files the data directory's file system can hold; 0 also where it does not count them.", () => store.Statistics.Disk.FreeFiles);
            figures.AddGauge("disk_reserve_bytes", "What is held back of it for the catalog; less than it should be while the disk is full.", () => store.Statistics.Disk.Reserve);
            TokenRates.Follow(tokens, overload);
            using var certificates = ServerCertificates.Open(settings.Listen, settings.DataDirectory, TimeProvider.System, log);
            var strangers = new UnauthenticatedBudget(settings.Limits.MaxUnauthenticatedBytes);
            var guesses = new TokenGuesses(TimeProvider.System);
            figures.AddGauge("unauthenticated_bytes", "Bytes of uploads that have shown no token yet.", () => strangers.Taken);
            figures.AddGauge("wrong_tokens_total", "Wrong tokens.", () => guesses.Wrong);
            using var intakes = new IntakePool(new IntakeServices(
                store, tokens, settings.Limits, settings.Deadlines.Request, strangers, guesses, overload, figures, TimeProvider.System, log));
            figures.InFlight = () => intakes.InFlight;
            await using var host = Build(configuration, settings, inherited, certificates, new ListenerServices(settings, intakes, overload, figures, TimeProvider.System, log));
            if (host.Services.GetService<ConnectionPlaces>() is { } places) // Kestrel's transport closes what is too much instead
            {
                figures.AddGauge("connections_accepted", "Connections that have been accepted and have not ended: served, waiting, or in their TLS handshake.", () => places.Taken);
                figures.AddGauge("accepting_paused", "1 while newcomers are left in the kernel's queue until a connection has ended.", () => places.AreFull ? 1 : 0);
            }

            using var memory = new IdleMemory(
                () => overload.Connections.Inside, () => overload.Uploads.Inside, () => figures.Finished, store.TrimMemory, TimeProvider.System);
            var readiness = new Readiness(overload.Pressure, () => store.Statistics, store.TestWrite);
            await using var admin = AdminListener.Start(settings.Listen.Admin, new AdminPages(
                readiness, new ListenerMetrics(figures, overload.Pressure, store, settings.Storage.PayloadMemoryBytes), figures), log);
            await using var audits = AuditSocket.Start(settings.DataDirectory, store, figures, log);
            host.Lifetime.ApplicationStopping.Register(LateSignals.Ignore);
            try
            {
                await host.StartAsync(stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested || host.Lifetime.ApplicationStopping.IsCancellationRequested)
            {
                await host.StopAsync(CancellationToken.None); // asked to end while it was starting: that is no failure
                HostLog.Stopped(log);
                return 0;
            }

            // Not before the ports are ours: whoever made the token must be the one who shows it.
            var firstToken = FirstStart.EnsureToken(settings.DataDirectory, TimeProvider.System);
            if (firstToken is not null)
            {
                tokens.RefreshNow();
            }

            readiness.Started();
            host.Lifetime.ApplicationStopping.Register(readiness.Draining);
            var addresses = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
            Banner.Print(Console.Out, settings.DataDirectory, addresses, admin?.Address, firstToken);
            foreach (var address in addresses)
            {
                HostLog.Listening(log, address);
            }

            if (inherited.Count > 0)
            {
                HostLog.SocketsPassedOn(log);
            }

            HostLog.DataIn(log, settings.DataDirectory);
            host.Lifetime.ApplicationStopping.Register(() => HostLog.Stopping(log, (int)settings.Deadlines.Shutdown.TotalSeconds));
            started = true;
            var ended = host.WaitForShutdownAsync(stop);
            if (await Task.WhenAny(ended, store.Failed) != ended)
            {
                HostLog.StoreFailed(log); // uploads in flight are answered: with a no, but answered
                host.Lifetime.StopApplication();
            }

            await ended;
            await host.StopAsync(CancellationToken.None);
            if (store.Failed.IsCompleted)
            {
                return Failed;
            }
        }
        catch (Exception fault) when (fault is StoreBusyException or StorageFaultException or IOException or UnauthorizedAccessException or CryptographicException or System.Net.Sockets.SocketException)
        {
            var full = fault is StorageFaultException { Kind: StorageFaultKind.DiskFull } ? "The disk is full, and no reserve is left to start with: make room first. " : "";
            await Console.Error.WriteLineAsync(TerminalText.Escape(
                started ? $"FastListener did not end cleanly: {fault.Message}" : $"FastListener could not start: {full}{fault.Message}"));
            return Failed;
        }

        HostLog.Stopped(log);
        return 0;
    }

    /// <summary>Says everything that is wrong with what was configured, a line each: faults quote it, and nothing in it may steer a terminal.</summary>
    private static int Refuse(params ReadOnlySpan<string> faults)
    {
        foreach (var fault in faults)
        {
            Console.Error.WriteLine(TerminalText.Escape(fault));
        }

        return WrongUsage;
    }

    /// <summary>What can run short and is watched.</summary>
    private static PressureSource[] Sources(ObjectStore store, ListenerSettings settings) =>
    [
        PressureSources.Memory(() => store.Statistics, settings.Storage.PayloadMemoryBytes, settings.Overload),
        PressureSources.Committer(() => store.Statistics, new StoreOptions { DataDirectory = "" }.QueueLength, settings.Overload, TimeProvider.System),
        PressureSources.Disk(() => store.Statistics.Disk, settings.Overload),
    ];

    private static WebApplication Build(
        IConfiguration configuration, ListenerSettings settings, IReadOnlyList<InheritedSocket> inherited, ServerCertificates certificates, ListenerServices services)
    {
        // Our own cap makes newcomers wait and answers them; this only bounds how many may. What our transport does not accept waits on in the kernel's
        // queue; Kestrel's accepts it and closes it at once.
        var accepted = settings.Limits.MaxConnections + (settings.Limits.MaxConnections / 8) + 64;
        var tls = Tls(certificates, settings.Deadlines.TlsHandshake);
        var transport = settings.Listen.Transport == "kestrel" ? TransportKind.Kestrel : TransportKind.Own;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "fastlistener" });
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        ConfigureLogging(builder.Logging, configuration);
        builder.Services.AddFastListenerTransport(new TransportOptions { Transport = transport, MaxConnections = accepted });
        builder.Services.AddSingleton(services);
        builder.Services.AddSystemd();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = settings.Deadlines.Shutdown);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = transport is TransportKind.Kestrel ? accepted : null;
            foreach (var socket in inherited)
            {
                kestrel.ListenHandle(socket.Descriptor, endpoint => Endpoint(endpoint, socket.Secure ? tls : null));
            }

            if (inherited.Count == 0)
            {
                Listen(kestrel, settings.Listen.Http, null);
                Listen(kestrel, settings.Listen.Https, tls);
            }
        });
        return builder.Build();
    }

    private static void Listen(KestrelServerOptions kestrel, string address, TlsHandshakeCallbackOptions? tls)
    {
        if (!ListenSettings.TryParse(address, out var endpoint) || endpoint is null)
        {
            return;
        }

        if (endpoint.Address.Equals(ListenSettings.AnyAddress))
        {
            kestrel.ListenAnyIP(endpoint.Port, options => Endpoint(options, tls));
        }
        else
        {
            kestrel.Listen(endpoint, options => Endpoint(options, tls));
        }
    }

    private static void Endpoint(ListenOptions options, TlsHandshakeCallbackOptions? tls)
    {
        // Kestrel's own HTTP is not in use; with another value ALPN would offer h2.
        options.Protocols = HttpProtocols.Http1;
        if (tls is not null)
        {
            options.Use(static next => SilentHandshake.Watch(next, TimeProvider.System));
            options.UseHttps(tls);
        }

        options.UseConnectionHandler<SubmissionConnectionHandler>();
    }

    private static TlsHandshakeCallbackOptions Tls(ServerCertificates certificates, TimeSpan handshake) => new()
    {
        HandshakeTimeout = handshake,
        OnConnection = greeting =>
        {
            greeting.Connection.Features.Get<SilentHandshake>()?.Dispose();
            return ValueTask.FromResult(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = certificates.Current,
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                ApplicationProtocols = [SslApplicationProtocol.Http11],
                AllowTlsResume = true,
                ClientCertificateRequired = false,
            });
        },
    };

    /// <summary>False: the section is read by the logging library, which takes no such value; what it says of it is the fault.</summary>
    private static bool TryCreateLogging(IConfiguration configuration, [NotNullWhen(true)] out ILoggerFactory? factory, [NotNullWhen(false)] out string? fault)
    {
        try
        {
            factory = LoggerFactory.Create(logging => ConfigureLogging(logging, configuration));
            fault = null;
            return true;
        }
        catch (Exception wrong) when (wrong is InvalidOperationException or ArgumentException)
        {
            factory = null;
            fault = $"Logging: {wrong.Message}";
            return false;
        }
    }

    private static void ConfigureLogging(ILoggingBuilder logging, IConfiguration configuration)
    {
        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("System", LogLevel.Warning);
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None); // we say ourselves why a start failed
        logging.AddConfiguration(configuration.GetSection("Logging"));
        if (string.Equals(configuration["Logging:Format"], "json", StringComparison.OrdinalIgnoreCase))
        {
            logging.AddJsonConsole();
        }
        else
        {
            logging.AddSimpleConsole(static console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
                console.UseUtcTimestamp = true;
            });
        }

        // Standard output is the banner's; logs go where logs go.
        logging.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(static console => console.LogToStandardErrorThreshold = LogLevel.Trace);
    }
}
