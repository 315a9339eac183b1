using System.Text;
using FastListener.Intake;
using Xunit;

namespace FastListener.Tests.Intake;

public class PartClassTests
{
    [Theory]
    [InlineData("upload_file", true, PartRole.Report, "upload_file")]
    [InlineData("upload_file", false, PartRole.Report, "upload_file")]
    [InlineData("upload_file_minidump", true, PartRole.Report, "upload_file_minidump")]
    [InlineData("attachment_test.json", true, PartRole.Attachment, "test.json")]
    [InlineData("attachment_log", false, PartRole.Attachment, "log")]
    [InlineData("attachment.log", true, PartRole.Attachment, "log")]
    [InlineData("app.log", true, PartRole.Attachment, "app.log")]
    [InlineData("C:\\logs\\app.log", true, PartRole.Attachment, "app.log")]
    [InlineData("attachment_/var/log/app.log", true, PartRole.Attachment, "app.log")]
    [InlineData("attachment_", false, PartRole.Attribute, "attachment_")]
    [InlineData("version", false, PartRole.Attribute, "version")]
    public void A_part_is_told_by_its_key_and_by_whether_it_names_a_file(string key, bool hasFileName, object role, string name)
    {
        var found = PartClass.Of(Encoding.UTF8.GetBytes(key), hasFileName, out var kept);

        Assert.Equal((PartRole)role, found);
        Assert.Equal(name, Encoding.UTF8.GetString(kept));
    }
}
