using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using FastListener.Configuration;
using FastListener.Intake;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace FastListener.Tests.Documents;

/// <summary>Tables that operators read are made from the code. FASTLISTENER_WRITE_DOCUMENTS=1 writes them anew.</summary>
public class DocumentTests
{
    [Fact]
    public void The_table_of_refusals_is_the_one_in_the_code()
    {
        var text = new StringBuilder("""
            # Refusals

            Every "no" a client or operator can meet. The word stands in the reply's header `FastListener-Reason`, the code and the sentence
            in its body: `{"error":{"code":<int>,"message":"..."}}`. Made from `FastListener/Intake/Refusal.cs`; a test keeps them equal.

            | status | code | word | sentence | connection | cure |
            |--:|--:|---|---|---|---|

            """);
        foreach (var reason in Enum.GetValues<RejectReason>().Where(reason => reason != RejectReason.None))
        {
            var row = Refusal.For(reason);
            text.Append(FormattableString.Invariant(
                $"| {row.Status} | {row.Code} | `{row.Word}` | {row.Message} | {(row.Closes ? "closes" : "kept, if the body was read")} | {Refusal.Cure(reason)} |\n"));
        }

        Same("REFUSALS.md", text.ToString());
    }

    [Fact]
    public void The_table_of_settings_is_the_one_in_the_code()
    {
        var reader = new SettingsReader(new ConfigurationBuilder().Build());
        Assert.True(SettingsLoader.TryLoad(reader, "data", http: null, https: null, out _, out _));
        var text = new StringBuilder("""
            # Settings

            In `appsettings.json` as sections, in the environment as `FASTLISTENER_Section__Name`. What each means, its unit and where its
            default comes from stands beside it in `FastListener/Configuration/`. A setting or section that does not exist, or a value out of
            its range, is refused at the start, all at once. Made from the code; a test keeps them equal.

            | setting | default (range) |
            |---|---|

            """);
        foreach (var (key, value) in reader.Known)
        {
            text.Append(FormattableString.Invariant($"| `{key}` | {value.Replace("*:", "\\*:", StringComparison.Ordinal)} |\n"));
        }

        Same("SETTINGS.md", text.ToString());
    }

    [Fact]
    public void Every_refusal_of_the_table_is_given_somewhere_in_the_code()
    {
        var code = string.Concat(
            from file in Directory.EnumerateFiles(Source("FastListener"), "*.cs", SearchOption.AllDirectories)
            where Path.GetFileName(file) is not ("Refusal.cs" or "RejectReason.cs")
            select File.ReadAllText(file));
        Assert.DoesNotContain(
            Enum.GetValues<RejectReason>(),
            reason => !Regex.IsMatch(code, $@"\bRejectReason\.{reason}\b"));
    }

    private static string Source(string name, [CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "..", "src", name));

    private static void Same(string name, string text)
    {
        var path = Source(name);
        if (Environment.GetEnvironmentVariable("FASTLISTENER_WRITE_DOCUMENTS") == "1")
        {
            File.WriteAllText(path, text);
        }

        Assert.Equal(text, File.ReadAllText(path));
    }
}
