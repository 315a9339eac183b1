using System.Runtime.CompilerServices;
using System.Text;

namespace FastListener.Storage.Tests;

/// <summary>
/// Data directories that version 1 of the format left behind, one after a clean end and one after a kill (its catalog still in the write-ahead log,
/// its pack not ended). Made by the program as it was then; never made anew.
/// </summary>
public sealed class OlderVersionTests : IDisposable
{
    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Theory]
    [InlineData("ended")]
    [InlineData("killed")]
    public void A_directory_of_version_1_can_be_read_and_verified_as_it_is(string name)
    {
        CopyFixture(name);
        Assert.Equal(Expected(name), Listing());
        var report = Verification.Run(_data.Path);
        Assert.True(report.IsClean, string.Join("; ", report.Damaged));
        Assert.Equal((3, 7, 0), (report.Objects, report.Payloads, report.Omitted));
        using var reader = StoreReader.Open(_data.Path);
        Assert.Equal(1, reader.Catalog.Version);
        Assert.All(reader.All(), o => Assert.Equal((null, 0, Degradation.None), (o.Account, o.WireBytes, o.Degradation)));
    }

    [Theory]
    [InlineData("ended")]
    [InlineData("killed")]
    public async Task The_first_start_migrates_it_and_loses_nothing(string name)
    {
        CopyFixture(name);
        Sent sent;
        await using (var store = await _data.OpenAsync())
        {
            Assert.Equal(Expected(name), Listing());
            sent = await store.SubmitAsync(StoreActions.Bytes(3000));
            await store.AttachAsync(1, "late", StoreActions.Bytes(10));
        }

        Scenario.AssertKept(_data.Path, [sent], []);
        using var reader = StoreReader.Open(_data.Path);
        Assert.Equal(Catalog.CatalogSchema.Version, reader.Catalog.Version);
        Assert.Equal(4, reader.List(new()).Count());
        Assert.Equal(6, reader.Find(ObjectReference.ForId(1))!.Payloads.Count);
        Assert.Equal(3, Directory.GetFiles(_data.Path + "/packs").Length); // what version 1 wrote is not written any further
    }

    [Theory]
    [InlineData("ended")]
    [InlineData("killed")]
    public async Task Its_packs_can_be_salvaged_also_after_newer_ones_were_added(string name)
    {
        CopyFixture(name);
        var (objects, late) = (3, 2);
        if (name == "ended")
        {
            await using var store = await _data.OpenAsync();
            await store.SubmitAsync(StoreActions.Bytes(3000));
            objects++;
        }

        var before = Listing();
        Delete("catalog.db", "catalog.db-wal", "catalog.db-shm");
        var report = Salvage.Run(_data.Path);
        Assert.Equal((objects, late), (report.Objects, report.LateAttachments));
        Assert.Equal(before, Listing());
        Assert.True(Verification.Run(_data.Path).IsClean);
    }

    [Fact]
    public void A_backup_of_it_is_a_store_of_the_present_version()
    {
        CopyFixture("killed");
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

    private static string Fixtures([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "Version1");

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

    private string Listing()
    {
        using var reader = StoreReader.Open(_data.Path);
        var text = new StringBuilder();
        foreach (var o in reader.All())
        {
            text.AppendLine($"{o.Rxid} {o.Universe}/{o.Project} {o.Format} {o.ReceivedAt:O} {o.CommittedAt:O} {o.ClientAddress} {o.PayloadCount} {o.PayloadBytes}");
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
                text.AppendLine($"  {p.Index} {p.Kind} {p.Name} {p.FileName} {p.ContentType} {p.Size} {p.Checksum} {p.AddedAt:O} {p.Location}");
            }
        }

        return text.ToString();
    }
}
