using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using System.Text.Unicode;
using CsCheck;
using FastListener.Protocol.Text;

namespace FastListener.Protocol.Tests.Differential;

/// <summary>
/// Our RFC 2047 words beside Python's <c>email.header</c>, which is asked once for all inputs of a test. What we leave as it is on purpose is
/// hidden from Python, so that everything else must come out the same.
/// </summary>
public sealed partial class EncodedWordDifferenceTests
{
    /// <summary>Stands for the <c>=?</c> of what we do not take for a word: Python then does not either.</summary>
    private const string Hidden = "\uE000";

    private const string Refused = "!";

    private const string Script = """
        import sys
        from email.header import decode_header
        for line in sys.stdin:
            try:
                text = ''
                for part, charset in decode_header(bytes.fromhex(line).decode('utf-8')):
                    text += part if isinstance(part, str) else part.decode(charset or 'raw-unicode-escape')
                print(text.encode('utf-8').hex())
            except Exception:
                print('!')
        """;

    private static readonly string[] Charsets = ["utf-8", "UTF-8", "utf8", "iso-8859-1", "ISO-8859-1", "latin1", "us-ascii", "US-ASCII", "utf-8*en", "iso-8859-1*de-AT", "koi8-r", ""];

    private static readonly string[] Between = ["", " ", "\t ", "x", " x ", "=", "?", " =?", "?= ", "a=b", "\u00E4"];

    /// <summary>Difference, text, what Python makes of it, what we do.</summary>
    public static TheoryData<string, string, string, string> Differences => new()
    {
        { "RFC 2047 6.2: a charset that we do not know is left as it is", "=?koi8-r?Q?=C1?=", "\u0430", "=?koi8-r?Q?=C1?=" },
        { "RFC 2231 5: a language may follow the charset", "=?utf-8*en?Q?a?=", Refused, "a" },
        { "RFC 2047 4.1, 6.3: base64 without its padding is left as it is", "=?utf-8?B?YQ?=", "a", "=?utf-8?B?YQ?=" },
        { "RFC 2047 4.1, 6.3: base64 with other characters in it is left as it is", "=?utf-8?B?Y-Q==?=", "a", "=?utf-8?B?Y-Q==?=" },
        { "RFC 4648 3.5: so is base64 whose unused last bits are not zero", "=?utf-8?B?YR==?=", "a", "=?utf-8?B?YR==?=" },
        { "RFC 2047 4.2, 6.3: a word with a broken escape is left as it is", "=?utf-8?Q?a=G1?=", "a=G1", "=?utf-8?Q?a=G1?=" },
        { "RFC 2047 5, 6.3: a word that is no text of its charset is left as it is", "=?utf-8?Q?=FF?=", Refused, "=?utf-8?Q?=FF?=" },
        { "RFC 2047 5: so is half a character, whatever the next word begins with", "=?utf-8?Q?=C3?= =?utf-8?Q?=A4?=", "\u00E4", "=?utf-8?Q?=C3?= =?utf-8?Q?=A4?=" },
        { "RFC 2047 2: US-ASCII is read as UTF-8, of which it is a part", "=?us-ascii?Q?=C3=A4?=", Refused, "\u00E4" },
        { "RFC 2047 5: a word with a NUL is left as it is: no name has one", "=?utf-8?B?AA==?=", "\0", "=?utf-8?B?AA==?=" },
        { "RFC 2047 2: beyond ASCII there is no encoded text; UTF-8 in it is kept as UTF-8", "=?utf-8?Q?\u00E4?=", Refused, "\u00E4" },
    };

    [Fact]
    public void Differences_are_deliberate()
    {
        var rows = Differences.Select(row => row.Data).ToList();
        var python = AskPython([.. rows.Select(row => row.Item2)]);
        Assert.All(rows.Zip(python), item =>
        {
            Assert.StartsWith("RFC ", item.First.Item1, StringComparison.Ordinal);
            Assert.Equal(item.First.Item3, item.Second);
            Assert.Equal(item.First.Item4, Ours(item.First.Item2));
        });
    }

    [Fact]
    public void They_read_the_same_from_words_of_all_kinds()
    {
        var texts = new HashSet<string>();
        var word = Gen.Select(Gen.Int[0, Charsets.Length - 1], Gen.Int[0, 7], Gen.String[Gen.Char["ab =?_\u00E4\u00DF\u20AC\"()"], 0, 8], Gen.Byte.Array[0, 6], Gen.Int[0, Between.Length - 1]).Select(Word);
        Gen.Select(Gen.Int[0, Between.Length - 1].Select(i => Between[i]), word.Array[1, 4], Gen.Int[0, 3], Gen.Int[0, 200], Gen.Char["=?_ BbQq*-AZ4"]).Sample(
            (start, words, how, where, any) =>
            {
                var text = (start + string.Concat(words)).TrimStart();
                if (how == 0 && text.Length > 0)
                {
                    where %= text.Length;
                    text = (text[..where] + any + text[(where + 1)..]).TrimStart();
                }

                lock (texts)
                {
                    texts.Add(text);
                }
            },
            iter: 4000);

        var inputs = texts.ToArray();
        var hidden = inputs.Select(Hide).ToArray();
        var python = AskPython([.. hidden.Select(item => item.Text)]);
        var different = Enumerable.Range(0, inputs.Length)
            .Where(i => python[i].Replace(Hidden, "=?", StringComparison.Ordinal) != Ours(inputs[i]))
            .Select(i => $"'{inputs[i]}': Python says '{python[i]}', we '{Ours(inputs[i])}'.")
            .ToList();
        Assert.True(different.Count == 0, $"{different.Count} of {inputs.Length}:\n{string.Join('\n', different.Take(20))}");
        Assert.InRange(hidden.Count(item => item.Words > 0), inputs.Length / 2, inputs.Length); // it was words that were compared
    }

    [Fact]
    public void A_blank_behind_what_only_begins_like_a_word_is_kept() =>
        Assert.Equal("a =? b", Ours("=?utf-8?Q?a?= =? =?utf-8?Q?b?="));

    private static string Word(int charset, int style, string text, byte[] bytes, int between)
    {
        var latin1 = Charsets[charset].StartsWith("iso", StringComparison.OrdinalIgnoreCase) || Charsets[charset] == "latin1";
        var data = style < 2 ? bytes : latin1 ? Encoding.Latin1.GetBytes(text) : Encoding.UTF8.GetBytes(text);
        var encoding = "BbQqBbQq"[style];
        return $"=?{Charsets[charset]}?{encoding}?{(encoding is 'B' or 'b' ? Convert.ToBase64String(data) : Quoted(data))}?={Between[between]}";
    }

    private static string Quoted(byte[] data) =>
        string.Concat(data.Select(b => char.IsAsciiLetterOrDigit((char)b) ? $"{(char)b}" : b == ' ' ? "_" : string.Create(CultureInfo.InvariantCulture, $"={b:X2}")));

    /// <summary>The text as Python has to see it, and how many words are left in it.</summary>
    private static (string Text, int Words) Hide(string text)
    {
        var seen = new StringBuilder();
        var words = 0;
        for (var at = 0; at < text.Length;)
        {
            var match = AnyWord().Match(text, at);
            if (text.AsSpan(at).StartsWith("=?") && match.Success && match.Index == at && Bytes(match) is { } bytes && IsText(match.Groups["charset"].Value, bytes))
            {
                words++;
                var charset = match.Groups["charset"].Value.Split('*')[0];
                seen.Append("=?").Append(charset.Equals("us-ascii", StringComparison.OrdinalIgnoreCase) ? "utf-8" : charset);
                seen.Append('?').Append(match.Groups["encoding"].Value).Append('?').Append(Plain(match.Groups["text"].Value)).Append("?=");
                at += match.Length;
            }
            else
            {
                var start = text.AsSpan(at).StartsWith("=?");
                seen.Append(start ? Hidden : text[at].ToString());
                at += start ? 2 : 1;
            }
        }

        return (seen.ToString(), words);
    }

    /// <summary>The word's bytes; null when they are not encoded as RFC 2047 4 says.</summary>
    private static byte[]? Bytes(Match word)
    {
        var text = word.Groups["text"].Value;
        if (word.Groups["encoding"].Value is "B" or "b")
        {
            return Base64Text().IsMatch(text) && Convert.FromBase64String(text) is var bytes && Convert.ToBase64String(bytes) == text ? bytes : null;
        }

        return QuotedText().IsMatch(text)
            ? Encoding.Latin1.GetBytes(Escape().Replace(Plain(text).Replace('_', ' '), escape => ((char)Convert.ToByte(escape.Groups[1].Value, 16)).ToString()))
            : null;
    }

    /// <summary>With what is not ASCII escaped.</summary>
    private static string Plain(string text) => string.Concat(Encoding.UTF8.GetBytes(text).Select(b => b < 0x80 ? $"{(char)b}" : string.Create(CultureInfo.InvariantCulture, $"={b:X2}")));

    private static bool IsText(string charset, byte[] bytes) => !bytes.Contains((byte)0) && charset.Split('*')[0].ToUpperInvariant() switch
    {
        "UTF-8" or "UTF8" or "US-ASCII" => Utf8.IsValid(bytes),
        "ISO-8859-1" or "LATIN1" => true,
        _ => false,
    };

    private static string Ours(string text)
    {
        var source = Encoding.UTF8.GetBytes(text);
        var decoded = new byte[EncodedWords.MaxDecodedLength(source.Length)];
        return EncodedWords.TryDecode(source, decoded, out var written) ? Encoding.UTF8.GetString(decoded, 0, written) : text;
    }

    private static string[] AskPython(string[] texts)
    {
        var start = new ProcessStartInfo("python3", ["-c", Script]) { RedirectStandardInput = true, RedirectStandardOutput = true, StandardOutputEncoding = Encoding.ASCII };
        Process python;
        try
        {
            python = Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            Assert.Skip("python3 is missing.");
            return [];
        }

        using (python)
        {
            var answers = python.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            foreach (var text in texts)
            {
                python.StandardInput.WriteLine(Convert.ToHexString(Encoding.UTF8.GetBytes(text)));
            }

            python.StandardInput.Close();
            var lines = answers.GetAwaiter().GetResult().Split('\n');
            python.WaitForExit();
            Assert.Equal((0, texts.Length + 1), (python.ExitCode, lines.Length));
            return [.. lines[..^1].Select(line => line == Refused ? line : Encoding.UTF8.GetString(Convert.FromHexString(line)))];
        }
    }

    [GeneratedRegex(@"=\?(?<charset>[^?]*)\?(?<encoding>[BbQq])\?(?<text>.*?)\?=", RegexOptions.Singleline)]
    private static partial Regex AnyWord();

    [GeneratedRegex(@"\A(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\z")]
    private static partial Regex Base64Text();

    [GeneratedRegex(@"\A(?:[^=]|=[0-9A-Fa-f]{2})*\z")]
    private static partial Regex QuotedText();

    [GeneratedRegex("=([0-9A-Fa-f]{2})")]
    private static partial Regex Escape();
}
