using System.Globalization;
using System.Text.RegularExpressions;
using FastListener.SystemTests.Harness;

namespace FastListener.ConformanceTests.Cases;

/// <summary>Reads the chapter files; their form is described in tests/conformance/README.md.</summary>
internal static partial class CaseFile
{
    private static readonly Lazy<IReadOnlyList<ConformanceCase>> s_all = new(() =>
    [
        .. Directory.GetFiles(Path.Combine(Repository.Root, "tests", "conformance"), "*.cases")
            .Order(StringComparer.Ordinal)
            .SelectMany(path => Read(path, File.ReadLines(path))),
    ]);

    public static IReadOnlyList<ConformanceCase> All => s_all.Value;

    public static List<ConformanceCase> Read(string path, IEnumerable<string> lines)
    {
        var cases = new List<ConformanceCase>();
        var number = 0;
        foreach (var line in lines)
        {
            number++;
            try
            {
                Take(cases, Path.GetFileNameWithoutExtension(path), number, line);
            }
            catch (Exception fault) when (fault is InvalidDataException or FormatException or ArgumentOutOfRangeException)
            {
                throw new InvalidDataException($"{path}({number}): {fault.Message}: {line}", fault);
            }
        }

        return cases;
    }

    private static void Take(List<ConformanceCase> cases, string chapter, int number, string line)
    {
        if (line.Length == 0 || line[0] == '#')
        {
            return;
        }

        if (line.StartsWith("= ", StringComparison.Ordinal))
        {
            cases.Add(new ConformanceCase { Chapter = chapter, Name = line[2..], Line = number });
            return;
        }

        var test = cases.Count > 0 ? cases[^1] : throw new InvalidDataException("A case begins with '= '");
        if (line[0] == '>')
        {
            if (test.Messages.Count == 0)
            {
                test.Messages.Add(new CaseMessage());
            }

            test.Messages[^1].Lines.Add(line.Length < 2 ? "" : line[2..]);
            return;
        }

        if (line == "---")
        {
            test.Messages.Add(new CaseMessage());
            return;
        }

        var space = line.IndexOf(' ', StringComparison.Ordinal);
        Take(test, space < 0 ? line : line[..space], space < 0 ? "" : line[(space + 1)..]);
    }

    private static void Take(ConformanceCase test, string key, string value)
    {
        switch (key)
        {
            case "see": test.Clauses.AddRange(value.Split("; ")); break;
            case "note": test.Note = value; break;
            case "want": Want(test.Expected, value); break;
            case "ends": test.Ends = true; break;
            case "report": test.Expected.Report = value == "*" ? null : value; break;
            case "attribute" when value == "*": test.Expected.Attributes = null; break;
            case "attribute": test.Expected.Attributes!.Add(value); break;
            case "attachment": test.Expected.Attachments.Add(value); break;
            case "header": test.Expected.Headers.Add(value); break;
            case "filename": test.Expected.FileName = value; break;
            case "body":
                test.Messages.Add(new CaseMessage { Transforms = value.Split(' ') });
                break;
            default: throw new InvalidDataException("Unknown word");
        }
    }

    private static void Want(Expected expected, string value)
    {
        foreach (var item in value.Split(", "))
        {
            if (item is "kept" or "closed" or "either" or "waits")
            {
                expected.Fate = Enum.Parse<Fate>(item, ignoreCase: true);
            }
            else if (item == "100")
            {
                expected.Continue = true;
            }
            else if (ReplyPattern().Match(item) is { Success: true } reply)
            {
                var times = reply.Groups[3].Success ? int.Parse(reply.Groups[3].Value, CultureInfo.InvariantCulture) : 1;
                expected.Replies.AddRange(Enumerable.Repeat(
                    new ExpectedReply(int.Parse(reply.Groups[1].Value, CultureInfo.InvariantCulture), reply.Groups[2].Value), times));
            }
            else
            {
                throw new InvalidDataException($"Not a reply or a fate: '{item}'");
            }
        }
    }

    [GeneratedRegex("^([2-5][0-9][0-9]) ([a-z0-9_]+|\\*)(?: x([0-9]+))?$")]
    private static partial Regex ReplyPattern();
}
