using Spectre.Console;

namespace FastListener.Cli;

/// <summary>
/// Rows under headings: a table on a terminal; elsewhere lines with a tab between the columns, headings first, nothing
/// cut short, so that <c>cut</c> and <c>awk</c> can read them. Escapes whatever it prints.
/// </summary>
internal sealed class Listing(Terminal terminal, params string[] headings)
{
    private Table? _table;
    private bool _begun;

    /// <summary>Adds a row; a cell may give a terminal a shorter text than a pipe.</summary>
    public void Add(params Cell[] cells)
    {
        Begin();
        if (_table is null)
        {
            terminal.Out.WriteLine(string.Join('\t', cells.Select(cell => TerminalText.Escape(cell.Plain))));
        }
        else
        {
            _table.AddRow(cells.Select(cell => new Text(TerminalText.Escape(cell.OnTerminal))));
        }
    }

    /// <summary>Draws the table. On a pipe the rows are out already.</summary>
    public void End()
    {
        Begin();
        if (_table is not null)
        {
            terminal.RichOutput!.Write(_table);
        }
    }

    private void Begin()
    {
        if (_begun)
        {
            return;
        }

        _begun = true;
        if (!terminal.OutputIsTerminal)
        {
            terminal.Out.WriteLine(string.Join('\t', headings));
            return;
        }

        _table = new Table { Border = TableBorder.Minimal };
        foreach (var heading in headings)
        {
            _table.AddColumn(new TableColumn(new Text(heading, new Style(decoration: Decoration.Bold))));
        }
    }

    internal readonly record struct Cell(string Plain, string OnTerminal)
    {
        public static implicit operator Cell(string text) => new(text, text);
    }
}
