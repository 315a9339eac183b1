using System.Globalization;

namespace FastListener.Storage.Catalog;

/// <summary>
/// The catalog's shape and how it came to it. Version n is reached from n - 1 by <c>Steps[n - 1]</c>, in one transaction. A step that has
/// been released is never changed: append a new one.
/// </summary>
internal static class CatalogSchema
{
    /// <summary>The first version that has a ledger.</summary>
    public const int LedgerVersion = 4;

    private const long ApplicationId = 0x464C_5354; // "FLST"

    private static readonly string[] Steps =
    [
        """
        CREATE TABLE counters(name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
        INSERT INTO counters VALUES('object', 1), ('pack', 1);
        CREATE TABLE instances(id INTEGER PRIMARY KEY, started_at INTEGER NOT NULL);
        CREATE TABLE projects(id INTEGER PRIMARY KEY, universe TEXT NOT NULL, project TEXT NOT NULL, UNIQUE(universe, project));
        CREATE TABLE packs(id INTEGER PRIMARY KEY, instance INTEGER NOT NULL, committed_end INTEGER NOT NULL, is_open INTEGER NOT NULL);
        CREATE TABLE objects(
          id INTEGER PRIMARY KEY, random INTEGER NOT NULL, project_id INTEGER NOT NULL, format INTEGER NOT NULL, flags INTEGER NOT NULL,
          received_at INTEGER NOT NULL, committed_at INTEGER NOT NULL, client BLOB NOT NULL,
          pack INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL,
          payload_count INTEGER NOT NULL, payload_bytes INTEGER NOT NULL, payloads BLOB NOT NULL, signature BLOB NOT NULL);
        CREATE INDEX objects_by_time ON objects(received_at, project_id);
        CREATE TABLE attachments(
          object_id INTEGER NOT NULL, first_index INTEGER NOT NULL, payload_count INTEGER NOT NULL, flags INTEGER NOT NULL, committed_at INTEGER NOT NULL,
          pack INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL, payloads BLOB NOT NULL,
          PRIMARY KEY(object_id, first_index)) WITHOUT ROWID;
        CREATE TABLE files(name TEXT PRIMARY KEY, object_id INTEGER NOT NULL, size INTEGER NOT NULL) WITHOUT ROWID;
        """,

        // Who sent what, how much of it came, how much was kept. Account 0: from before anybody counted. hour: Unix time / 3,600.
        """
        CREATE TABLE accounts(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
        ALTER TABLE objects ADD COLUMN account_id INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE objects ADD COLUMN wire_bytes INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE objects ADD COLUMN kept_bytes INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE objects ADD COLUMN degraded TEXT NOT NULL DEFAULT '';
        ALTER TABLE attachments ADD COLUMN account_id INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE attachments ADD COLUMN wire_bytes INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE attachments ADD COLUMN kept_bytes INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE attachments ADD COLUMN degraded TEXT NOT NULL DEFAULT '';
        CREATE TABLE ledger(
          hour INTEGER NOT NULL, instance INTEGER NOT NULL, account_id INTEGER NOT NULL, outcome TEXT NOT NULL,
          requests INTEGER NOT NULL, bytes_in INTEGER NOT NULL, bytes_kept INTEGER NOT NULL,
          PRIMARY KEY(hour, instance, account_id, outcome)) WITHOUT ROWID;
        """,

        // Everything in a pack before synced_end was durable before what lies between it and committed_end was committed.
        """
        ALTER TABLE packs ADD COLUMN synced_end INTEGER NOT NULL DEFAULT 0;
        UPDATE packs SET synced_end=committed_end;
        """,

        // The ledger: one row holds what was received and what became of it, counted apart. Of records before unbooked_end nothing is booked.
        """
        DROP TABLE ledger;
        CREATE TABLE ledger(
          hour INTEGER NOT NULL, account_id INTEGER NOT NULL, outcome TEXT NOT NULL, received INTEGER NOT NULL, received_bytes INTEGER NOT NULL,
          requests INTEGER NOT NULL, bytes_in INTEGER NOT NULL, bytes_kept INTEGER NOT NULL,
          PRIMARY KEY(hour, account_id, outcome)) WITHOUT ROWID;
        ALTER TABLE instances ADD COLUMN ledger_transaction INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE packs ADD COLUMN unbooked_end INTEGER NOT NULL DEFAULT 0;
        UPDATE packs SET unbooked_end=committed_end;
        """,
    ];

    /// <summary>The version this program writes.</summary>
    public static int Version => Steps.Length;

    /// <summary>Creates or migrates. Refuses a catalog that is not ours or newer than this program.</summary>
    public static void Prepare(CatalogConnection connection)
    {
        connection.Execute("BEGIN IMMEDIATE");
        try
        {
            var version = Check(connection);
            for (var next = version; next < Steps.Length; next++)
            {
                connection.Execute(Steps[next]);
            }

            if (version < Steps.Length)
            {
                connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version={Steps.Length}; PRAGMA application_id={ApplicationId}"));
            }

            connection.Execute("COMMIT");
        }
        catch
        {
            connection.Rollback();
            throw;
        }
    }

    /// <summary>Throws unless a reader of this version can read the catalog; returns its version, 0 for an empty file.</summary>
    public static int Check(CatalogConnection connection)
    {
        var version = (int)connection.Scalar("PRAGMA user_version");
        if (version > Steps.Length)
        {
            throw new StoreUnusableException($"The catalog {connection.Path} has format {version}; this version of the program knows formats up to {Steps.Length}.");
        }

        if (version > 0 && connection.Scalar("PRAGMA application_id") != ApplicationId)
        {
            throw new StoreUnusableException($"{connection.Path} is a database, but not a FastListener catalog.");
        }

        return version;
    }
}
