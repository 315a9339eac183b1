using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FastListener.Configuration;
using FastListener.Tokens;

namespace FastListener.Hosting;

/// <summary>
/// The certificate of the HTTPS endpoint: the operator's PEM pair or, when none is configured, a self-signed one made
/// on the first start. A pair replaced on disk is served within seconds; one that cannot be read leaves the old in use.
/// </summary>
internal sealed class ServerCertificates : IDisposable
{
    private readonly string _certificate;
    private readonly string _key;
    private readonly ILogger _log;
    private readonly Timer _watch;
    private SslStreamCertificateContext _current;
    private (DateTime Certificate, DateTime Key) _seen;

    private ServerCertificates(string certificate, string key, ILogger log)
    {
        _certificate = certificate;
        _key = key;
        _log = log;
        _seen = Stamps();
        _current = Load();
        _watch = new Timer(static state => ((ServerCertificates)state!).Refresh(), this, Period, Period);
    }

    /// <summary>What to answer a handshake with. One context is shared by all, so that its chain is built once.</summary>
    public SslStreamCertificateContext Current => Volatile.Read(ref _current);

    private static TimeSpan Period => TimeSpan.FromSeconds(5);

    /// <summary>Opens the configured pair, or makes the self-signed one.</summary>
    /// <exception cref="CryptographicException">The configured pair cannot be used.</exception>
    public static ServerCertificates Open(ListenSettings listen, string dataDirectory, ILogger log)
    {
        if (listen.Certificate.Length > 0)
        {
            return new(listen.Certificate, listen.CertificateKey.Length > 0 ? listen.CertificateKey : listen.Certificate, log);
        }

        var directory = Path.Combine(dataDirectory, "certs");
        var certificate = Path.Combine(directory, "self-signed.pem");
        var key = Path.Combine(directory, "self-signed.key");
        if (!File.Exists(certificate) || !File.Exists(key))
        {
            PrivateDirectory.Create(directory);
            Create(certificate, key);
        }

        return new(certificate, key, log);
    }

    /// <inheritdoc/>
    public void Dispose() => _watch.Dispose();

    private static void Create(string certificatePath, string keyPath)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={Dns.GetHostName()}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(Dns.GetHostName());
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        var now = DateTimeOffset.UtcNow;
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(10));

        // The key first: a certificate without its key would be taken for a broken pair.
        WritePrivate(keyPath, key.ExportPkcs8PrivateKeyPem());
        WritePrivate(certificatePath, certificate.ExportCertificatePem());
    }

    private static void WritePrivate(string path, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var writer = new StreamWriter(path, options);
        writer.WriteLine(text);
    }

    private (DateTime Certificate, DateTime Key) Stamps() => (File.GetLastWriteTimeUtc(_certificate), File.GetLastWriteTimeUtc(_key));

    private SslStreamCertificateContext Load()
    {
        var leaf = X509Certificate2.CreateFromPemFile(_certificate, _key);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(_certificate);
        return SslStreamCertificateContext.Create(leaf, chain, offline: true);
    }

    private void Refresh()
    {
        var stamps = Stamps();
        if (stamps == _seen)
        {
            return;
        }

        _seen = stamps;
        try
        {
            Volatile.Write(ref _current, Load());
            HostLog.CertificateReloaded(_log, _certificate);
        }
        catch (Exception fault) when (fault is CryptographicException or IOException or UnauthorizedAccessException)
        {
            HostLog.CertificateRefused(_log, _certificate, fault.Message);
        }
    }
}
