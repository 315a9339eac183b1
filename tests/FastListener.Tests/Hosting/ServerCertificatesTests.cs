using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FastListener.Configuration;
using FastListener.Hosting;
using FastListener.Tests.Tokens;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace FastListener.Tests.Hosting;

public sealed class ServerCertificatesTests : IDisposable
{
    private const int Reloaded = 5;
    private const int Refused = 6;

    private readonly DataDirectory _data = new();
    private readonly FakeTimeProvider _time = new();
    private readonly RecordedLog _log = new();
    private readonly string _folder;
    private readonly string _certificate;
    private readonly string _key;

    public ServerCertificatesTests()
    {
        _folder = _data.File("pair");
        Directory.CreateDirectory(_folder);
        (_certificate, _key) = (Path.Combine(_folder, "tls.crt"), Path.Combine(_folder, "tls.key"));
    }

    public void Dispose() => _data.Dispose();

    [Fact]
    public void A_pair_that_is_replaced_is_shown_and_one_that_stays_is_not_loaded_again()
    {
        Write("first", _certificate, _key);
        using var certificates = Open();
        Look();
        Assert.Equal("CN=first", NameIn(certificates));
        Assert.Empty(_log.Entries);

        Write("second", _certificate, _key);
        Look();
        Look();
        Assert.Equal("CN=second", NameIn(certificates));
        Assert.Equal([Reloaded], Events());
    }

    [Fact]
    public void Files_that_cannot_be_reached_for_a_while_are_complained_of_once_and_leave_the_former_pair_in_use()
    {
        Write("first", _certificate, _key);
        using var certificates = Open();
        var aside = _data.File("aside");
        Directory.Move(_folder, aside);
        Directory.CreateSymbolicLink(_folder, _folder); // a loop: not even their time stamps can be had
        Look();
        Look();
        Assert.Equal("CN=first", NameIn(certificates));
        Assert.Equal([Refused], Events());

        File.Delete(_folder);
        Directory.Move(aside, _folder);
        Look();
        Look();
        Assert.Equal("CN=first", NameIn(certificates));
        Assert.Equal([Refused, Reloaded], Events());
    }

    [Fact]
    public void A_mounted_secret_whose_folder_is_swapped_behind_its_links_is_shown()
    {
        foreach (var (version, name) in new[] { ("..1", "first"), ("..2", "second") })
        {
            var folder = Path.Combine(_folder, version);
            Directory.CreateDirectory(folder);
            Write(name, Path.Combine(folder, "tls.crt"), Path.Combine(folder, "tls.key"));
        }

        var current = Path.Combine(_folder, "..data");
        Directory.CreateSymbolicLink(current, "..1");
        File.CreateSymbolicLink(_certificate, Path.Combine("..data", "tls.crt"));
        File.CreateSymbolicLink(_key, Path.Combine("..data", "tls.key"));
        using var certificates = Open();
        Assert.Equal("CN=first", NameIn(certificates));

        File.Delete(current);
        Directory.CreateSymbolicLink(current, "..2");
        Look();
        Assert.Equal("CN=second", NameIn(certificates));
    }

    [Fact]
    public void A_pair_that_could_not_be_loaded_is_tried_again_though_nothing_tells_of_a_change()
    {
        var mount = _data.File("mount.key");
        Write("first", _certificate, mount);
        File.CreateSymbolicLink(_key, mount);
        using var certificates = Open();
        var renewed = _data.File("renewed.key");
        Write("second", _certificate, renewed);
        File.Delete(mount);
        Look();
        Look();
        Assert.Equal("CN=first", NameIn(certificates));
        Assert.Equal([Refused], Events());

        File.Move(renewed, mount);
        Look();
        Assert.Equal("CN=second", NameIn(certificates));
        Assert.Equal([Refused, Reloaded], Events());
    }

    [Fact]
    public void A_pair_of_which_only_one_half_is_replaced_yet_waits_for_the_other()
    {
        Write("first", _certificate, _key);
        using var certificates = Open();
        var renewed = _data.File("renewed.crt");
        Write("second", renewed, _key);
        Look();
        Assert.Equal("CN=first", NameIn(certificates));

        File.Move(renewed, _certificate, overwrite: true);
        Look();
        Assert.Equal("CN=second", NameIn(certificates));
        Assert.Equal([Refused, Reloaded], Events());
    }

    [Fact]
    public void A_start_with_a_pair_that_does_not_fit_fails_and_names_both_files()
    {
        Write("first", _certificate, _key);
        Write("second", _data.File("other.crt"), _key);
        var fault = Assert.Throws<CryptographicException>(Open);
        Assert.Equal($"The key in {_key} is not that of the certificate in {_certificate}.", fault.Message);
    }

    [Fact]
    public void Without_a_pair_one_is_made_once()
    {
        using var first = ServerCertificates.Open(new ListenSettings(), _data.Path, _time, NullLogger.Instance);
        using var second = ServerCertificates.Open(new ListenSettings(), _data.Path, _time, NullLogger.Instance);
        Assert.Equal(first.Current.TargetCertificate.Thumbprint, second.Current.TargetCertificate.Thumbprint);
    }

    private static string NameIn(ServerCertificates certificates) => certificates.Current.TargetCertificate.Subject;

    private static void Write(string name, string certificatePath, string keyPath)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(keyPath, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(certificatePath, certificate.ExportCertificatePem());
    }

    private ServerCertificates Open() =>
        ServerCertificates.Open(new ListenSettings { Certificate = _certificate, CertificateKey = _key }, _data.Path, _time, _log);

    private void Look() => _time.Advance(ServerCertificates.Interval);

    private IEnumerable<int> Events() => _log.Entries.Select(entry => entry.Id);
}
