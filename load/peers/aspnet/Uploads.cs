using System.Buffers;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace FastListener.Peers.AspNet;

/// <summary>The three ways an ASP.NET Core application takes a multipart upload.</summary>
internal sealed class Uploads(PeerOptions options)
{
    private const int TunedReadBytes = 64 * 1024;
    private const string Answer = "{\"response\":\"ok\",\"_rxid\":\"00000000-0000-0000-0000-000000000000\"}";
    private long _count;

    /// <summary><c>ReadFormAsync</c>: the framework buffers the form (past 64 KiB in a temporary file), then we copy the report out and sync it.</summary>
    public async Task<IResult> ReadForm(HttpRequest request)
    {
        var form = await request.ReadFormAsync(new FormOptions { MultipartBodyLengthLimit = long.MaxValue });
        foreach (var file in form.Files)
        {
            if (IsReport(file.Name))
            {
                var path = NewPath(request);
                await using (var target = File.Create(path))
                {
                    await file.CopyToAsync(target);
                    target.Flush(flushToDisk: true);
                }

                SyncedFile.FlushDirectory(options.Directory);
            }
        }

        return Results.Text(Answer, "application/json");
    }

    /// <summary><c>MultipartReader</c> as the documentation shows it: a section at a time, each copied to a file of its own.</summary>
    public async Task<IResult> ReadSections(HttpRequest request)
    {
        var reader = new MultipartReader(Boundary(request), request.Body);
        while (await reader.ReadNextSectionAsync() is { } section)
        {
            if (!IsReport(section))
            {
                await section.Body.DrainAsync(request.HttpContext.RequestAborted);
                continue;
            }

            await using (var target = File.Create(NewPath(request)))
            {
                await section.Body.CopyToAsync(target);
                target.Flush(flushToDisk: true);
            }

            SyncedFile.FlushDirectory(options.Directory);
        }

        return Results.Text(Answer, "application/json");
    }

    /// <summary>The same with what measuring taught: 64 KiB to read, up to 1 MiB to write, both pooled, no second buffer in the file stream.</summary>
    public async Task<IResult> ReadSectionsTuned(HttpRequest request)
    {
        var large = request.ContentLength is null or > 1024 * 1024;
        var reader = new MultipartReader(Boundary(request), request.Body, TunedReadBytes);
        while (await reader.ReadNextSectionAsync() is { } section)
        {
            if (!IsReport(section))
            {
                await section.Body.DrainAsync(request.HttpContext.RequestAborted);
                continue;
            }

            var buffer = ArrayPool<byte>.Shared.Rent(large ? 1024 * 1024 : 64 * 1024);
            await using (var target = new FileStream(NewPath(request), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                var filled = 0;
                while (true)
                {
                    var read = await section.Body.ReadAsync(buffer.AsMemory(filled));
                    filled += read;
                    if (filled == buffer.Length || (read == 0 && filled > 0))
                    {
                        target.Write(buffer, 0, filled);
                        filled = 0;
                    }

                    if (read == 0)
                    {
                        break;
                    }
                }

                target.Flush(flushToDisk: true);
            }

            ArrayPool<byte>.Shared.Return(buffer);
            SyncedFile.FlushDirectory(options.Directory);
        }

        return Results.Text(Answer, "application/json");
    }

    /// <summary>Parse only: every section is read to its end and forgotten.</summary>
    public static async Task<IResult> Discard(HttpRequest request)
    {
        var reader = new MultipartReader(Boundary(request), request.Body);
        while (await reader.ReadNextSectionAsync() is { } section)
        {
            await section.Body.DrainAsync(request.HttpContext.RequestAborted);
        }

        return Results.Text(Answer, "application/json");
    }

    /// <summary>The same with 64 KiB to read, and 64 KiB to read into: both are 4 KiB otherwise.</summary>
    public static async Task<IResult> DiscardTuned(HttpRequest request)
    {
        var reader = new MultipartReader(Boundary(request), request.Body, TunedReadBytes);
        var buffer = ArrayPool<byte>.Shared.Rent(TunedReadBytes);
        while (await reader.ReadNextSectionAsync() is { } section)
        {
            while (await section.Body.ReadAsync(buffer) > 0)
            {
            }
        }

        ArrayPool<byte>.Shared.Return(buffer);
        return Results.Text(Answer, "application/json");
    }

    private static bool IsReport(MultipartSection section) =>
        ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition) && IsReport(HeaderUtilities.RemoveQuotes(disposition.Name).Value);

    private static bool IsReport(string? name) => name is not null && name.StartsWith("upload_file", StringComparison.Ordinal);

    private static string Boundary(HttpRequest request) =>
        HeaderUtilities.RemoveQuotes(MediaTypeHeaderValue.Parse(request.ContentType).Boundary).Value
        ?? throw new BadHttpRequestException("No boundary.");

    /// <summary>The file carries the sequence number of its request, so that a read-back can tell which submissions are there.</summary>
    private string NewPath(HttpRequest request) =>
        Path.Combine(options.Directory, $"{request.Query["seq"]}-{Interlocked.Increment(ref _count)}.dmp");
}
