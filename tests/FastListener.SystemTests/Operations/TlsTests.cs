using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Operations;

/// <summary>TLS 1.2 and 1.3 and nothing older; certificates change under open connections.</summary>
public sealed class TlsTests(ListenerFixture server) : IClassFixture<ListenerFixture>
{
    private const byte Alert = 21;
    private const byte Handshake = 22;

    /// <summary>Distributions forbid old versions in their OpenSSL; what is tested is that the listener does so itself.</summary>
    private const string TakesEverything = """
        openssl_conf = all
        [all]
        ssl_conf = ssl
        [ssl]
        system_default = permissive
        [permissive]
        MinProtocol = TLSv1
        CipherString = ALL:@SECLEVEL=0

        """;

    [Theory]
    [InlineData(0x0300, false)]
    [InlineData(0x0301, false)]
    [InlineData(0x0302, false)]
    [InlineData(0x0303, true)] // else the others would be refused for another reason than their version
    public async Task A_handshake_of_a_version_before_1_2_is_refused_although_the_system_would_take_it(int version, bool taken)
    {
        using var data = new DataDirectory();
        var everything = data.Scratch("openssl.cnf");
        await File.WriteAllTextAsync(everything, TakesEverything, TestContext.Current.CancellationToken);
        await using var listener = await ListenerProcess.StartProgramAsync(Repository.Program, data.Location, new() { ["OPENSSL_CONF"] = everything });
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };
        socket.Connect(IPAddress.Loopback, listener.HttpsPort);
        socket.Send(ClientHello(version));
        var answer = new byte[1024];
        var length = Receive(socket, answer);
        if (taken)
        {
            Assert.Equal((Handshake, 0x0303), (answer[0], BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(9)))); // the version of its ServerHello
            return;
        }

        Assert.True(length == 0 || answer[0] == Alert, $"Answered with {Convert.ToHexString(answer.AsSpan(0, length))}.");
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public void Both_present_versions_are_spoken(SslProtocols version)
    {
        using var stream = Connect(server.HttpsPort, version);
        Assert.Equal(version, stream.SslProtocol);
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task A_client_that_comes_back_resumes_its_session(string version)
    {
        Assert.SkipWhen(Command.Find("openssl") is null, "There is no openssl to come back with.");
        using var data = new DataDirectory();
        var session = data.Scratch("session.pem");
        // The ticket of TLS 1.3 follows the handshake: whoever has read an answer to the end has it.
        var visit = $"printf 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' | openssl s_client -connect 127.0.0.1:{server.HttpsPort} {version} -ign_eof";
        var first = (await Command.BashAsync($"{visit} -sess_out {session}")).Output;
        Assert.Contains("New, TLSv1", first, StringComparison.Ordinal);
        var second = (await Command.BashAsync($"{visit} -sess_in {session}")).Output;
        Assert.Contains("Reused, TLSv1", second, StringComparison.Ordinal);
        Assert.Contains("HTTP/1.1 ", second, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_is_replaced_is_shown_to_newcomers_while_open_connections_go_on()
    {
        using var data = new DataDirectory();
        var (certificate, key) = (data.Scratch("server.pem"), data.Scratch("server.key"));
        Replace("first.example", certificate, key);
        var token = await data.AddTokenAsync("game");
        await using var listener = await ListenerProcess.StartProgramAsync(Repository.Program, data.Location, new()
        {
            ["FASTLISTENER_Listen__Certificate"] = certificate,
            ["FASTLISTENER_Listen__CertificateKey"] = key,
        });
        using var open = Connect(listener.HttpsPort);
        Assert.Equal("CN=first.example", open.RemoteCertificate!.Subject);
        var request = Submit.RawRequest(token, Submit.MadeDump(1, 100_000));
        await open.WriteAsync(request.AsMemory(0, 50_000), TestContext.Current.CancellationToken);

        Replace("second.example", certificate, key);
        await Eventually.TrueAsync(
            () =>
            {
                using var newcomer = Connect(listener.HttpsPort);
                return newcomer.RemoteCertificate!.Subject == "CN=second.example";
            },
            "newcomers see the second certificate");
        await open.WriteAsync(request.AsMemory(50_000), TestContext.Current.CancellationToken);
        AssertStored(open);
        await open.WriteAsync(request, TestContext.Current.CancellationToken);
        AssertStored(open);

        // One that is broken changes nothing.
        await File.WriteAllTextAsync(certificate, "-----BEGIN CERTIFICATE-----\nnonsense\n", TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => listener.StandardError.Contains("the former one stays", StringComparison.Ordinal), "the broken one is said to be");
        using var last = Connect(listener.HttpsPort);
        Assert.Equal("CN=second.example", last.RemoteCertificate!.Subject);
        await last.WriteAsync(request, TestContext.Current.CancellationToken);
        AssertStored(last);
    }

    private static void AssertStored(SslStream stream)
    {
        var answer = new byte[4096];
        Assert.StartsWith("HTTP/1.1 200 ", Encoding.ASCII.GetString(answer, 0, stream.Read(answer)), StringComparison.Ordinal);
    }

    private static int Receive(Socket socket, byte[] answer)
    {
        try
        {
            return socket.Receive(answer);
        }
        catch (SocketException reset) when (reset.SocketErrorCode is SocketError.ConnectionReset)
        {
            return 0;
        }
    }

    private static SslStream Connect(int port, SslProtocols versions = SslProtocols.None)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };
        socket.Connect(IPAddress.Loopback, port);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        stream.AuthenticateAsClient(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            EnabledSslProtocols = versions,
            AllowTlsResume = false,
#pragma warning disable CA5359 // The listener on loopback is the one that this test started.
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
        });
        return stream;
    }

    private static void Replace(string name, string certificatePath, string keyPath)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(keyPath, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(certificatePath, certificate.ExportCertificatePem());
    }

    /// <summary>A ClientHello (RFC 5246 7.4.1.2, RFC 6101 5.6.1.2) that offers nothing newer than this version, with suites that fit the listener's ECDSA key.</summary>
    private static byte[] ClientHello(int version)
    {
        byte[] extensions = version == 0x0300 ? [] :
        [
            0, 10, 0, 4, 0, 2, 0, 23, // supported_groups: secp256r1
            0, 11, 0, 2, 1, 0, // ec_point_formats: uncompressed
            0, 13, 0, 6, 0, 4, 4, 3, 2, 3, // signature_algorithms: ecdsa with SHA-256, with SHA-1
        ];
        byte[] suites = [0xc0, 0x2b, 0xc0, 0x09, 0xc0, 0x0a, 0x00, 0x2f]; // ECDHE-ECDSA with AES-128-GCM, AES-128, AES-256; RSA with AES-128
        byte[] body =
        [
            (byte)(version >> 8), (byte)version, .. RandomNumberGenerator.GetBytes(32), 0, 0, (byte)suites.Length, .. suites, 1, 0,
            .. version == 0x0300 ? (byte[])[] : [(byte)(extensions.Length >> 8), (byte)extensions.Length, .. extensions],
        ];
        byte[] message = [1, 0, (byte)(body.Length >> 8), (byte)body.Length, .. body];
        return [Handshake, 3, (byte)Math.Min(1, version & 0xff), (byte)(message.Length >> 8), (byte)message.Length, .. message];
    }
}
