using Microsoft.AspNetCore.Connections;
using Xunit;

namespace FastListener.Transport;

/// <summary>Connection handlers that several tests use.</summary>
internal static class Handlers
{
    /// <summary>Sends back what arrives until the client closes its half.</summary>
    public static async Task Echo(ConnectionContext connection)
    {
        var (input, output) = (connection.Transport.Input, connection.Transport.Output);
        while (true)
        {
            var read = await input.ReadAsync();
            foreach (var segment in read.Buffer)
            {
                segment.Span.CopyTo(output.GetSpan(segment.Length));
                output.Advance(segment.Length);
            }

            input.AdvanceTo(read.Buffer.End);
            await output.FlushAsync();
            if (read.IsCompleted)
            {
                return;
            }
        }
    }

    /// <summary>Waits until something becomes true, without a deadline of its own: the test's is enough.</summary>
    public static async Task Until(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }
}
