using System.Net;

namespace FastListener.Storage.Catalog;

/// <summary>
/// Questions to the catalog. Each one reads its rows in pages, a short read transaction each, because a long one would keep the writer's log from
/// being emptied. One thread at a time.
/// </summary>
internal sealed class CatalogReader : IDisposable
{
    private const int PageRows = 512;
    private const int PageBytes = 1024 * 1024;
    private const string Columns =
        "id, random, project_id, format, flags, received_at, committed_at, client, pack, offset, length, payload_count, payload_bytes, payloads, signature, ";

    private const string LateColumns = "object_id, first_index, payload_count, flags, committed_at, pack, offset, length, payloads, ";
    private const string ChargeColumns = "account_id, wire_bytes, kept_bytes, degraded";
    private const string NoChargeColumns = "0, 0, 0, ''"; // version 1 has none

    private readonly CatalogStatement _byId;
    private readonly CatalogStatement _lastId;
    private readonly CatalogStatement _newest;
    private readonly CatalogStatement _oldest;
    private readonly CatalogStatement _attachments;
    private readonly CatalogStatement _late;
    private readonly CatalogStatement _projects;
    private readonly CatalogStatement? _accounts;
    private Dictionary<int, (string Universe, string Project)> _names = [];
    private Dictionary<int, string> _keys = [];

    private CatalogReader(CatalogConnection connection, int version)
    {
        Connection = connection;
        Version = version;
        var charge = version >= 2 ? ChargeColumns : NoChargeColumns;
        _byId = connection.Prepare($"SELECT {Columns}{charge} FROM objects WHERE id=?");
        _lastId = connection.Prepare("SELECT max(id) FROM objects");
        _newest = connection.Prepare(
            "SELECT received_at, project_id, id FROM objects INDEXED BY objects_by_time WHERE received_at>=? AND received_at<=? AND (received_at, project_id, id)<(?,?,?) "
            + "ORDER BY received_at DESC, project_id DESC, id DESC LIMIT ?");
        _oldest = connection.Prepare($"SELECT {Columns}{charge} FROM objects WHERE id>? ORDER BY id LIMIT ?");
        _attachments = connection.Prepare(
            $"SELECT {LateColumns}{charge} FROM attachments WHERE object_id=? ORDER BY first_index");
        _late = connection.Prepare(
            $"SELECT {LateColumns}{charge} FROM attachments WHERE (object_id, first_index)>(?,?) ORDER BY object_id, first_index LIMIT ?");
        _projects = connection.Prepare("SELECT id, universe, project FROM projects");
        _accounts = version >= 2 ? connection.Prepare("SELECT id, key FROM accounts") : null;
    }

    public CatalogConnection Connection { get; }

    /// <summary>The catalog's version when it was opened. An older one can be read; the next server on it brings it up to date.</summary>
    public int Version { get; }

    public static CatalogReader Open(string path) => Open(path, CatalogConnection.OpenForReading(path));

    /// <summary>The same for a connection, which becomes the reader's.</summary>
    public static CatalogReader Open(string path, CatalogConnection connection)
    {
        try
        {
            var version = CatalogSchema.Check(connection);
            if (version == 0)
            {
                throw new StoreUnusableException($"The catalog {path} is empty: start the server on it once.");
            }

            return new(connection, version);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The object's row; null when there is none.</summary>
    public CatalogRow? ById(long id)
    {
        try
        {
            return _byId.Bind(1, id).Step() ? Row(_byId) : null;
        }
        finally
        {
            _byId.Reset();
        }
    }

    /// <summary>The object all of the reference fits.</summary>
    public bool TryResolve(ObjectReference reference, out long id, out int projectId)
    {
        projectId = 0;
        var last = LastId();
        for (id = reference.NextCandidate(1, last); id > 0; id = reference.NextCandidate(id + 1, last))
        {
            try
            {
                if (_byId.Bind(1, id).Step() && reference.Matches(id, (uint)_byId.Int64(1)))
                {
                    projectId = _byId.Int32(2);
                    return true;
                }
            }
            finally
            {
                _byId.Reset();
            }
        }

        id = 0;
        return false;
    }

    /// <summary>Ids and projects from the newest received to the oldest, not older than <paramref name="since"/>.</summary>
    public IEnumerable<(long Id, int ProjectId)> NewestFirst(long since)
    {
        var page = new List<(long Id, int ProjectId)>(PageRows);
        var (received, project, id) = (long.MaxValue, long.MaxValue, long.MaxValue);
        do
        {
            page.Clear();
            try
            {
                _newest.Bind(1, since).Bind(2, received).Bind(3, received).Bind(4, project).Bind(5, id).Bind(6, PageRows);
                while (_newest.Step())
                {
                    (received, project, id) = (_newest.Int64(0), _newest.Int64(1), _newest.Int64(2));
                    page.Add((id, (int)project));
                }
            }
            finally
            {
                _newest.Reset();
            }

            foreach (var found in page)
            {
                yield return found;
            }
        }
        while (page.Count == PageRows);
    }

    /// <summary>Every row, by id.</summary>
    public IEnumerable<CatalogRow> All()
    {
        var page = new List<CatalogRow>(PageRows);
        long last = 0;
        while (ReadPage(last, page))
        {
            foreach (var row in page)
            {
                last = row.Numbers.Id;
                yield return row;
            }
        }
    }

    /// <summary>Replaces the page by the next rows after an id; false when there are none. However large rows are, a page is not.</summary>
    public bool ReadPage(long after, List<CatalogRow> page)
    {
        page.Clear();
        try
        {
            _oldest.Bind(1, after).Bind(2, PageRows);
            for (var bytes = 0; bytes < PageBytes && _oldest.Step();)
            {
                var row = Row(_oldest);
                page.Add(row);
                bytes += row.Table.Length + row.Signature.Length;
            }
        }
        finally
        {
            _oldest.Reset();
        }

        return page.Count > 0;
    }

    /// <summary>The same for late attachments, by object and index.</summary>
    public bool ReadPage(long afterObject, int afterIndex, List<LateRow> page)
    {
        page.Clear();
        try
        {
            _late.Bind(1, afterObject).Bind(2, afterIndex).Bind(3, PageRows);
            for (var bytes = 0; bytes < PageBytes && _late.Step();)
            {
                var row = Late(_late);
                page.Add(row);
                bytes += row.Table.Length;
            }
        }
        finally
        {
            _late.Reset();
        }

        return page.Count > 0;
    }

    /// <summary>An object's late attachments, in order.</summary>
    public List<LateRow> LateAttachments(long objectId)
    {
        var rows = new List<LateRow>();
        try
        {
            _attachments.Bind(1, objectId);
            while (_attachments.Step())
            {
                rows.Add(Late(_attachments));
            }
        }
        finally
        {
            _attachments.Reset();
        }

        return rows;
    }

    /// <summary>Universe and project of a project id.</summary>
    public (string Universe, string Project) ProjectNames(int id)
    {
        if (!_names.TryGetValue(id, out var names))
        {
            _names = AllProjects();
            _names.TryGetValue(id, out names);
        }

        return (names.Universe ?? string.Empty, names.Project ?? string.Empty);
    }

    public Dictionary<int, (string Universe, string Project)> AllProjects()
    {
        var projects = new Dictionary<int, (string, string)>();
        try
        {
            while (_projects.Step())
            {
                projects.Add(_projects.Int32(0), (_projects.Text(1), _projects.Text(2)));
            }
        }
        finally
        {
            _projects.Reset();
        }

        return projects;
    }

    /// <summary>The key of an account id; null for 0, which stands for no count.</summary>
    public string? AccountKey(int id)
    {
        if (id != 0 && !_keys.ContainsKey(id))
        {
            _keys = AllAccounts();
        }

        return _keys.GetValueOrDefault(id);
    }

    public Dictionary<int, string> AllAccounts()
    {
        var accounts = new Dictionary<int, string>();
        try
        {
            while (_accounts?.Step() == true)
            {
                accounts.Add(_accounts.Int32(0), _accounts.Text(1));
            }
        }
        finally
        {
            _accounts?.Reset();
        }

        return accounts;
    }

    public void Dispose() => Connection.Dispose();

    private long LastId()
    {
        try
        {
            return _lastId.Step() ? _lastId.Int64(0) : 0;
        }
        finally
        {
            _lastId.Reset();
        }
    }

    private static CatalogRow Row(CatalogStatement row) => new(
        new ObjectRow(
            row.Int64(0), (uint)row.Int64(1), row.Int32(2), (byte)row.Int32(3), row.Int32(4), row.Int64(5), row.Int64(6),
            new(row.Int64(8), row.Int64(9), row.Int64(10)), row.Int32(11), row.Int64(12)),
        row.Blob(7).ToArray(),
        row.Blob(13).ToArray(),
        row.Blob(14).ToArray(),
        new(row.Int32(15), row.Int64(16), row.Int64(17)),
        row.Text(18));

    private static LateRow Late(CatalogStatement row) => new(
        row.Int64(0), row.Int32(1), row.Int32(2), row.Int32(3), row.Int64(4), new(row.Int64(5), row.Int64(6), row.Int64(7)), row.Blob(8).ToArray(),
        new(row.Int32(9), row.Int64(10), row.Int64(11)), row.Text(12));
}

/// <summary>An object's row.</summary>
internal sealed record CatalogRow(ObjectRow Numbers, byte[] Client, byte[] Table, byte[] Signature, Charge Charge, string DegradedReason)
{
    public Degradation Degradation => ObjectRow.DegradationOf(Numbers.Flags);

    public IPAddress? ClientAddress => Client.Length is 4 or 16 ? new IPAddress(Client) : null;

    public bool Unconfirmed => (Numbers.Flags & ObjectRow.Unconfirmed) != 0;
}

/// <summary>A late attachment's row.</summary>
internal sealed record LateRow(long ObjectId, int FirstIndex, int Count, int Flags, long CommittedAt, RecordPlace Place, byte[] Table, Charge Charge, string DegradedReason)
{
    public Degradation Degradation => ObjectRow.DegradationOf(Flags);
}
