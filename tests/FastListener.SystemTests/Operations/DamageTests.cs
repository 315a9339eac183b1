using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Operations;

/// <summary>Bytes that rot and catalogs that vanish: found out, and brought back.</summary>
public sealed class DamageTests
{
    [Fact]
    public async Task Verify_finds_one_wrong_byte_in_a_pack_and_in_a_file()
    {
        using var data = new DataDirectory();
        await FillAsync(data);
        (await data.VerifyAsync()).Expect();
        foreach (var folder in new[] { "packs", "files" })
        {
            var path = Directory.GetFiles(Path.Combine(data.Location, folder), "*", SearchOption.AllDirectories)
                .First(file => IndexOfDump(File.ReadAllBytes(file)) >= 0);
            var good = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
            var bad = (byte[])good.Clone();
            bad[IndexOfDump(bad) + 1000] ^= 1;
            await File.WriteAllBytesAsync(path, bad, TestContext.Current.CancellationToken);
            Assert.Equal(1, (await data.VerifyAsync()).ExitCode);
            await File.WriteAllBytesAsync(path, good, TestContext.Current.CancellationToken);
            (await data.VerifyAsync()).Expect();
        }
    }

    [Fact]
    public async Task Salvage_brings_back_everything_after_the_catalog_was_lost()
    {
        using var data = new DataDirectory();
        var kept = await FillAsync(data);
        foreach (var file in Directory.GetFiles(data.Location, "catalog.db*"))
        {
            File.Delete(file);
        }

        (await Command.FastListenerAsync("salvage", "--data", data.Location)).Expect();
        (await data.VerifyAsync()).Expect();
        (await data.AuditAsync()).Expect();
        var stored = (await data.ListAsync()).ToDictionary(item => item.Rxid);
        var exported = await data.ExportAllAsync();
        Assert.Equal(kept.Keys.Order(), stored.Keys.Order());
        foreach (var (rxid, (hash, attempt, attachments)) in kept)
        {
            Assert.Equal(hash, exported.ReportHash(rxid));
            Assert.Equal(attempt, stored[rxid].Attributes["n"]);
            Assert.Equal(attachments.Order(StringComparer.Ordinal), exported.AttachmentHashes(rxid));
        }

        await using var again = await ListenerProcess.StartAsync(data.Location);
        Assert.Equal(kept.Count, (await data.ListAsync()).Count);
    }

    [Fact]
    public async Task Salvage_that_could_not_bring_everything_back_says_so_and_exits_1()
    {
        using var data = new DataDirectory();
        var kept = await FillAsync(data);
        var pack = Directory.GetFiles(Path.Combine(data.Location, "packs")).Single();
        var bytes = await File.ReadAllBytesAsync(pack, TestContext.Current.CancellationToken);
        bytes[bytes.AsSpan().IndexOf(Submit.MadeDump(1, 20_000)) - 1] ^= 1; // the last byte of the record's metadata
        await File.WriteAllBytesAsync(pack, bytes, TestContext.Current.CancellationToken);
        File.Delete(Path.Combine(data.Location, "catalog.db"));

        var salvage = (await Command.FastListenerAsync("salvage", "--data", data.Location)).Expect(1);
        Assert.Equal(
            [
                "2 objects and 1 late attachment found in 1 pack.",
                "1 place in the packs was skipped, named on standard error: what was stored there may be missing.",
            ],
            salvage.Output.TrimEnd().Split('\n'));
        Assert.Contains($"Skipped: packs/{Path.GetFileName(pack)}+", salvage.Error, StringComparison.Ordinal);
        (await data.VerifyAsync()).Expect();
        Assert.Equal(kept.Where(item => item.Value.N != "1").Select(item => item.Key).Order(), (await data.ListAsync()).Select(item => item.Rxid).Order());
    }

    [Fact]
    public async Task An_attachment_whose_object_cannot_be_looked_up_is_answered_and_booked_and_taken_once_the_catalog_is_whole()
    {
        await using var server = await TunedListener.StartAsync();
        var rxid = Submit.Dump(server.Port, server.Token, Submit.MadeDump(1, 2000)).ReceiptOf();
        Assert.Equal(0, await server.Process.StopAsync()); // all of it is in the database file now
        await server.KillAndStartAsync();

        var catalog = Path.Combine(server.Data.Location, "catalog.db");
        var page = PageOf(catalog, "upload_file"u8);
        var kind = SetByte(catalog, page, 0xFF); // no page of a b-tree begins so
        for (var round = 0; round < 3; round++)
        {
            var refused = Attach();
            refused.AssertReadableByEveryClient();
            Assert.Equal((503, "storage_fault"), (refused.Status, refused.Header("FastListener-Reason")));
        }

        var said = server.Process.StandardError.Split('\n').Count(line => line.Contains("refused because the store failed", StringComparison.Ordinal));
        Assert.Equal(1, said);
        SetByte(catalog, page, kind);
        var books = await server.Data.BooksAsync();
        Assert.Equal((3, 0), (books.Count("storage_fault"), books.Requests("brokenOff")));
        Assert.Equal(200, Attach().Status);
        await server.Data.AssertSoundAsync();

        RawReply Attach()
        {
            using var client = RawClient.Connect(server.Port);
            client.Send(Submit.AttachmentRequest(server.Token, rxid, "late", "bytes"u8));
            return client.ReadReply();
        }
    }

    /// <summary>Where the page of the database begins that holds these bytes.</summary>
    private static int PageOf(string database, ReadOnlySpan<byte> bytes)
    {
        var at = File.ReadAllBytes(database).AsSpan().IndexOf(bytes);
        Assert.True(at > 4096, $"{at}"); // the first page is the schema's
        return at / 4096 * 4096;
    }

    private static byte SetByte(string path, int at, byte value)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite) { Position = at };
        var old = file.ReadByte();
        file.Position = at;
        file.WriteByte(value);
        return (byte)old;
    }

    private static int IndexOfDump(byte[] bytes) =>
        bytes.AsSpan().IndexOf(Submit.MadeDump(1, 2000)) is var small and >= 0 ? small : bytes.AsSpan().IndexOf(Submit.MadeDump(2, 2000));

    /// <summary>A small and a large dump, a form, a late attachment; then a stop.</summary>
    private static async Task<Dictionary<string, (string Hash, string N, string[] Attachments)>> FillAsync(DataDirectory data)
    {
        var token = await data.AddTokenAsync("game");
        await using var listener = await ListenerProcess.StartAsync(data.Location);
        var kept = new Dictionary<string, (string, string, string[])>();
        foreach (var (seed, length) in new[] { (1, 20_000), (2, 1_800_000) })
        {
            var dump = Submit.MadeDump(seed, length);
            kept[Submit.Dump(listener.HttpPort, token, dump, $"&n={seed}").ReceiptOf()] = (Repository.Sha256(dump), $"{seed}", []);
        }

        using var client = RawClient.Connect(listener.HttpPort);
        byte[] early = [1, 2, 3];
        var late = Submit.MadeDump(4, 1_400_000);
        client.Send(Submit.FormRequest(token, Submit.MadeDump(3, 9000), "early.bin", early, "&n=3"));
        var rxid = client.ReadReply().ReceiptOf();
        client.Send(Submit.AttachmentRequest(token, rxid, "late.bin", late));
        Assert.Equal(200, client.ReadReply().Status);
        kept[rxid] = (Repository.Sha256(Submit.MadeDump(3, 9000)), "3", [Repository.Sha256(early), Repository.Sha256(late)]);
        Assert.Equal(0, await listener.StopAsync());
        return kept;
    }
}
