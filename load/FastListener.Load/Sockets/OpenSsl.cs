using System.Runtime.InteropServices;
using System.Text;

namespace FastListener.Load.Sockets;

/// <summary>
/// TLS for the connection loop, straight on the system's OpenSSL 3: it works on a non-blocking socket, costs the generator less than
/// SslStream, and can say whether a session was resumed, which SslStream cannot. Certificates are not verified (loopback, self-signed).
/// </summary>
internal sealed unsafe partial class OpenSsl : IDisposable
{
    public const int WantRead = 2;
    public const int WantWrite = 3;
    public const int ZeroReturn = 6;

    private readonly nint _context;
    private nint _session;

    public OpenSsl()
    {
        _context = SSL_CTX_new(TLS_client_method());
        if (_context == 0)
        {
            throw new InvalidOperationException("OpenSSL made no context.");
        }

        _ = SSL_CTX_ctrl(_context, 33, 1 | 2, 0); // partial writes, moving buffers
        _ = SSL_CTX_ctrl(_context, 44, 0, 0); // no cache of its own: the session to resume is kept here
    }

    /// <summary>A client on <paramref name="fd"/>, offering the last session to resume when asked to.</summary>
    public nint Open(int fd, bool resume)
    {
        var ssl = SSL_new(_context);
        _ = SSL_set_fd(ssl, fd);
        fixed (byte* name = "localhost\0"u8)
        {
            _ = SSL_ctrl(ssl, 55, 0, (nint)name); // SNI
        }

        if (resume && _session != 0)
        {
            _ = SSL_set_session(ssl, _session);
        }

        SSL_set_connect_state(ssl);
        return ssl;
    }

    public static int Handshake(nint ssl, out int error)
    {
        ERR_clear_error();
        return Result(ssl, SSL_do_handshake(ssl), out error);
    }

    public static int Write(nint ssl, byte* bytes, int length, out int error)
    {
        ERR_clear_error();
        return Result(ssl, SSL_write(ssl, bytes, length), out error);
    }

    public static int Read(nint ssl, byte* bytes, int length, out int error)
    {
        ERR_clear_error();
        return Result(ssl, SSL_read(ssl, bytes, length), out error);
    }

    public static bool WasResumed(nint ssl) => SSL_session_reused(ssl) == 1;

    /// <summary>Keeps the session of a finished exchange for the next connection.</summary>
    public void Keep(nint ssl)
    {
        var session = SSL_get1_session(ssl);
        if (session == 0)
        {
            return;
        }

        if (SSL_SESSION_is_resumable(session) != 1)
        {
            SSL_SESSION_free(session);
            return;
        }

        if (_session != 0)
        {
            SSL_SESSION_free(_session);
        }

        _session = session;
    }

    public static void Close(nint ssl, bool orderly)
    {
        if (orderly)
        {
            _ = SSL_shutdown(ssl);
        }

        SSL_free(ssl);
    }

    public static string Explain()
    {
        var text = stackalloc byte[256];
        ERR_error_string_n(ERR_peek_last_error(), text, 256);
        return Encoding.ASCII.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
    }

    public void Dispose()
    {
        if (_session != 0)
        {
            SSL_SESSION_free(_session);
            _session = 0;
        }

        SSL_CTX_free(_context);
    }

    private static int Result(nint ssl, int answer, out int error)
    {
        error = answer > 0 ? 0 : SSL_get_error(ssl, answer);
        return answer;
    }

    private const string Ssl = "libssl.so.3";
    private const string Crypto = "libcrypto.so.3";

    [LibraryImport(Ssl)]
    private static partial nint TLS_client_method();

    [LibraryImport(Ssl)]
    private static partial nint SSL_CTX_new(nint method);

    [LibraryImport(Ssl)]
    private static partial void SSL_CTX_free(nint context);

    [LibraryImport(Ssl)]
    private static partial nint SSL_CTX_ctrl(nint context, int command, nint value, nint argument);

    [LibraryImport(Ssl)]
    private static partial nint SSL_ctrl(nint ssl, int command, nint value, nint argument);

    [LibraryImport(Ssl)]
    private static partial nint SSL_new(nint context);

    [LibraryImport(Ssl)]
    private static partial void SSL_free(nint ssl);

    [LibraryImport(Ssl)]
    private static partial int SSL_set_fd(nint ssl, int fd);

    [LibraryImport(Ssl)]
    private static partial void SSL_set_connect_state(nint ssl);

    [LibraryImport(Ssl)]
    private static partial int SSL_do_handshake(nint ssl);

    [LibraryImport(Ssl)]
    private static partial int SSL_write(nint ssl, byte* bytes, int length);

    [LibraryImport(Ssl)]
    private static partial int SSL_read(nint ssl, byte* bytes, int length);

    [LibraryImport(Ssl)]
    private static partial int SSL_get_error(nint ssl, int answer);

    [LibraryImport(Ssl)]
    private static partial int SSL_shutdown(nint ssl);

    [LibraryImport(Ssl)]
    private static partial int SSL_session_reused(nint ssl);

    [LibraryImport(Ssl)]
    private static partial nint SSL_get1_session(nint ssl);

    [LibraryImport(Ssl)]
    private static partial int SSL_set_session(nint ssl, nint session);

    [LibraryImport(Ssl)]
    private static partial int SSL_SESSION_is_resumable(nint session);

    [LibraryImport(Ssl)]
    private static partial void SSL_SESSION_free(nint session);

    [LibraryImport(Crypto)]
    private static partial void ERR_clear_error();

    [LibraryImport(Crypto)]
    private static partial ulong ERR_peek_last_error();

    [LibraryImport(Crypto)]
    private static partial void ERR_error_string_n(ulong error, byte* text, nuint length);
}
