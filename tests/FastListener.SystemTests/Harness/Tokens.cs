using System.Security.Cryptography;

namespace FastListener.SystemTests.Harness;

internal static class Tokens
{
    /// <summary>64 lower-case hex digits, the form of every real token (two SDKs cut exactly 64 characters out of a URL).</summary>
    public static string New() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
}
