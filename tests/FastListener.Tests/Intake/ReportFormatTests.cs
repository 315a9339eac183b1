using System.Text;
using FastListener.Intake;
using FastListener.Storage;
using Xunit;

namespace FastListener.Tests.Intake;

public class ReportFormatTests
{
    [Theory]
    [InlineData("MDMP....", ObjectFormat.Minidump)]
    [InlineData("PMDM....", ObjectFormat.Minidump)]
    [InlineData("plcrash\u0001", ObjectFormat.Plcrash)]
    [InlineData("{", ObjectFormat.Json)]
    [InlineData(" \r\n\t{\"a\":1}", ObjectFormat.Json)]
    [InlineData("\u00EF\u00BB\u00BF {", ObjectFormat.Json)]
    [InlineData("", ObjectFormat.Unknown)]
    [InlineData("MDM", ObjectFormat.Unknown)]
    [InlineData("[1]", ObjectFormat.Unknown)]
    public void First_bytes_tell_the_format(string bytes, object format)
    {
        Assert.Equal((ObjectFormat)format, ReportFormat.Sniff(Encoding.Latin1.GetBytes(bytes)));
    }

    [Theory]
    [InlineData("MDMP")]
    [InlineData("\u001F\u008B\u0008")]
    [InlineData("\u0028\u00B5\u002F\u00FD")]
    [InlineData("\u00FD7zXZ\0")]
    [InlineData("BZh9")]
    public void A_minidump_may_come_compressed(string bytes)
    {
        var head = Encoding.Latin1.GetBytes(bytes);
        Assert.Equal(RejectReason.None, ReportFormat.Judge(ObjectFormat.Minidump, head, head.Length));
    }

    [Theory]
    [InlineData("/home/me/crash.dmp", "the @")]
    [InlineData("upload_file=@/home/me/test.json", "the @")]
    [InlineData("C:\\dumps\\crash.dmp", "the @")]
    [InlineData("{\"uuid\":1}", "format=json")]
    [InlineData("plcrash\u0001", "format=plcrash")]
    [InlineData("PK\u0003\u0004", "zip")]
    [InlineData("--boundary", "multipart")]
    public void What_is_no_minidump_is_refused_with_a_hint_at_what_it_is(string bytes, string hint)
    {
        var head = Encoding.Latin1.GetBytes(bytes);
        Assert.Equal(RejectReason.NotAMinidump, ReportFormat.Judge(ObjectFormat.Minidump, head, head.Length));
        Assert.Contains(hint, ReportFormat.Describe(head), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ObjectFormat.Btt)]
    [InlineData(ObjectFormat.Symbols)]
    public void Snapshots_and_symbols_are_never_judged(object format)
    {
        Assert.Equal(RejectReason.None, ReportFormat.Judge((ObjectFormat)format, "anything"u8, 8));
    }
}
