using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Text;
using System.Text.Json;

namespace FastListener.Cli;

/// <summary>A small test client: what a crash reporter does, by hand.</summary>
internal static class SendCommand
{
    private const int MaxReplyBytes = 1024 * 1024;

    public static Command Create(Terminal terminal)
    {
        var file = new Argument<FileInfo>("FILE") { Description = "The report to send." };
        var url = new Option<Uri>("--url")
        {
            Description = "Where to, with token and format: http://127.0.0.1:6097/post?format=minidump&token=...",
            HelpName = "URL",
            Required = true,
            CustomParser = result =>
            {
                if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https")
                {
                    return parsed;
                }

                result.AddError("--url takes an http or https URL.");
                return null;
            },
        };
        var attributes = OptionValues.Pairs("--attr", "An attribute.");
        var attachments = new Option<FileInfo[]>("--attach")
        {
            Description = "A file to attach. May be repeated.",
            HelpName = "FILE",
            DefaultValueFactory = _ => [],
        };
        file.Validators.Add(RequireFiles);
        attachments.Validators.Add(RequireFiles);
        var command = new Command("send", "Send a report as a client would and print the reply; exit 1 unless it says ok.")
        {
            file, url, attributes, attachments,
        };
        command.SetAction((parsed, cancel) => SendAsync(
            terminal,
            parsed.GetRequiredValue(url),
            parsed.GetRequiredValue(file),
            parsed.GetRequiredValue(attributes),
            parsed.GetRequiredValue(attachments),
            cancel));
        return command;
    }

    private static void RequireFiles(SymbolResult result)
    {
        foreach (var token in result.Tokens)
        {
            if (!File.Exists(token.Value))
            {
                result.AddError($"There is no file '{TerminalText.Escape(token.Value)}'.");
            }
        }
    }

    private static async Task<int> SendAsync(
        Terminal terminal, Uri url, FileInfo file, KeyValuePair<string, string>[] attributes, FileInfo[] attachments, CancellationToken cancel)
    {
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = !url.IsLoopback };
        if (url.IsLoopback)
        {
            // The listener's own certificate, made on its first start: nobody vouches for it, and nobody is in between.
            handler.SslOptions.RemoteCertificateValidationCallback =
                (_, _, _, errors) => !errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable);
        }

        using var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = ContentOf(file, attributes, attachments) };
        request.Headers.ExpectContinue = true; // a refusal of the head is read, not drowned by a body that nobody takes any more
        using var reply = await AnswerAsync(client, request, cancel);
        var body = await ReadBodyAsync(reply, cancel);
        terminal.Out.WriteLine(string.Join('\n', Encoding.UTF8.GetString(body).TrimEnd('\r', '\n').Split('\n').Select(TerminalText.Escape)));
        if (reply.StatusCode is HttpStatusCode.OK && SaysOk(body))
        {
            return ExitCode.Ok;
        }

        terminal.Error.WriteLine($"The listener did not accept it: status {(int)reply.StatusCode}.");
        return ExitCode.Failed;
    }

    /// <exception cref="CommandFault">There was none. The address is named without what may hold a token.</exception>
    private static async Task<HttpResponseMessage> AnswerAsync(HttpClient client, HttpRequestMessage request, CancellationToken cancel)
    {
        try
        {
            return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        }
        catch (HttpRequestException failure)
        {
            // The outer messages say only that something inside of them went wrong.
            var what = failure.HttpRequestError is HttpRequestError.SecureConnectionError ? "There is no TLS with" : "There was no answer from";
            throw new CommandFault(TerminalText.Escape($"{what} {request.RequestUri!.Authority}: {failure.GetBaseException().Message}"));
        }
    }

    /// <summary>The bare report when it is all there is to send; else a form: attributes, the report, attachments.</summary>
    private static HttpContent ContentOf(FileInfo file, KeyValuePair<string, string>[] attributes, FileInfo[] attachments)
    {
        if (attributes.Length == 0 && attachments.Length == 0)
        {
            return FileContent(file);
        }

        var form = new MultipartFormDataContent($"----FastListener{Guid.NewGuid():N}");
        foreach (var (name, value) in attributes)
        {
            form.Add(Named(new ByteArrayContent(Encoding.UTF8.GetBytes(value)), name, fileName: null));
        }

        form.Add(Named(FileContent(file), IsMinidump(file) ? "upload_file_minidump" : "upload_file", file.Name));
        foreach (var attachment in attachments)
        {
            form.Add(Named(FileContent(attachment), "attachment_" + attachment.Name, attachment.Name));
        }

        return form;
    }

    /// <summary>Names are quoted as browsers quote them: UTF-8, with the three bytes that would end them as percent codes.</summary>
    private static HttpContent Named(HttpContent content, string name, string? fileName)
    {
        static string Quoted(string text) => '"' + text
            .Replace("\"", "%22", StringComparison.Ordinal)
            .Replace("\r", "%0D", StringComparison.Ordinal)
            .Replace("\n", "%0A", StringComparison.Ordinal) + '"';

        content.Headers.ContentDisposition = new ContentDispositionHeaderValue("form-data") { Name = Quoted(name) };
        if (fileName is not null)
        {
            content.Headers.ContentDisposition.FileName = Quoted(fileName);
        }

        return content;
    }

    private static StreamContent FileContent(FileInfo file)
    {
        var content = new StreamContent(file.OpenRead(), 256 * 1024);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return content;
    }

    private static bool IsMinidump(FileInfo file)
    {
        using var stream = file.OpenRead();
        Span<byte> magic = stackalloc byte[4];
        return stream.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) == magic.Length && magic.SequenceEqual("MDMP"u8);
    }

    private static async Task<byte[]> ReadBodyAsync(HttpResponseMessage reply, CancellationToken cancel)
    {
        await using var stream = await reply.Content.ReadAsStreamAsync(cancel);
        var body = new byte[MaxReplyBytes];
        var length = await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancel);
        return body[..length];
    }

    private static bool SaysOk(byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.ValueKind is JsonValueKind.Object
                && json.RootElement.TryGetProperty("response", out var response)
                && response.ValueKind is JsonValueKind.String
                && response.ValueEquals("ok");
        }
        catch (JsonException)
        {
            return false; // whatever it is, it does not say ok
        }
    }
}
