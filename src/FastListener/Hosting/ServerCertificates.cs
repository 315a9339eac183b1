using System.IO.Hashing;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FastListener.Configuration;
using FastListener.Files;

namespace FastListener.Hosting;

/// <summary>
/// The certificate of the HTTPS endpoint: the operator's PEM pair or, when none is configured, a self-signed one made
/// on the first start. A pair replaced on disk is served within seconds; one that cannot be read leaves the old in use, is complained of once, and
/// is tried again.
/// </summary>
/// <remarks>
/// Both files are read at every look: their content tells what time stamps do not, a link behind a link that was swapped (as mounted secrets are), or a
/// file that may be read only now.
/// </remarks>
internal sealed class ServerCertificates : IDisposable
{
    private readonly Lock _looking = new();
    private readonly string _certificate;
    private readonly string _key;
    private readonly ILogger _log;
    private readonly ITimer _watch;
    private SslStreamCertificateContext _current;
    private (UInt128 Certificate, UInt128 Key)? _seen;
    private string _complaint = ""; // what is wrong and has been said

    private ServerCertificates(string certificate, string key, TimeProvider time, ILogger log)
    {
        _certificate = certificate;
        _key = key;
        _log = log;
        _current = LoadChanged()!;
        _watch = time.CreateTimer(static state => ((ServerCertificates)state!).Look(), this, Interval, Interval);
    }

    /// <summary>Between two looks at the files.</summary>
    public static TimeSpan Interval => TimeSpan.FromSeconds(5);

    /// <summary>What to answer a handshake with. One context is shared by all, so that its chain is built once.</summary>
    public SslStreamCertificateContext Current => Volatile.Read(ref _current);

    /// <summary>Opens the configured pair, or makes the self-signed one.</summary>
    /// <exception cref="CryptographicException">The configured pair cannot be used.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static ServerCertificates Open(ListenSettings listen, string dataDirectory, TimeProvider time, ILogger log)
    {
        if (listen.Certificate.Length > 0)
        {
            return new(listen.Certificate, listen.CertificateKey.Length > 0 ? listen.CertificateKey : listen.Certificate, time, log);
        }

        var directory = Path.Combine(dataDirectory, "certs");
        var certificate = Path.Combine(directory, "self-signed.pem");
        var key = Path.Combine(directory, "self-signed.key");
        if (!File.Exists(certificate) || !File.Exists(key))
        {
            PrivateDirectory.Create(directory);
            Create(certificate, key);
        }

        return new(certificate, key, time, log);
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
        using var writer = new StreamWriter(path, PrivateFile.Options(FileMode.Create, FileAccess.Write, FileShare.Read));
        writer.WriteLine(text);
    }

    private static string TextOf(byte[] file)
    {
        using var reader = new StreamReader(new MemoryStream(file)); // heeds a byte order mark
        return reader.ReadToEnd();
    }

    private SslStreamCertificateContext Load(byte[] certificate, byte[] key)
    {
        var pem = TextOf(certificate);
        try
        {
            var leaf = X509Certificate2.CreateFromPem(pem, TextOf(key));
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(pem);
            return SslStreamCertificateContext.Create(leaf, chain, offline: true);
        }
        catch (ArgumentException fault)
        {
            throw new CryptographicException($"The key in {_key} is not that of the certificate in {_certificate}.", fault); // one of the two is replaced first
        }
    }

    /// <summary>What the files hold; null when it is what was loaded last.</summary>
    private SslStreamCertificateContext? LoadChanged()
    {
        byte[] certificate = File.ReadAllBytes(_certificate), key = File.ReadAllBytes(_key);
        try
        {
            var found = (XxHash128.HashToUInt128(certificate), XxHash128.HashToUInt128(key));
            if (found == _seen)
            {
                return null;
            }

            var loaded = Load(certificate, key);
            _seen = found;
            return loaded;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key); // a key at every look must not lie about as garbage
        }
    }

    private void Look()
    {
        if (!_looking.TryEnter())
        {
            return; // the look before this one hangs, as a network's file system can
        }

        try
        {
            if (LoadChanged() is { } changed)
            {
                Volatile.Write(ref _current, changed);
                _complaint = "";
                HostLog.CertificateReloaded(_log, _certificate);
            }
        }
        catch (Exception fault)
        {
            // Whatever it is: nobody above a timer could take it, and the process would end.
            _seen = null; // when they can be used again they are loaded, and that is said, whatever they hold
            if (fault.Message != _complaint)
            {
                _complaint = fault.Message;
                HostLog.CertificateRefused(_log, _certificate, fault.Message);
            }
        }
        finally
        {
            _looking.Exit();
        }
    }
}
