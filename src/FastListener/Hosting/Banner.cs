using System.Net;
using FastListener.Tokens;

namespace FastListener.Hosting;

/// <summary>What a newcomer reads after the start: where it listens, where data goes and, the first time, a line to paste.</summary>
internal static class Banner
{
    /// <summary>A minidump header without streams (MINIDUMP_HEADER, 32 bytes), as printf writes it in any POSIX shell.</summary>
    private const string EmptyMinidump = @"MDMP\223\247\0\0\0\0\0\0\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

    /// <summary>Prints it. The last line is <c>Ready</c>; scripts wait for it.</summary>
    public static void Print(TextWriter output, string dataDirectory, IEnumerable<string> addresses, EndPoint? admin, TokenSecret? firstToken)
    {
        var all = addresses.ToArray();
        foreach (var address in all)
        {
            output.WriteLine($"Listening on {address}");
        }

        if (admin is not null)
        {
            output.WriteLine($"Health and metrics on http://{admin}");
        }

        output.WriteLine($"Data in {dataDirectory}");
        if (firstToken is not null)
        {
            var address = (all.FirstOrDefault(a => a.StartsWith("http:", StringComparison.Ordinal)) ?? all.First())
                .Replace("[::]", "localhost", StringComparison.Ordinal)
                .Replace("0.0.0.0", "localhost", StringComparison.Ordinal);
            var insecure = address.StartsWith("https:", StringComparison.Ordinal) ? "-k " : "";
            output.WriteLine($"Token {firstToken.Reveal()}");
            output.WriteLine();
            output.WriteLine("This is the first start: universe 'local', project 'crashes' and the token above were made.");
            output.WriteLine("Paste this to send a first (empty) minidump:");
            output.WriteLine();
            output.WriteLine($"  printf '{EmptyMinidump}' | curl {insecure}--data-binary @- \"{address}/post?format=minidump&token={firstToken.Reveal()}&version=1.0\"");
            output.WriteLine();
            output.WriteLine("And this for a dump of your own:");
            output.WriteLine();
            output.WriteLine($"  curl {insecure}-F upload_file_minidump=@crash.dmp -F version=1.0 \"{address}/post?format=minidump&token={firstToken.Reveal()}\"");
            output.WriteLine();
        }

        output.WriteLine("Ready");
        output.Flush();
    }
}
