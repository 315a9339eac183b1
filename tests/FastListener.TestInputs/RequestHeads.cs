using System.Text;

namespace FastListener.TestInputs;

/// <summary>Whole request heads, empty line included, as clients send them.</summary>
public static class RequestHeads
{
    /// <summary>A token as they are issued.</summary>
    public const string Token = "4b6f1c0d9a8e7f2355aa10c4d3e2f1b06978a5b4c3d2e1f00f1e2d3c4b5a6978";

    /// <summary>Crashpad over libcurl on Linux.</summary>
    public static byte[] Crashpad { get; } = Ascii(
        $"POST /post?format=minidump&token={Token}&guid=5d6c0a6e-7f1b-4b5e-9a51-1f0f6d2f7a11 HTTP/1.1",
        "Host: crashes.example.com:6097", "User-Agent: Crashpad/0.8.0 libcurl/8.4.0 OpenSSL/3.0.13 zlib/1.3 Linux/6.1.0-31-amd64 (x86_64)",
        "Accept: */*", "Content-Encoding: gzip", $"Content-Type: multipart/form-data; boundary={CrashForm.CrashpadBoundary}",
        "Transfer-Encoding: chunked", "Expect: 100-continue");

    /// <summary>curl with a form, the shortest head of all.</summary>
    public static byte[] Curl { get; } = Ascii(
        $"POST /local/{Token}/minidump HTTP/1.1",
        "Host: localhost:6097", "User-Agent: curl/7.88.1", "Accept: */*", "Content-Length: 121034",
        "Content-Type: multipart/form-data; boundary=------------------------d74496d66958873e");

    /// <summary>A browser's fetch through a proxy: twenty-four fields, long values.</summary>
    public static byte[] Browser { get; } = Ascii(
        $"POST /api/post?format=json&token={Token} HTTP/1.1",
        "Host: crashes.example.com", "Connection: keep-alive", "Content-Length: 18231",
        "sec-ch-ua: \"Chromium\";v=\"128\", \"Not;A=Brand\";v=\"24\", \"Google Chrome\";v=\"128\"", "sec-ch-ua-mobile: ?0",
        "sec-ch-ua-platform: \"Windows\"",
        "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36",
        "Content-Type: multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW1", "Accept: application/json, text/plain, */*",
        "DNT: 1", "Origin: https://app.example.com", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty",
        "Referer: https://app.example.com/studio/index.html?scene=42&mode=edit", "Accept-Encoding: gzip, deflate, br, zstd",
        "Accept-Language: en-GB,en;q=0.9,de-DE;q=0.8,de;q=0.7", "Cache-Control: no-cache", "Pragma: no-cache",
        "X-Forwarded-For: 203.0.113.71, 198.51.100.17", "X-Forwarded-Proto: https", "X-Forwarded-Host: crashes.example.com",
        "X-Request-Id: 0c9f8d3e-53cb-4a1e-8d1d-7d8f5b2a9f10", "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");

    private static byte[] Ascii(params string[] lines) => Encoding.ASCII.GetBytes(string.Join("\r\n", lines) + "\r\n\r\n");
}
