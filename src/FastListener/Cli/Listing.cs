using Spectre.Console;

namespace FastListener.Cli;

/// <summary>
/// Rows under headings: a table on a terminal; elsewhere lines with a tab between the columns, headings first, nothing
/// cut short, so that <c>cut</c> and <c>awk</c> can read them. Escapes whatever it prints.
/// </summary>
/// <remarks>
/// On a terminal only cells of text are ever broken; ids, checksums and times stay whole, so that they can be copied. Where that leaves no
/// room, columns that can be spared are left out, and where there are none, each row is written as lines of its own.
/// </remarks>
internal sealed class Listing(Terminal terminal, params Listing.Column[] columns)
{
    private readonly List<string[]> _rows = []; // of a terminal: what was printed to a pipe is gone
    private bool _begun;

    /// <summary>Adds a row; a cell may give a terminal another text than a pipe.</summary>
    public void Add(params Cell[] cells)
    {
        Begin();
        if (terminal.OutputIsTerminal)
        {
            _rows.Add([.. cells.Select(cell => TerminalText.Escape(cell.OnTerminal))]);
        }
        else
        {
            terminal.Out.WriteLine(string.Join('\t', cells.Select(cell => TerminalText.Escape(cell.Plain))));
        }
    }

    /// <summary>Draws the table. On a pipe the rows are out already.</summary>
    public void End()
    {
        Begin();
        if (terminal.RichOutput is not { } console)
        {
            return;
        }

        int[] shown = [.. Enumerable.Range(0, columns.Length)];
        while (LeastWidth(shown) > console.Profile.Width && shown.Max(i => columns[i].Spare) is var spare and > 0)
        {
            shown = [.. shown.Where(i => columns[i].Spare != spare)];
        }

        if (LeastWidth(shown) > console.Profile.Width)
        {
            WriteBlocks();
            return;
        }

        console.Write(Draw(shown, Widths(shown, console.Profile.Width)));
        if (shown.Length < columns.Length)
        {
            var missing = Enumerable.Range(0, columns.Length).Except(shown).Select(i => columns[i].Heading);
            terminal.Out.WriteLine($"Left out for want of room: {string.Join(", ", missing)}. --json has them.");
        }
    }

    private void Begin()
    {
        if (!_begun && !terminal.OutputIsTerminal)
        {
            terminal.Out.WriteLine(string.Join('\t', columns.Select(column => column.Heading)));
        }

        _begun = true;
    }

    private Table Draw(int[] shown, int[] widths)
    {
        var table = new Table { Border = TableBorder.Minimal };
        foreach (var (i, width) in shown.Zip(widths))
        {
            table.AddColumn(new TableColumn(new Text(columns[i].Heading, new Style(decoration: Decoration.Bold))) { Width = width });
        }

        foreach (var row in _rows)
        {
            table.AddRow(shown.Select(i => new Text(row[i])));
        }

        return table;
    }

    /// <summary>Each row as a block, a line for each cell that is not empty.</summary>
    private void WriteBlocks()
    {
        var label = columns.Max(column => column.Heading.Length);
        foreach (var (n, row) in _rows.Index())
        {
            if (n > 0)
            {
                terminal.Out.WriteLine();
            }

            foreach (var (i, text) in row.Index().Where(cell => cell.Item.Length > 0))
            {
                terminal.Out.WriteLine($"{columns[i].Heading.PadRight(label)}  {text}");
            }
        }
    }

    /// <summary>What each column gets: the least, and its share of the room that is left, as far as it has a use for it.</summary>
    private int[] Widths(int[] shown, int room)
    {
        int[] widths = [.. shown.Select(LeastWidth)];
        int[] wanted = [.. shown.Select(WholeWidth)];
        var left = Math.Min(room - LeastWidth(shown), wanted.Sum() - widths.Sum());
        for (var i = 0; left > 0; i = (i + 1) % widths.Length)
        {
            if (widths[i] < wanted[i])
            {
                widths[i]++;
                left--;
            }
        }

        return widths;
    }

    /// <summary>The cells, a space on either side of each, and the lines between and around them.</summary>
    private int LeastWidth(int[] shown) => shown.Sum(LeastWidth) + (3 * shown.Length) + 1;

    private int LeastWidth(int column) =>
        Math.Max(columns[column].Heading.Length, columns[column].Breaks is var least and > 0 ? Math.Min(WholeWidth(column), least) : WholeWidth(column));

    private int WholeWidth(int column) => _rows.Select(row => row[column].GetCellWidth()).Append(columns[column].Heading.Length).Max();

    /// <param name="Heading">What stands above it.</param>
    /// <param name="Breaks">More than 0 for text, which may be broken into lines of at least so many characters.</param>
    /// <param name="Spare">More than 0 for a column that a narrow terminal may do without; the highest goes first.</param>
    internal readonly record struct Column(string Heading, int Breaks = 0, int Spare = 0)
    {
        public static implicit operator Column(string heading) => new(heading);
    }

    internal readonly record struct Cell(string Plain, string OnTerminal)
    {
        public static implicit operator Cell(string text) => new(text, text);
    }
}
