using System.Text;
using FastListener.Intake;
using FastListener.Overload;
using FastListener.Protocol.Multipart;
using Xunit;

namespace FastListener.Tests.Intake;

public class UnauthenticatedBytesTests
{
    private const int Share = 100_000;
    private const int Most = UnauthenticatedBudget.FreeBytes + Share;

    private readonly UnauthenticatedBudget _budget = new(Share * OverloadControl.StagingShares);

    [Fact]
    public void What_each_may_bring_needs_no_share_and_the_next_byte_does()
    {
        var bytes = new UnauthenticatedBytes(_budget);
        Assert.Equal(RejectReason.None, bytes.Take(UnauthenticatedBudget.FreeBytes));
        Assert.False(bytes.NeedsShare);
        Assert.Equal(RejectReason.None, bytes.Take(1));
        Assert.True(bytes.NeedsShare);
    }

    [Fact]
    public void A_share_is_the_most_and_what_does_not_fit_is_not_taken()
    {
        var bytes = new UnauthenticatedBytes(_budget);
        Assert.Equal(RejectReason.None, bytes.Take(Most));
        Assert.Equal(RejectReason.TokenTooLate, bytes.Take(1));
        Assert.Equal(Most, _budget.Taken);
    }

    [Fact]
    public void What_was_taken_is_given_back_once_and_all_may_be_taken_again()
    {
        var bytes = new UnauthenticatedBytes(_budget);
        var other = new UnauthenticatedBytes(_budget);
        Assert.Equal((RejectReason.None, RejectReason.None), (bytes.Take(Most), other.Take(5)));
        bytes.Settle();
        bytes.Settle();
        Assert.Equal(5, _budget.Taken);
        Assert.False(bytes.NeedsShare);
        Assert.Equal(RejectReason.None, bytes.Take(Most));
    }

    [Fact]
    public void Names_are_bytes_too_and_have_a_limit_of_their_own()
    {
        var budget = new UnauthenticatedBudget(100L * 1024 * 1024);
        var bytes = new UnauthenticatedBytes(budget);
        using var parser = new MultipartParser();
        const int length = 1024; // of all three
        var part = Part(parser, "x", new string('f', length - 1 - "text/plain".Length), "text/plain");
        for (var taken = length; taken <= UnauthenticatedBytes.MaxNameBytes; taken += length)
        {
            Assert.Equal(RejectReason.None, bytes.TakeNames(part));
            Assert.Equal(taken, budget.Taken);
        }

        Assert.Equal(RejectReason.TokenTooLate, bytes.TakeNames(part));
        Assert.Equal(UnauthenticatedBytes.MaxNameBytes, budget.Taken);
        bytes.Settle();
        Assert.Equal(RejectReason.None, bytes.TakeNames(part));
    }

    private static PartHeaders Part(MultipartParser parser, string name, string fileName, string contentType)
    {
        parser.Reset("b"u8);
        var head = $"--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{fileName}\"\r\nContent-Type: {contentType}\r\n\r\n";
        Assert.Equal(MultipartEvent.PartBegin, parser.Next(Encoding.ASCII.GetBytes(head), out _));
        return parser.Part;
    }
}
