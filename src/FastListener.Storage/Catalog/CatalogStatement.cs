using SQLitePCL;

namespace FastListener.Storage.Catalog;

/// <summary>A prepared statement: bind, step, read columns, reset. Spans read from columns live until the next step or reset.</summary>
internal sealed class CatalogStatement : IDisposable
{
    private readonly CatalogConnection _connection;
    private readonly sqlite3_stmt _statement;

    internal CatalogStatement(CatalogConnection connection, sqlite3_stmt statement)
    {
        _connection = connection;
        _statement = statement;
    }

    public CatalogStatement Bind(int index, long value)
    {
        _connection.Check(raw.sqlite3_bind_int64(_statement, index, value), "bind");
        return this;
    }

    public CatalogStatement BindBlob(int index, ReadOnlySpan<byte> value)
    {
        _connection.Check(value.IsEmpty ? raw.sqlite3_bind_zeroblob(_statement, index, 0) : raw.sqlite3_bind_blob(_statement, index, value), "bind");
        return this;
    }

    public CatalogStatement BindText(int index, ReadOnlySpan<byte> utf8)
    {
        _connection.Check(utf8.IsEmpty ? raw.sqlite3_bind_text(_statement, index, string.Empty) : raw.sqlite3_bind_text(_statement, index, utf8), "bind");
        return this;
    }

    public CatalogStatement BindText(int index, string value)
    {
        _connection.Check(raw.sqlite3_bind_text(_statement, index, value), "bind");
        return this;
    }

    /// <summary>True on a row, false at the end.</summary>
    public bool Step()
    {
        var result = raw.sqlite3_step(_statement);
        if (result == raw.SQLITE_ROW)
        {
            return true;
        }

        _connection.Check(result, "step");
        return false;
    }

    public void Reset()
    {
        _ = raw.sqlite3_reset(_statement); // repeats the error that Step has already reported
    }

    /// <summary>Runs a statement that gives no rows.</summary>
    public void Run()
    {
        try
        {
            while (Step())
            {
            }
        }
        finally
        {
            Reset();
        }
    }

    public long Int64(int column) => raw.sqlite3_column_int64(_statement, column);

    public int Int32(int column) => raw.sqlite3_column_int(_statement, column);

    public ReadOnlySpan<byte> Blob(int column) => raw.sqlite3_column_blob(_statement, column);

    public string Text(int column) => raw.sqlite3_column_text(_statement, column).utf8_to_string() ?? string.Empty;

    public void Dispose() => _statement.Dispose();
}
