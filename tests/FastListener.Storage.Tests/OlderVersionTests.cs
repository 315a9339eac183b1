using System.Runtime.CompilerServices;
using System.Text;

namespace FastListener.Storage.Tests;

/// <summary>
/// Data directories that older versions of the catalog left behind, one after a clean end and one after a kill (its catalog still in the write-ahead log,
/// its pack not ended). Made by the programs as they were then, and what is expected of versions 2 and 3 was written by their readers; never made anew.
/// </summary>
public sealed class OlderVersionTests : IDisposable
{
    private readonly DataDirectory _data = new();

    /// <summary>Directory, version of its catalog, objects, payloads, how many of these were given up.</summary>
    public static TheoryData<string, int, int, int, int> Directories => new()
    {
        { "Version1/ended", 1, 3, 7, 0 },
        { "Version1/killed", 1, 3, 7, 0 },
        { "Version2/ended", 2, 4, 8, 1 },
        { "Version2/killed", 2, 4, 8, 1 },
        { "Version3/ended", 3, 4, 8, 1 },
        { "Version3/killed", 3, 4, 8, 1 },
    };

    public void Dispose() => _data.Dispose();

    [Theory]
    [MemberData(nameof(Directories))]
    public void A_directory_of_an_older_version_can_be_read_and_verified_as_it_is(string name, int version, int objects, int payloads, int omitted)
    {
        CopyFixture(name);
        Assert.Equal(Expected(name), Listing(version));
        var report = Verification.Run(_data.Path);
        Assert.True(report.IsClean, string.Join("; ", report.Damaged));
        Assert.Equal((objects, payloads, omitted), (report.Objects, report.Payloads, report.Omitted));
        using var reader = StoreReader.Open(_data.Path);
        Assert.Equal(version, reader.Catalog.Version);
        Assert.All(reader.All(), o => Assert.True(version > 1 || (o.Account, o.WireBytes, o.Degradation) == (null, 0, Degradation.None)));
    }

    [Theory]
    [MemberData(nameof(Directories))]
    public async Task The_first_start_migrates_it_and_loses_nothing(string name, int version, int objects, int payloads, int omitted)
    {
        CopyFixture(name);
        Sent sent;
        await using (var store = await _data.OpenAsync())
        {
            Assert.Equal(Expected(name), Listing(version));
            sent = await store.SubmitAsync(StoreActions.Bytes(3000));
            await store.AttachAsync(1, "late", StoreActions.Bytes(10));
        }

        Scenario.AssertKept(_data.Path, [sent], []);
        using var reader = StoreReader.Open(_data.Path);
        Assert.Equal(Catalog.CatalogSchema.Version, reader.Catalog.Version);
        Assert.Equal(objects + 1, reader.List(new()).Count());
        Assert.Equal(6, reader.Find(ObjectReference.ForId(1))!.Payloads.Count);
        Assert.Equal(3, Directory.GetFiles(_data.Path + "/packs").Length); // what an older version wrote is not written any further
        var report = Verification.Run(_data.Path);
        Assert.True(report.IsClean, string.Join("; ", report.Damaged));
        Assert.Equal((payloads + 2, omitted), (report.Payloads, report.Omitted));
        var audit = Audit.Run(_data.Path);
        Assert.True(audit.IsClean, string.Join("; ", audit.Differences));
        Assert.Equal((2, objects + 2), (audit.Received, audit.Unbooked)); // nothing is claimed about what was stored before there was a ledger
    }

    [Theory]
    [MemberData(nameof(Directories))]
    public async Task Its_packs_can_be_salvaged_also_after_newer_ones_were_added(string name, int version, int objects, int payloads, int omitted)
    {
        CopyFixture(name);
        var late = 2;
        if (name.EndsWith("ended", StringComparison.Ordinal))
        {
            await using var store = await _data.OpenAsync();
            await store.SubmitAsync(StoreActions.Bytes(3000));
            objects++;
            payloads++;
        }

        var before = Listing(version);
        Delete("catalog.db", "catalog.db-wal", "catalog.db-shm");
        var salvage = Salvage.Run(_data.Path);
        Assert.Equal((objects, late), (salvage.Objects, salvage.LateAttachments));
        Assert.Equal(before, Listing(version));
        var report = Verification.Run(_data.Path);
        Assert.True(report.IsClean, string.Join("; ", report.Damaged));
        Assert.Equal((payloads, omitted), (report.Payloads, report.Omitted));
    }

    [Theory]
    [InlineData("Version1/killed")]
    [InlineData("Version2/killed")]
    [InlineData("Version3/killed")]
    public void A_backup_of_it_is_a_store_of_the_present_version(string name)
    {
        CopyFixture(name);
        var copy = _data.Path + "/backup";
        Backup.Run(_data.Path, copy);
        using var reader = StoreReader.Open(copy);
        Assert.Equal(Catalog.CatalogSchema.Version, reader.Catalog.Version);
        Assert.True(Verification.Run(copy).IsClean);
    }

    [Fact]
    public void A_record_of_a_version_to_come_is_not_guessed_at()
    {
        var bytes = new byte[100];
        bytes[16] = Packs.PackLayout.ObjectRecord;
        bytes[17] = Packs.PackLayout.RecordVersion + 1;
        Packs.PackLayout.Seal(bytes);
        Assert.Throws<InvalidDataException>(() => Packs.StoredRecord.Parse(bytes, default));
    }

    private static string Fixtures([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;

    private static string Expected(string name) => File.ReadAllText(Path.Combine(Fixtures(), name + ".txt"));

    private void CopyFixture(string name)
    {
        var source = Path.Combine(Fixtures(), name);
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var target = _data.Path + file[source.Length..];
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    private void Delete(params string[] names)
    {
        foreach (var name in names)
        {
            File.Delete(Path.Combine(_data.Path, name));
        }
    }

    /// <summary>Every object in words: with its account from version 2 on, as before nobody counted.</summary>
    private string Listing(int version)
    {
        using var reader = StoreReader.Open(_data.Path);
        var text = new StringBuilder();
        foreach (var o in reader.All())
        {
            text.AppendLine($"{o.Rxid} {o.Universe}/{o.Project} {o.Format} {o.ReceivedAt:O} {o.CommittedAt:O} {o.ClientAddress} {o.PayloadCount} {o.PayloadBytes}");
            if (version > 1)
            {
                text.AppendLine($"  from {o.Account} {o.WireBytes} {o.Degradation} {o.DegradedReason}".TrimEnd());
            }

            foreach (var a in o.Attributes)
            {
                text.AppendLine($"  {a.Source} {a.Name}={a.Value}");
            }

            foreach (var note in o.Notes)
            {
                text.AppendLine($"  note {note}");
            }

            foreach (var p in o.Payloads)
            {
                text.AppendLine($"  {p.Index} {p.Kind} {p.Name} {p.FileName} {p.ContentType} {p.Size} {p.Checksum} {p.AddedAt:O} {p.Location}{p.OmittedReason}");
            }
        }

        return text.ToString();
    }
}
