using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace FastListener.Configuration;

/// <summary>From <c>appsettings.json</c>, <c>FASTLISTENER_</c> environment and command line to settings, or to all that is wrong with them.</summary>
internal static class SettingsLoader
{
    /// <summary>
    /// Puts the sources together, the later over the earlier: file beside the program, file in the working directory, file in the data directory, environment.
    /// False: <paramref name="fault"/> names the file that cannot be read, or is no JSON: then with the place in it and the reason.
    /// </summary>
    public static bool TryRead(
        string dataDirectory, [NotNullWhen(true)] out IConfigurationRoot? configuration, [NotNullWhen(false)] out string? fault)
    {
        try
        {
            configuration = new ConfigurationBuilder()
                .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true)
                .AddJsonFile(Path.GetFullPath("appsettings.json"), optional: true)
                .AddJsonFile(Path.GetFullPath(FileIn(dataDirectory)), optional: true)
                .AddEnvironmentVariables("FASTLISTENER_")
                .Build();
            fault = null;
            return true;
        }
        catch (InvalidDataException unreadable)
        {
            // Which file is in the message, what is wrong with it in the innermost.
            configuration = null;
            fault = $"{unreadable.Message.TrimEnd('.')}: {Reason(unreadable.GetBaseException())}";
            return false;
        }
        catch (Exception denied) when (denied is IOException or UnauthorizedAccessException)
        {
            configuration = null;
            fault = denied.Message; // names the file
            return false;
        }
    }

    /// <summary>The settings that belong to a data directory.</summary>
    public static string FileIn(string dataDirectory) => Path.Combine(dataDirectory, "appsettings.json");

    /// <summary>Reads and checks everything. False: <paramref name="faults"/> names every fault at once.</summary>
    public static bool TryLoad(
        IConfiguration configuration,
        string dataDirectory,
        string? http,
        string? https,
        [NotNullWhen(true)] out ListenerSettings? settings,
        out IReadOnlyList<string> faults,
        string? admin = null)
    {
        return TryLoad(new SettingsReader(configuration), dataDirectory, http, https, out settings, out faults, admin);
    }

    /// <summary>The same with a reader of the caller's, which then knows every setting there is.</summary>
    public static bool TryLoad(
        SettingsReader read,
        string dataDirectory,
        string? http,
        string? https,
        [NotNullWhen(true)] out ListenerSettings? settings,
        out IReadOnlyList<string> faults,
        string? admin = null)
    {
        var listen = new ListenSettings();
        listen = listen with
        {
            Http = read.Text("Listen:Http", listen.Http, instead: http),
            Https = read.Text("Listen:Https", listen.Https, instead: https),
            Admin = read.Text("Listen:Admin", listen.Admin, instead: admin),
            Certificate = read.Text("Listen:Certificate", listen.Certificate),
            CertificateKey = read.Text("Listen:CertificateKey", listen.CertificateKey),
            Transport = read.Text("Listen:Transport", listen.Transport),
        };
        Check(listen, read.Faults);

        var limits = new IntakeLimits();
        limits = limits with
        {
            MaxHeadBytes = read.Number("Limits:MaxHeadBytes", limits.MaxHeadBytes, 1024, 1024 * 1024),
            MaxFields = read.Number("Limits:MaxFields", limits.MaxFields, 10, 10_000),
            MaxTargetBytes = read.Number("Limits:MaxTargetBytes", limits.MaxTargetBytes, 256, 1024 * 1024),
            MaxBodyBytes = read.Limit("Limits:MaxBodyBytes", limits.MaxBodyBytes),
            MaxWireBytes = read.Limit("Limits:MaxWireBytes", limits.MaxWireBytes),
            MaxSymbolBytes = read.Limit("Limits:MaxSymbolBytes", limits.MaxSymbolBytes),
            MaxInflationRatio = read.Number("Limits:MaxInflationRatio", limits.MaxInflationRatio, 2, 100_000),
            InflationGraceBytes = read.Number("Limits:InflationGraceBytes", limits.InflationGraceBytes, 0),
            MaxParts = read.Number("Limits:MaxParts", limits.MaxParts, 1, 1_000_000),
            MaxPartHeadBytes = read.Number("Limits:MaxPartHeadBytes", limits.MaxPartHeadBytes, 256, 1024 * 1024),
            MaxAttributeNameBytes = read.Number("Limits:MaxAttributeNameBytes", limits.MaxAttributeNameBytes, 16, 64 * 1024),
            MaxAttributeValueBytes = read.Number("Limits:MaxAttributeValueBytes", limits.MaxAttributeValueBytes, 256, 1024 * 1024),
            MaxAttributes = read.Limit("Limits:MaxAttributes", limits.MaxAttributes, 1_000_000),
            MaxAttributeBytes = read.Number("Limits:MaxAttributeBytes", limits.MaxAttributeBytes, 4096, FastListener.Storage.StoreOptions.MaxAttributeBytes),
            MaxAttachments = read.Limit("Limits:MaxAttachments", limits.MaxAttachments, 1_000_000),
            MaxAttachmentBytes = read.Limit("Limits:MaxAttachmentBytes", limits.MaxAttachmentBytes),
            MaxUnauthenticatedBytes = read.Number("Limits:MaxUnauthenticatedBytes", limits.MaxUnauthenticatedBytes, 0),
            MaxConnections = read.Number("Limits:MaxConnections", limits.MaxConnections, 1, 1_000_000),
            MaxConnectionsPerAddress = read.Limit("Limits:MaxConnectionsPerAddress", limits.MaxConnectionsPerAddress, 1_000_000),
            MaxUploads = read.Limit("Limits:MaxUploads", limits.MaxUploads, 1_000_000),
            MaxUploadsPerToken = read.Limit("Limits:MaxUploadsPerToken", limits.MaxUploadsPerToken, 1_000_000),
            BytesPerSecondPerToken = read.Limit("Limits:BytesPerSecondPerToken", limits.BytesPerSecondPerToken),
            BurstBytesPerToken = read.Number("Limits:BurstBytesPerToken", limits.BurstBytesPerToken, 1),
        };

        var deadlines = new DeadlineOptions();
        deadlines = deadlines with
        {
            TlsHandshake = read.Seconds("Deadlines:TlsHandshakeSeconds", deadlines.TlsHandshake, most: 300),
            Head = read.Seconds("Deadlines:HeadSeconds", deadlines.Head),
            Idle = read.Seconds("Deadlines:IdleSeconds", deadlines.Idle),
            BodyStall = read.Seconds("Deadlines:BodyStallSeconds", deadlines.BodyStall),
            MinBodyBytesPerSecond = read.Number("Deadlines:MinBodyBytesPerSecond", deadlines.MinBodyBytesPerSecond, 0, 1024 * 1024),
            BodyGrace = read.Seconds("Deadlines:BodyGraceSeconds", deadlines.BodyGrace),
            Request = read.Seconds("Deadlines:RequestSeconds", deadlines.Request, least: 0, most: 31 * 86_400),
            Token = read.Seconds("Deadlines:TokenSeconds", deadlines.Token),
            Reply = read.Seconds("Deadlines:ReplySeconds", deadlines.Reply),
            Drain = read.Seconds("Deadlines:DrainSeconds", deadlines.Drain),
            Shutdown = read.Seconds("Deadlines:ShutdownSeconds", deadlines.Shutdown),
        };

        var overload = new OverloadOptions();
        overload = overload with
        {
            ReadingTurns = read.Number("Overload:ReadingTurns", overload.ReadingTurns, 1, 1_000_000),
            PressedTurns = read.Number("Overload:PressedTurns", overload.PressedTurns, 1, 1_000_000),
            MaxWait = read.Seconds("Overload:MaxWaitSeconds", overload.MaxWait, 1, 3600),
            DegradeAfter = read.Seconds("Overload:DegradeAfterSeconds", overload.DegradeAfter, 0, 3600),
            Degrade = read.Rungs("Overload:Degrade", overload.Degrade),
            MemoryPercent = read.Number("Overload:MemoryPercent", overload.MemoryPercent, 1, 100),
            QueuePercent = read.Number("Overload:QueuePercent", overload.QueuePercent, 1, 100),
            CommitSlow = read.Milliseconds("Overload:CommitSlowMilliseconds", overload.CommitSlow, 10, 3_600_000),
            CommitHold = read.Milliseconds("Overload:CommitHoldMilliseconds", overload.CommitHold, 10, 3_600_000),
            DiskFreePercent = read.Number("Overload:DiskFreePercent", overload.DiskFreePercent, 0, 50),
        };
        if (overload.DegradeAfter >= overload.MaxWait)
        {
            read.Faults.Add("Overload:DegradeAfterSeconds: must be less than Overload:MaxWaitSeconds, or nothing is given up before it is refused.");
        }

        var storage = new StorageSettings();
        storage = storage with
        {
            InlineLimitBytes = read.Number("Storage:InlineLimitBytes", storage.InlineLimitBytes, 0, 16 * 1024 * 1024),
            PayloadMemoryBytes = read.Number("Storage:PayloadMemoryBytes", storage.PayloadMemoryBytes, 4L * 1024 * 1024),
            PackBytes = read.Number("Storage:PackBytes", storage.PackBytes, 16L * 1024 * 1024),
            DirectPacks = read.Switch("Storage:DirectPacks", storage.DirectPacks),
            DirectFiles = read.Switch("Storage:DirectFiles", storage.DirectFiles),
            ReserveBytes = read.Number("Storage:ReserveBytes", storage.ReserveBytes, 0),
            WarnFreePercent = read.Number("Storage:WarnFreePercent", storage.WarnFreePercent, 0, 50),
        };

        read.RefuseUnknown(foreign: "Logging", "Listen", "Limits", "Deadlines", "Overload", "Storage");
        read.CheckLogLevels("Logging");
        faults = read.Faults;
        settings = read.Faults.Count > 0 ? null : new ListenerSettings
        {
            DataDirectory = Path.GetFullPath(dataDirectory),
            Listen = listen,
            Limits = limits,
            Deadlines = deadlines,
            Overload = overload,
            Storage = storage,
        };
        return settings is not null;
    }

    /// <summary>A parser counts lines from 0 and says so at the end of its sentence; people count from 1.</summary>
    private static string Reason(Exception fault) => fault is JsonException { LineNumber: { } line, BytePositionInLine: { } column }
        ? $"line {line + 1}, byte {column + 1}: {fault.Message.Split(" LineNumber:")[0]}"
        : fault.Message;

    private static void Check(ListenSettings listen, List<string> faults)
    {
        var httpReadable = ListenSettings.TryParse(listen.Http, out var http);
        if (!httpReadable)
        {
            faults.Add($"Listen:Http (--http): '{listen.Http}' is not ADDRESS:PORT, *:PORT or off.");
        }

        var httpsReadable = ListenSettings.TryParse(listen.Https, out var https);
        if (!httpsReadable)
        {
            faults.Add($"Listen:Https (--https): '{listen.Https}' is not ADDRESS:PORT, *:PORT or off.");
        }

        if (httpReadable && httpsReadable && http is null && https is null)
        {
            faults.Add("Listen: both Http and Https are off; there is nothing to listen on.");
        }

        if (!ListenSettings.TryParse(listen.Admin, out _))
        {
            faults.Add($"Listen:Admin (--admin): '{listen.Admin}' is not ADDRESS:PORT, *:PORT or off.");
        }

        if (listen.Certificate.Length > 0 && !File.Exists(listen.Certificate))
        {
            faults.Add($"Listen:Certificate: there is no file '{listen.Certificate}'.");
        }

        if (listen.CertificateKey.Length > 0 && !File.Exists(listen.CertificateKey))
        {
            faults.Add($"Listen:CertificateKey: there is no file '{listen.CertificateKey}'.");
        }

        if (listen.Transport is not ("own" or "kestrel"))
        {
            faults.Add($"Listen:Transport: '{listen.Transport}' is neither own nor kestrel.");
        }
    }
}
